/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload COMMAND [OPTIONS]: finds the command, parses its options, runs it, and turns its error
 * into words and an exit code.
 */
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "api/client.h"
#include "base/process.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/output.h"

static const CliCommand *const commands[] = {
  &cli_command_put,    &cli_command_follow, &cli_command_create, &cli_command_part,
  &cli_command_status, &cli_command_parts,  &cli_command_commit, &cli_command_abort,
  &cli_command_spool,  &cli_command_resume, &cli_command_watch,  &cli_command_ls,
  &cli_command_get,    &cli_command_whoami, &cli_command_token,  &cli_command_probe,
};

static const char exit_codes[] =
    "Exit codes:\n"
    "  0 done            5 forbidden         10 session expired or failed\n"
    "  1 bug, report it  6 not found         11 Box has something else there\n"
    "  2 usage           7 name in use       12 the bytes at Box are wrong\n"
    "  3 credentials     8 size mismatch     13 a local file failed\n"
    "  4 not trusted     9 no space          14 another process has the recording\n"
    "  15 unaligned part 16 part beyond end  17 another total\n"
    "  75 try again later                    130 interrupted (128 + the signal's number)\n";

static const CliCommand *
find_command (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_strcmp0 (commands[i]->name, name) == 0)
      return commands[i];
  return NULL;
}

static char *
format_program_help (void)
{
  GString *help = g_string_new (
      "Usage:\n  boxupload COMMAND [OPTION…] [ARGUMENT…]\n\n"
      "Uploads recordings to Box through upload sessions, and manages the sessions of\n"
      "boxuploadsink, the GStreamer element.\n\nCommands:\n");

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (help, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
  g_string_append_printf (
      help,
      "\nOptions:\n"
      "  -h, --help     Show this; with a command: its options and examples\n"
      "  -V, --version  Show the version\n\n"
      "Credentials come from --token-file, --auth-config, or the environment:\n"
      "BOX_ACCESS_TOKEN, BOX_TOKEN_FILE, BOX_AUTH_CONFIG. There is no option for the\n"
      "token itself, because everybody on the machine can read a command line.\n"
      "Without an account: box-emulator --run -- boxupload put recording.mp4\n\n%s\n"
      "Examples:\n"
      "  boxupload put recording.mp4 --folder 1234\n"
      "  SESSION=$(boxupload create --size 2GiB --name live.mp4 --folder 1234)\n"
      "  boxupload parts $SESSION\n\n"
      "More: boxupload COMMAND --help, man boxupload\n",
      exit_codes);
  return g_string_free (help, FALSE);
}

/* What --help shows: what most uploads need, the connection alone, or everything. */
typedef struct
{
  gboolean common, connection, all;
} Help;

static gboolean
is_wanted (const Help *help)
{
  return help->common || help->connection || help->all;
}

static void
add_connection_group (GOptionContext *context, const CliCommand *command, CliOptions *options)
{
  if (command->flags & CLI_COMMAND_CONNECTS)
    g_option_context_add_group (context, cli_options_new_connection_group (options));
}

static void
add_groups (GOptionContext *context, const CliCommand *command, CliOptions *options, Help *help)
{
  const GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print JSON, for machines", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help->common, "Show this", NULL },
    { "help-all", 0, 0, G_OPTION_ARG_NONE, &help->all, "Show all options and the exit codes",
      NULL },
    { NULL },
  };
  const GOptionEntry connection[] = {
    { "help-connection", 0, 0, G_OPTION_ARG_NONE, &help->connection,
      "Show the options for credentials, endpoints and proxies", NULL },
    { NULL },
  };
  /* Not the main group: that one is shown last. */
  GOptionGroup *own = g_option_group_new ("own", "Options:", "Show the own options", NULL, NULL);

  if (command->entries != NULL)
    g_option_group_add_entries (own, command->entries);
  g_option_group_add_entries (own, common);
  if (command->flags & CLI_COMMAND_CONNECTS)
    g_option_group_add_entries (own, connection);
  g_option_context_add_group (context, own);
  if (command->flags & CLI_COMMAND_SPOOLS)
    g_option_context_add_group (
        context,
        cli_options_new_spool_group (options, (command->flags & CLI_COMMAND_TRANSFERS) != 0));
  if (command->flags & CLI_COMMAND_TRANSFERS)
    g_option_context_add_group (context, cli_options_new_transfer_group (options));
  if (command->flags & CLI_COMMAND_UPLOADS)
    g_option_context_add_group (context, cli_options_new_upload_group (options));
}

/* The words and options of @command, its own options --help… among them. */
static GOptionContext *
new_context (const CliCommand *command, CliOptions *options, Help *help)
{
  GOptionContext *context = g_option_context_new (command->arguments);

  g_option_context_set_summary (context, command->summary);
  g_option_context_set_help_enabled (context, FALSE);
  add_groups (context, command, options, help);
  add_connection_group (context, command, options);
  return context;
}

