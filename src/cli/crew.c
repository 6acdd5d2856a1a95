/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/crew.h"

#include <unistd.h>

/* Often enough for bars that move. Microseconds. */
#define DRAW_INTERVAL (G_USEC_PER_SEC / 10)

/* Between two "progress" lines of JSON. Microseconds. */
#define TELL_INTERVAL G_USEC_PER_SEC

/* Nobody may be there to try again: long enough for most outages. Seconds. */
#define RETRY_TIMEOUT 600

struct _CliCrew
{
  BoxRecoverySettings settings;
  GCancellable *cancellable;
  guint files;
  CliCrewEnded ended;
  gpointer user_data;

  CliProgress *progress;
  CliTell tell;
  gint64 told_at;     /* monotonic */
  GPtrArray *running; /* of CliRescue, in the order in which they began */
};

CliCrew *
cli_crew_new (Cli *cli, int files, CliCrewEnded ended, gpointer user_data, GError **error)
{
  BoxUploadSettings settings;
  CliCrew *crew;

  if (files < 1 || files > CLI_CREW_MAX)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "--files takes 1 to %d, not %d",
                   CLI_CREW_MAX, files);
      return NULL;
    }
  if (!cli_options_get_upload_settings (cli->options, &settings, error))
    return NULL;
  crew = g_new0 (CliCrew, 1);
  crew->settings = (BoxRecoverySettings){
    .client = cli->client,
    .parallel = settings.parallel,
    .upload_rate = settings.upload_rate,
    .retry_timeout = cli_options_get_retry_timeout (cli->options, RETRY_TIMEOUT),
    .digest_engine = settings.digest_engine,
  };
  crew->cancellable = g_object_ref (cli->cancellable);
  crew->files = (guint) files;
  crew->ended = ended;
  crew->user_data = user_data;
  crew->progress = cli_progress_new (cli->options->json ? -1 : STDERR_FILENO);
  crew->tell = cli_reporter_choose (cli->options->json, crew->progress);
  crew->running = g_ptr_array_new_with_free_func ((GDestroyNotify) cli_rescue_free);
  return crew;
}

void
cli_crew_free (CliCrew *crew)
{
  if (crew == NULL)
    return;
  g_ptr_array_unref (crew->running);
  cli_progress_free (crew->progress);
  g_object_unref (crew->cancellable);
  g_free (crew);
}

guint
cli_crew_count_running (CliCrew *crew)
{
  return crew->running->len;
}

gboolean
cli_crew_has_room (CliCrew *crew)
{
  return crew->running->len < crew->files;
}

void
cli_crew_begin (CliCrew *crew, const BoxSpoolEntry *spooled)
{
  g_autoptr (CliRescue) rescue = cli_rescue_new (spooled, crew->tell);
  g_autoptr (GError) error = NULL;

  if (cli_rescue_start (rescue, &crew->settings, crew->cancellable, &error))
    {
      g_ptr_array_add (crew->running, g_steal_pointer (&rescue));
      return;
    }
  cli_progress_clear (crew->progress);
  crew->ended (rescue, BOX_RECOVERED_EMPTY, error, crew->user_data);
}

static void
end_rescue (CliCrew *crew, guint i)
{
  g_autoptr (CliRescue) rescue = g_ptr_array_steal_index (crew->running, i);
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  cli_progress_clear (crew->progress);
  cli_rescue_finish (rescue, &how, &error);
  crew->ended (rescue, how, error, crew->user_data);
}

static void
draw (CliCrew *crew)
{
  CliProgressLine lines[CLI_CREW_MAX];
  char *notices[CLI_CREW_MAX];

  if (!cli_progress_is_shown (crew->progress))
    return;
  for (guint i = 0; i < crew->running->len; i++)
    cli_rescue_get_progress (g_ptr_array_index (crew->running, i), &lines[i], &notices[i]);
  cli_progress_draw (crew->progress, lines, crew->running->len);
  for (guint i = 0; i < crew->running->len; i++)
    g_free (notices[i]);
}

static void
tell_progress (CliCrew *crew)
{
  gint64 now = g_get_monotonic_time ();

  if (crew->tell != CLI_TELL_JSON || now < crew->told_at + TELL_INTERVAL)
    return;
  crew->told_at = now;
  for (guint i = 0; i < crew->running->len; i++)
    cli_rescue_tell_progress (g_ptr_array_index (crew->running, i));
}

void
cli_crew_attend (CliCrew *crew)
{
  gint64 timeout = DRAW_INTERVAL;

  for (guint i = 0; i < crew->running->len; timeout = 0)
    if (cli_rescue_poll (g_ptr_array_index (crew->running, i), timeout))
      end_rescue (crew, i);
    else
      i++;
  draw (crew);
  tell_progress (crew);
}

gboolean
cli_crew_open_spool (const char *dir, gboolean create, BoxSpool **spool, GError **error)
{
  g_autofree char *path = dir != NULL ? g_strdup (dir) : box_spool_default_path ();

  *spool = NULL;
  if (create || g_file_test (path, G_FILE_TEST_EXISTS))
    {
      *spool = box_spool_open (path, 0, error);
      return *spool != NULL;
    }
  if (dir == NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "There is no directory “%s”", dir);
  return FALSE;
}
