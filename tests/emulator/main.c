/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * box-emulator, the program: runs the emulator until a signal stops it, or as long as a command
 * runs.
 */
#include "base/process.h"
#include "emulator/box-emulator.h"
#include "emulator/run.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>

static char *dir;
static int port;
static int tls_port;
static gint64 part_size;
static gint64 min_size;
static gint64 max_size;
static gint64 quota;
static gint64 rate;
static int calls_per_minute;
static int uploads_per_minute;
static int session_lifetime;
static int token_lifetime;
static int processing;
static int page_limit;
static gint64 clock_offset;
static char **tokens;
static char **scenarios;
static gboolean late_expiry;
static gboolean session_conflicts;
static char *plan;
static int plan_delay;
static char *profile;
static char *upload_host;
static char *accounts;
static gboolean runs;
static gboolean version;

static const GOptionEntry entries[] = {
  { "dir", 'd', 0, G_OPTION_ARG_FILENAME, &dir,
    "Keep files, sessions and certificates here, also for the next time; ca.pem is to be trusted",
    "DIR" },
  { "port", 'p', 0, G_OPTION_ARG_INT, &port, "HTTP port (0: any)", "N" },
  { "tls-port", 't', 0, G_OPTION_ARG_INT, &tls_port, "HTTPS port (0: any)", "N" },
  { "part-size", 0, 0, G_OPTION_ARG_INT64, &part_size, "Size of parts (8388608)", "BYTES" },
  { "min-size", 0, 0, G_OPTION_ARG_INT64, &min_size,
    "Smallest file for an upload session (20000000)", "BYTES" },
  { "max-size", 0, 0, G_OPTION_ARG_INT64, &max_size, "Largest file (no limit)", "BYTES" },
  { "quota", 0, 0, G_OPTION_ARG_INT64, &quota, "Room for all files (no limit)", "BYTES" },
  { "rate", 'r', 0, G_OPTION_ARG_INT64, &rate,
    "Accept so many bytes a second over all connections (no limit)", "BYTES" },
  { "calls-per-minute", 0, 0, G_OPTION_ARG_INT, &calls_per_minute,
    "Refuse more calls of a user with 429; Box has 1000 (no limit)", "N" },
  { "uploads-per-minute", 0, 0, G_OPTION_ARG_INT, &uploads_per_minute,
    "Refuse more uploads of a user with 429, parts among them; Box has 240 (no limit)", "N" },
  { "session-lifetime", 0, 0, G_OPTION_ARG_INT, &session_lifetime,
    "Life of an upload session (604800)", "SECONDS" },
  { "processing", 0, 0, G_OPTION_ARG_INT, &processing,
    "Answer the first N commits of a session with 202 (0)", "N" },
  { "page-limit", 0, 0, G_OPTION_ARG_INT, &page_limit, "Largest page of a list of parts (1000)",
    "N" },
  { "token", 0, 0, G_OPTION_ARG_STRING_ARRAY, &tokens,
    "Accept this access token and, given again, others (default: any is accepted)", "TOKEN" },
  { "token-lifetime", 0, 0, G_OPTION_ARG_INT, &token_lifetime,
    "Life of tokens from /oauth2/token (3600)", "SECONDS" },
  { "late-expiry", 0, 0, G_OPTION_ARG_NONE, &late_expiry,
    "Refuse a part or file whose token expires while it is on its way", NULL },
  { "session-conflicts", 0, 0, G_OPTION_ARG_NONE, &session_conflicts,
    "Refuse a session for the same file and size as an open one (session_conflict)", NULL },
  { "plan", 0, 0, G_OPTION_ARG_STRING, &plan,
    "Where sessions find parts by SHA-512: none, session, file, account, late, lying, wrong "
    "(default: no \"plan\")",
    "SCOPE" },
  { "profile", 0, 0, G_OPTION_ARG_FILENAME, &profile,
    "Answer as the account does whose profile boxupload probe wrote", "FILE" },
  { "plan-delay", 0, 0, G_OPTION_ARG_INT, &plan_delay, "Age at which --plan=late finds a part (0)",
    "SECONDS" },
  { "upload-host", 0, 0, G_OPTION_ARG_STRING, &upload_host,
    "Host in the URLs of sessions, as Box's zones have; reached through CONNECT", "HOST" },
  { "accounts", 0, 0, G_OPTION_ARG_FILENAME, &accounts,
    "Users, clients, keys and tokens (JSON; then no others)", "FILE" },
  { "clock-offset", 0, 0, G_OPTION_ARG_INT64, &clock_offset,
    "How far its clock is ahead of the machine's", "SECONDS" },
  { "scenario", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &scenarios,
    "What shall go wrong (JSON); may be given again", "FILE" },
  { "run", 0, 0, G_OPTION_ARG_NONE, &runs,
    "Run COMMAND (default: a shell) with this Box in its environment, and end with it", NULL },
  { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL },
  G_OPTION_ENTRY_NULL,
};

