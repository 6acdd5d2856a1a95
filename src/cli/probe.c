/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload probe: finds out about an account what no document of Box says (probe/probe.h), prints
 * it, and writes it down for recorders and for box-emulator.
 */
#include "base/text.h"
#include "probe/probe.h"

#include "api/account.h"
#include "base/fileio.h"
#include "cli/command.h"
#include "cli/output.h"

#include <string.h>

/* Default of --wait, seconds. */
#define LONGEST_WAIT 120

/* Columns of the questions. */
#define QUESTION_WIDTH 48

static struct
{
  char *folder;
  gboolean quick;
  int wait;
  char **rests;
  char *profile;
} options = { .wait = LONGEST_WAIT };

static const GOptionEntry entries[] = {
  { "folder", 'f', 0, G_OPTION_ARG_STRING, &options.folder,
    "Folder in which a scratch folder is made", "ID" },
  { "quick", 0, 0, G_OPTION_ARG_NONE, &options.quick,
    "Leave out resting requests and the speed of parts", NULL },
  { "wait", 0, 0, G_OPTION_ARG_INT, &options.wait,
    "How long a part may take until a plan finds it (120)", "SECONDS" },
  { "rest", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.rests,
    "How long a request rests; may be repeated (30, 60, 120)", "SECONDS" },
  { "profile", 0, 0, G_OPTION_ARG_FILENAME, &options.profile,
    "Write the profile here ($XDG_STATE_HOME/boxupload/profile.json)", "FILE" },
  { NULL },
};

static void
tell_trying (const char *question, gpointer user_data)
{
}

static void
tell_found (const char *question, const char *answer, gpointer user_data)
{
  Cli *cli = user_data;
  g_autofree char *shown = box_text_escape (answer);

  if (!cli->options->json)
    cli_print ("%-*s  %s", QUESTION_WIDTH, question, shown);
}

/* Seconds of --rest, 0 at the end; NULL: not given. */
static gboolean
read_rests (guint **rests, GError **error)
{
  guint n = options.rests != NULL ? g_strv_length (options.rests) : 0;

  *rests = n > 0 ? g_new0 (guint, n + 1) : NULL;
  for (guint i = 0; i < n; i++)
    {
      guint64 seconds;

      if (!g_ascii_string_to_unsigned (options.rests[i], 10, 1, 3600, &seconds, NULL))
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "--rest takes seconds from 1 to 3600, not \"%s\"", options.rests[i]);
          return FALSE;
        }
      (*rests)[i] = (guint) seconds;
    }
  return TRUE;
}

static gboolean
write_profile (JsonObject *profile, const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL, *line = NULL;

  json_node_set_object (node, profile);
  text = json_to_string (node, TRUE);
  line = g_strconcat (text, "\n", NULL);
  g_mkdir_with_parents (directory, 0700);
  if (box_fileio_replace (path, line, strlen (line), 0600, error))
    return TRUE;
  g_prefix_error (error, "The profile cannot be written: ");
  return FALSE;
}

/* What recorders read, and the profile itself. */
static gboolean
keep (Cli *cli, JsonObject *profile, GError **error)
{
  g_autofree char *account = box_account_default_path ();
  g_autofree char *path =
      options.profile != NULL
          ? g_strdup (options.profile)
          : g_build_filename (g_get_user_state_dir (), "boxupload", "profile.json", NULL);
  g_autofree char *shown = g_filename_display_name (path);
  BoxPlanScope scope = box_probe_get_plan (profile);

  if (!write_profile (profile, path, error))
    return FALSE;
  if (scope != BOX_PLAN_SCOPE_UNKNOWN
      && !box_account_set_plan (account, cli->client, scope, "probe", NULL, error))
    return FALSE;
  if (!cli->options->json)
    cli_print ("The profile is in %s", shown);
  return TRUE;
}

static void
print_json (JsonObject *profile)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_set_object (node, profile);
  text = json_to_string (node, FALSE);
  cli_print ("%s", text);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  static const BoxProbeEvents events = { .trying = tell_trying, .found = tell_found };
  BoxProbeSettings settings = {
    .client = cli->client,
    .folder_id = options.folder,
    .quick = options.quick,
    .longest_wait = (guint) CLAMP (options.wait, 0, 3600),
  };
  g_autoptr (JsonObject) profile = NULL;
  g_autofree guint *rests = NULL;

  if (options.folder == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Give --folder ID, a folder in which a scratch folder may be made and "
                           "removed again (0: the root)");
      return FALSE;
    }
  if (!read_rests (&rests, error)
      || !cli_options_get_client_settings (cli->options, &settings.client_settings, error))
    return FALSE;
  settings.rests = rests;
  if (!box_probe_run (&settings, &events, cli, cli->cancellable, &profile, error))
    return FALSE;
  if (cli->options->json)
    print_json (profile);
  return keep (cli, profile, error);
}

const CliCommand cli_command_probe = {
  .name = "probe",
  .arguments = "--folder ID",
  .summary = "Find out what Box does with this account where its documents are silent",
  .description =
      "Makes a scratch folder in the folder, tries what no document of Box says, prints\n"
      "what it found, and removes what it made. What a killed probe has left is removed\n"
      "by the next one. It sends about 80 MB, and 260 MB more unless --quick is given.\n"
      "\n"
      "Recorders read the answer about plans (ahead=true). The profile has no secrets;\n"
      "box-emulator --profile=FILE answers as this account does.\n"
      "\n"
      "With --json: the profile, as one object.\n"
      "\n"
      "Examples:\n"
      "  boxupload probe --folder 0 --quick\n"
      "  boxupload probe --folder 1234 --auth-config box.json --profile box.profile\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 0,
  .max_arguments = 0,
  .run = run,
};