static char *
format_help (const CliCommand *command, const Help *wanted)
{
  g_autoptr (GOptionContext) context = g_option_context_new (command->arguments);
  g_autofree char *description = NULL;
  CliOptions options;
  Help help;
  char *text;

  cli_options_init (&options);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_summary (context, command->summary);
  if (wanted->all || !wanted->connection)
    {
      add_groups (context, command, &options, &help);
      description = g_strdup_printf ("%s\n%s", command->description,
                                     wanted->all ? exit_codes : "Exit codes: boxupload --help\n");
      g_option_context_set_description (context, description);
    }
  if (wanted->all || wanted->connection)
    add_connection_group (context, command, &options);
  text = g_option_context_get_help (context, FALSE, NULL);
  cli_options_clear (&options);
  return text;
}

/* Says where the option stands that was meant. Its value is not repeated: of "--token=…" it would
 * be a secret, in the log of a service. */
static void
explain_option (GError **error, const CliCommand *command)
{
  if (g_error_matches (*error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
    {
      g_autofree char *message = g_strdup_printf ("%.*s; boxupload %s --help-all lists the options",
                                                  (int) strcspn ((*error)->message, "="),
                                                  (*error)->message, command->name);

      g_free ((*error)->message);
      (*error)->message = g_steal_pointer (&message);
    }
}

/* Without any credentials no retry can succeed. */
static gboolean
check_credentials (BoxClient *client, GError **error)
{
  BoxCredentials *credentials = box_client_get_credentials (client);
  g_autoptr (BoxCredentialsInfo) info = box_credentials_describe (credentials);
  char *token;

  if (!g_str_equal (info->grant, "none"))
    return TRUE;
  token = box_credentials_get_token (credentials, NULL, 0, NULL, error);
  box_credentials_free_token (token);
  return token != NULL;
}

static BoxClient *
new_client (const CliOptions *options, GError **error)
{
  g_autoptr (BoxClient) client = NULL;
  BoxClientSettings settings;

  if (!cli_options_get_client_settings (options, &settings, error))
    return NULL;
  client = box_client_new (&settings, error);
  if (client == NULL || !check_credentials (client, error))
    return NULL;
  return g_steal_pointer (&client);
}

/* What a request takes at most, with the local file that it is for, and threads of its own, among
 * them those that look for a proxy. */
#define DESCRIPTORS 32
#define THREADS     5

/* What is missing here does not come back while the command waits for it. */
static gboolean
check_limits (GError **error)
{
  static const char *const what = "for this command";

  return box_process_check_descriptors (DESCRIPTORS, what, error)
         && box_process_ensure_glib_threads (what, error)
         && box_process_check_threads (THREADS, what, error);
}

/* @told: (out): its failure has been printed as JSON already. */
static gboolean
run_command (const CliCommand *command, const CliOptions *options, char **arguments,
             CliSignal *signals, gboolean *told, GError **error)
{
  g_autoptr (BoxTransport) transport = NULL;
  g_autoptr (BoxClient) client = NULL;
  Cli cli = {
    .options = options,
    .signals = signals,
    .cancellable = cli_signal_get_cancellable (signals),
  };
  gboolean done;

  if (!cli_arguments_check_number (command, g_strv_length (arguments), error))
    return FALSE;
  if (command->flags & CLI_COMMAND_CONNECTS)
    {
      box_client_own_process ();
      client = check_limits (error) ? new_client (options, error) : NULL;
      if (client == NULL)
        return FALSE;
      transport = box_transport_new ();
      cli.client = client;
      cli.transport = transport;
    }
  done = command->run (&cli, arguments, error);
  *told = cli.told;
  return done && cli_output_flush (error);
}

/* @json: also for machines; @lines: in the form of those that print events. */
static void
report (const GError *error, gboolean json, gboolean lines)
{
  if (json)
    {
      g_autoptr (JsonBuilder) builder = cli_json_new ();

      if (lines)
        {
          cli_json_add_string (builder, "event", "failed");
          cli_json_add_string (builder, "path", NULL);
        }
      cli_json_add_error (builder, error);
      cli_json_print (builder);
    }
  cli_complain ("%s", error->message);
}

/* The command's process from its options to its exit code. */
static int
run (const CliCommand *command, char **argv)
{
  g_autoptr (CliSignal) signals = NULL;
  g_autoptr (GOptionContext) context = NULL;
  g_auto (GStrv) given = g_strdupv (argv);
  g_autoptr (GError) error = NULL;
  CliOptions options;
  gboolean told = FALSE;
  Help help = { FALSE };
  int code;

  cli_options_init (&options);
  context = new_context (command, &options, &help);
  if (!g_option_context_parse_strv (context, &argv, &error))
    explain_option (&error, command);
  else if (!is_wanted (&help) && cli_arguments_check_empty (given + 1, &error))
    {
      cli_arguments_drop_separator (argv + 1);
      signals = cli_signal_new (&error);
      if (signals != NULL)
        run_command (command, &options, argv + 1, signals, &told, &error);
    }
  if (is_wanted (&help) && error == NULL)
    {
      g_autofree char *text = format_help (command, &help);

      g_print ("%s", text);
      cli_output_flush (&error);
    }

  code = (int) cli_exit_from_error (error);
  if (code == CLI_EXIT_INTERRUPTED && signals != NULL && cli_signal_get_number (signals) != 0)
    code = 128 + cli_signal_get_number (signals);
  if (error != NULL)
    report (error, options.json && !told, (command->flags & CLI_COMMAND_TRANSFERS) != 0);
  cli_options_clear (&options);
  g_strfreev (argv);
  return code;
}

/* How many letters of @a are to be changed, added or left out for @b. Both are short. */
static guint
distance (const char *a, const char *b)
{
  gsize width = strlen (b) + 1;
  g_autofree guint *row = g_new (guint, width);

  for (gsize j = 0; j < width; j++)
    row[j] = (guint) j;
  for (gsize i = 0; a[i] != '\0'; i++)
    {
      guint corner = row[0];

      row[0] = (guint) i + 1;
      for (gsize j = 1; j < width; j++)
        {
          guint above = row[j];

          row[j] = MIN (MIN (row[j], row[j - 1]) + 1, corner + (a[i] != b[j - 1] ? 1 : 0));
          corner = above;
        }
    }
  return row[width - 1];
}

/* The command that is meant by @name; NULL: none is like it. */
static const char *
guess_command (const char *name)
{
  const char *best = NULL;
  guint least = 3;

  for (guint i = 0; strlen (name) < 16 && i < G_N_ELEMENTS (commands); i++)
    {
      guint n = distance (name, commands[i]->name);

      if (n < least && n < strlen (commands[i]->name))
        {
          least = n;
          best = commands[i]->name;
        }
    }
  return best;
}

static int
complain_about_command (const char *name)
{
  const char *guess = name != NULL ? guess_command (name) : NULL;

  if (name == NULL)
    cli_complain ("Which command? boxupload --help lists them");
  else if (guess != NULL)
    cli_complain ("There is no command “%s”; did you mean “%s”? boxupload --help lists them", name,
                  guess);
  else
    cli_complain ("There is no command “%s”; boxupload --help lists them", name);
  return CLI_EXIT_USAGE;
}

static int
print_and_flush (const char *text)
{
  g_autoptr (GError) error = NULL;

  g_print ("%s", text);
  if (!cli_output_flush (&error))
    cli_complain ("%s", error->message);
  return (int) cli_exit_from_error (error);
}

/* Prints the uploader's messages as a command prints its own. */
static void
on_message (const char *domain, GLogLevelFlags level, const char *message, gpointer user_data)
{
  cli_complain ("%s", message);
}

/* A core dump would have the token, in memory of libraries that do not wipe it. Hooks are not
 * concerned: this ends with an exec. AddressSanitizer looks for leaks by what this forbids. */
static void
forbid_core_dumps (void)
{
#ifndef __SANITIZE_ADDRESS__
  const char *wanted = g_getenv ("BOXUPLOAD_CORE_DUMPS");

  if (wanted == NULL || *wanted == '\0')
    prctl (PR_SET_DUMPABLE, 0);
#endif
}

int
main (int argc, char **argv)
{
  const char *name = argc > 1 ? argv[1] : NULL;
  const CliCommand *command = find_command (name);
  g_autofree char *program = NULL;

  box_process_fill_standard_descriptors ();
  /* A write beyond ulimit -f fails, and what was read stays in the spool. */
  signal (SIGXFSZ, SIG_IGN);
  forbid_core_dumps ();
  setlocale (LC_ALL, "");
  g_log_set_handler ("boxupload", G_LOG_LEVEL_MESSAGE, on_message, NULL);
  if (g_strcmp0 (name, "--version") == 0 || g_strcmp0 (name, "-V") == 0)
    return print_and_flush ("boxupload " BOX_VERSION "\n");
  if (g_strcmp0 (name, "--help") == 0 || g_strcmp0 (name, "-h") == 0
      || (g_strcmp0 (name, "help") == 0 && argc == 2))
    {
      g_autofree char *help = format_program_help ();

      return print_and_flush (help);
    }
  if (g_strcmp0 (name, "help") == 0)
    {
      char *arguments[] = { argv[2], (char *) "--help", NULL };

      command = find_command (argv[2]);
      if (command == NULL)
        return complain_about_command (argv[2]);
      program = g_strconcat ("boxupload ", command->name, NULL);
      g_set_prgname (program);
      return run (command, g_strdupv (arguments));
    }
  if (command == NULL)
    return complain_about_command (name);

  program = g_strconcat ("boxupload ", command->name, NULL);
  g_set_prgname (program);
  return run (command, g_strdupv (argv + 1));
}