/* "--" ends the options; GOption leaves it where it is. */
static char **
skip_separator (char **arguments)
{
  return *arguments != NULL && g_str_equal (*arguments, "--") ? arguments + 1 : arguments;
}

static gboolean
check_arguments (char **arguments, GError **error)
{
  if (!runs && *arguments != NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "what is \"%s\"? A command needs --run", *arguments);
  else if (!runs && dir == NULL)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--dir is missing: where shall it keep its files?");
  else
    return TRUE;
  return FALSE;
}

/* @command: (out): what --run shall run. */
static gboolean
parse_options (int argc, char **argv, char ***command, GError **error)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("[-- COMMAND…]");

  g_option_context_set_summary (
      context, "A stand-in for Box's upload API on 127.0.0.1, over HTTP and HTTPS.");
  g_option_context_set_description (
      context,
      "It prints \"listening on URL\" for each of the two when it is ready, and runs until "
      "SIGTERM or SIGINT.\nUploads go to URL/api/2.0, all else to URL/2.0, tokens come "
      "from URL/oauth2/token.\nWith --run, COMMAND has BOX_ENDPOINT, BOX_API_ENDPOINT, BOX_CA_FILE "
      "and "
      "BOX_ACCESS_TOKEN\nin its environment, which boxuploadsink and boxupload read; without "
      "--dir, "
      "nothing is left behind.\n\nMore: man box-emulator, docs/emulator.md");
  g_option_context_add_main_entries (context, entries, NULL);
  /* The command has options of its own. */
  g_option_context_set_strict_posix (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, error))
    return FALSE;
  *command = skip_separator (argv + 1);
  return version || check_arguments (*command, error);
}

static gboolean
in_range (gint64 value, gint64 max, const char *name, GError **error)
{
  if (value >= 0 && value <= max)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s is out of range", name);
  return FALSE;
}

/* FALSE: there is no such scope. */
static gboolean
find_plan (BoxEmulatorPlan *scope, GError **error)
{
  static const char *const names[] = { "",        "none", "session", "file",
                                       "account", "late", "lying",   "wrong" };

  *scope = BOX_EMULATOR_PLAN_ABSENT;
  if (plan == NULL)
    return TRUE;
  for (guint i = 1; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (plan, names[i]))
      {
        *scope = (BoxEmulatorPlan) i;
        return TRUE;
      }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--plan=%s is not known", plan);
  return FALSE;
}

/* Whether @entry takes a text and was given an empty one: mostly a variable of a script that is not
 * set. */
static gboolean
is_empty (const GOptionEntry *entry)
{
  const char *text;
  const char *const *texts;

  switch (entry->arg)
    {
    case G_OPTION_ARG_STRING:
    case G_OPTION_ARG_FILENAME:
      text = *(const char *const *) entry->arg_data;
      return text != NULL && *text == '\0';
    case G_OPTION_ARG_STRING_ARRAY:
    case G_OPTION_ARG_FILENAME_ARRAY:
      texts = *(const char *const *const *) entry->arg_data;
      return texts != NULL && g_strv_contains (texts, "");
    default:
      return FALSE;
    }
}

static gboolean
check_empty (GError **error)
{
  for (const GOptionEntry *entry = entries; entry->long_name != NULL; entry++)
    if (is_empty (entry))
      {
        g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                     "the value of --%s is empty; leave the option out if it has none",
                     entry->long_name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_options (GError **error)
{
  BoxEmulatorPlan scope;

  return check_empty (error) && find_plan (&scope, error)
         && in_range (plan_delay, G_MAXINT, "plan-delay", error)
         && in_range (port, G_MAXUINT16, "port", error)
         && in_range (tls_port, G_MAXUINT16, "tls-port", error)
         && in_range (part_size, G_MAXINT64, "part-size", error)
         && in_range (min_size, G_MAXINT64, "min-size", error)
         && in_range (max_size, G_MAXINT64, "max-size", error)
         && in_range (quota, G_MAXINT64, "quota", error)
         && in_range (rate, G_MAXINT64, "rate", error)
         && in_range (calls_per_minute, G_MAXINT, "calls-per-minute", error)
         && in_range (uploads_per_minute, G_MAXINT, "uploads-per-minute", error)
         && in_range (session_lifetime, G_MAXINT, "session-lifetime", error)
         && in_range (token_lifetime, G_MAXINT, "token-lifetime", error)
         && in_range (page_limit, G_MAXINT, "page-limit", error)
         && in_range (processing, G_MAXINT, "processing", error);
}

static gboolean
load_files (BoxEmulator *emulator, GError **error)
{
  for (guint i = 0; scenarios != NULL && scenarios[i] != NULL; i++)
    {
      g_autofree char *text = NULL;

      if (!g_file_get_contents (scenarios[i], &text, NULL, error))
        return FALSE;
      if (!box_emulator_load_scenario (emulator, text, error))
        {
          g_prefix_error (error, "%s: ", scenarios[i]);
          return FALSE;
        }
    }
  if (accounts != NULL)
    {
      g_autofree char *text = NULL;

      if (!g_file_get_contents (accounts, &text, NULL, error))
        return FALSE;
      if (!box_emulator_load_accounts (emulator, text, error))
        {
          g_prefix_error (error, "%s: ", accounts);
          return FALSE;
        }
    }
  return TRUE;
}

static BoxEmulator *
start (GError **error)
{
  BoxEmulatorOptions options = {
    .dir = dir,
    .port = port,
    .tls_port = tls_port,
    .part_size = part_size,
    .min_size = min_size,
    .max_size = max_size,
    .quota = quota,
    .rate = rate,
    .calls_per_minute = calls_per_minute,
    .uploads_per_minute = uploads_per_minute,
    .session_lifetime = session_lifetime,
    .token_lifetime = token_lifetime,
    .page_limit = page_limit,
    .processing = processing,
    .clock_offset = clock_offset,
    .tokens = (const char *const *) tokens,
    .late_expiry = late_expiry,
    .session_conflicts = session_conflicts,
    .plan_delay = (guint) plan_delay,
    .upload_host = upload_host,
    .strict_clients = accounts != NULL,
  };
  g_autoptr (BoxEmulator) emulator = NULL;
  g_autofree char *text = NULL;

  find_plan (&options.plan, NULL);
  if (profile != NULL && !g_file_get_contents (profile, &text, NULL, error))
    return NULL;
  options.profile = text;
  emulator = box_emulator_new (&options, error);
  return emulator != NULL && load_files (emulator, error) ? g_steal_pointer (&emulator) : NULL;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

/* Of the command: one that is accepted. With accounts the caller knows which. */
static const char *
choose_token (void)
{
  if (tokens != NULL)
    return tokens[0];
  return accounts != NULL ? NULL : "a-token-of-the-emulator";
}

static void
serve (BoxEmulator *emulator)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  guint term = g_unix_signal_add (SIGTERM, quit, loop);
  guint interrupt = g_unix_signal_add (SIGINT, quit, loop);

  printf ("listening on %s\n", box_emulator_get_origin (emulator, FALSE));
  printf ("listening on %s\n", box_emulator_get_origin (emulator, TRUE));
  fflush (stdout);
  g_main_loop_run (loop);
  g_source_remove (term);
  g_source_remove (interrupt);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxEmulator) emulator = NULL;
  char **command = NULL;

  box_process_fill_standard_descriptors ();
  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  if (!parse_options (argc, argv, &command, &error) || !check_options (&error))
    {
      g_printerr ("box-emulator: %s\n", error->message);
      return 2;
    }
  if (version)
    {
      printf ("box-emulator %s\n", BOX_VERSION);
      return 0;
    }
  if (runs)
    emu_run_block_signals ();
  emulator = start (&error);
  if (emulator == NULL)
    {
      g_printerr ("box-emulator: %s\n", error->message);
      return 1;
    }
  if (runs)
    return emu_run (emulator, choose_token (), command);
  serve (emulator);
  return 0;
}
