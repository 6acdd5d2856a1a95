/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/reporter.h"

#include "base/text.h"
#include "cli/output.h"
#include "spool/note.h"
#include "spool/spool.h"

struct _CliReporter
{
  /* immutable once the upload has begun */
  char *path;
  char *shown; /* the path, printable */
  char *label; /* its last component */
  CliTell tell;
  BoxReceipt *receipt;   /* nullable */
  BoxDestination *noted; /* the destination noted with a session; NULL: not to be noted */

  GMutex lock;
  /* with lock */
  char *session_id;
  char *notice;
  gboolean outage;
};

CliTell
cli_reporter_choose (gboolean json, CliProgress *progress)
{
  if (json)
    return CLI_TELL_JSON;
  return cli_progress_is_shown (progress) ? CLI_TELL_NOTHING : CLI_TELL_TEXT;
}

CliReporter *
cli_reporter_new (const char *path, CliTell tell)
{
  CliReporter *reporter = g_new0 (CliReporter, 1);
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *base = g_filename_display_basename (path);

  reporter->path = g_strdup (path);
  reporter->shown = box_text_escape (shown);
  reporter->label = box_text_escape (base);
  reporter->tell = tell;
  g_mutex_init (&reporter->lock);
  return reporter;
}

void
cli_reporter_free (CliReporter *reporter)
{
  g_clear_pointer (&reporter->noted, box_destination_free);
  g_clear_pointer (&reporter->receipt, box_receipt_free);
  g_free (reporter->session_id);
  g_free (reporter->notice);
  g_free (reporter->label);
  g_free (reporter->shown);
  g_free (reporter->path);
  g_mutex_clear (&reporter->lock);
  g_free (reporter);
}

void
cli_reporter_note_sessions (CliReporter *reporter, const BoxDestination *destination)
{
  g_clear_pointer (&reporter->noted, box_destination_free);
  reporter->noted = box_destination_copy (destination);
}

void
cli_reporter_set_receipt (CliReporter *reporter, BoxReceipt *receipt)
{
  g_clear_pointer (&reporter->receipt, box_receipt_free);
  reporter->receipt = receipt;
}

const char *
cli_reporter_get_name (CliReporter *reporter)
{
  return reporter->shown;
}

char *
cli_reporter_dup_session_id (CliReporter *reporter)
{
  char *session_id;

  g_mutex_lock (&reporter->lock);
  session_id = g_strdup (reporter->session_id);
  g_mutex_unlock (&reporter->lock);
  return session_id;
}

/* Takes @notice. */
static void
set_notice (CliReporter *reporter, char *notice)
{
  g_autofree char *old = NULL;

  g_mutex_lock (&reporter->lock);
  old = reporter->notice;
  reporter->notice = notice;
  g_mutex_unlock (&reporter->lock);
}

static JsonBuilder *
new_event (CliReporter *reporter, const char *event)
{
  g_autofree char *shown = g_filename_display_name (reporter->path);
  JsonBuilder *builder = cli_json_new ();

  cli_json_add_string (builder, "event", event);
  cli_json_add_string (builder, "path", shown);
  return builder;
}

/* A note that cannot be written costs only comfort. */
static void
note_session (CliReporter *reporter, const BoxSession *session, guint64 size)
{
  g_autoptr (GError) error = NULL;

  if (reporter->noted != NULL && !box_note_save (session, size, reporter->noted, &error)
      && reporter->tell == CLI_TELL_TEXT)
    cli_complain ("%s: %s", reporter->shown, error->message);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  CliReporter *reporter = user_data;
  g_autofree char *old = NULL;

  note_session (reporter, session, size);
  if (reporter->receipt != NULL)
    box_receipt_set_session (reporter->receipt, session, size);
  g_mutex_lock (&reporter->lock);
  old = reporter->session_id;
  reporter->session_id = g_strdup (session->id);
  g_mutex_unlock (&reporter->lock);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "session");

      cli_json_add_session (builder, session);
      cli_json_add_uint (builder, "size", size);
      cli_json_print (builder);
    }
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  CliReporter *reporter = user_data;

  set_notice (reporter, NULL);
  if (reporter->receipt != NULL)
    box_receipt_add_part (reporter->receipt, part);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "part");

      cli_json_add_part (builder, part);
      cli_json_add_uint (builder, "attempts", attempts);
      cli_json_add_bool (builder, "adopted", adopted);
      cli_json_print (builder);
    }
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  CliReporter *reporter = user_data;
  double seconds = (double) delay / G_USEC_PER_SEC;
  gboolean known;

  g_mutex_lock (&reporter->lock);
  known = reporter->outage;
  g_mutex_unlock (&reporter->lock);
  if (!known)
    set_notice (reporter, g_strdup_printf ("retrying: %s", reason->message));
  /* An outage is reported when it begins and when it ends. */
  if (reporter->tell == CLI_TELL_TEXT && !known)
    cli_complain ("%s: %s; trying again in %.1f s", reporter->shown, reason->message, seconds);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "retry");

      cli_json_add_string (builder, "request", request);
      if (offset != G_MAXUINT64)
        cli_json_add_uint (builder, "offset", offset);
      cli_json_add_uint (builder, "attempt", attempt);
      cli_json_add_uint (builder, "delay_ms", (guint64) MAX (delay, 0) / 1000);
      cli_json_add_string (builder, "reason", reason->message);
      cli_json_print (builder);
    }
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  CliReporter *reporter = user_data;

  g_mutex_lock (&reporter->lock);
  reporter->outage = reason != NULL;
  g_mutex_unlock (&reporter->lock);
  set_notice (reporter, reason != NULL ? g_strdup ("waiting for the network") : NULL);
  if (reporter->tell == CLI_TELL_TEXT && reason != NULL)
    cli_complain ("%s: nothing gets through (%s); waiting", reporter->shown, reason->message);
  if (reporter->tell == CLI_TELL_TEXT && reason == NULL)
    cli_complain ("%s: it gets through again", reporter->shown);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "outage");

      cli_json_add_bool (builder, "over", reason == NULL);
      cli_json_add_string (builder, "reason", reason != NULL ? reason->message : NULL);
      cli_json_print (builder);
    }
}

static void
on_committing (gpointer user_data)
{
  CliReporter *reporter = user_data;

  set_notice (reporter, g_strdup ("committing"));
  if (reporter->receipt != NULL)
    box_receipt_set_committing (reporter->receipt);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "commit");

      cli_json_print (builder);
    }
}

const BoxUploadEvents cli_reporter_events = {
  .session_opened = on_session_opened,
  .part_done = on_part_done,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
};

void
cli_reporter_goes_on (BoxDelivery *delivery, const GError *reason, gboolean matters,
                      gpointer user_data)
{
  CliReporter *reporter = user_data;

  if (reporter->tell == CLI_TELL_TEXT)
    cli_complain ("%s: %s; it is recorded, and uploaded at its end", reporter->shown,
                  reason->message);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "goes_on");

      cli_json_add_string (builder, "reason", reason->message);
      cli_json_print (builder);
    }
}

void
cli_reporter_room (const char *text, guint64 limit, gpointer user_data)
{
  CliReporter *reporter = user_data;

  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "room");

      cli_json_add_uint (builder, "limit", limit);
      cli_json_add_string (builder, "reason", text);
      cli_json_print (builder);
      return;
    }
  cli_complain ("%s: this may be too much for Box: %s", reporter->shown, text);
}

void
cli_reporter_displaced (const char *text, gpointer user_data)
{
  CliReporter *reporter = user_data;

  cli_complain ("%s: %s", reporter->shown, text);
}

void
cli_reporter_unsettled (const char *path, const GError *reason, gpointer user_data)
{
  CliReporter *reporter = user_data;
  g_autofree char *spool = box_spool_format_option_for (path);

  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "unsettled");

      cli_json_add_string (builder, "recording", path);
      cli_json_add_string (builder, "reason", reason->message);
      cli_json_print (builder);
      return;
    }
  cli_complain ("%s: the file is at Box, but not its metadata: %s%s%s", reporter->shown,
                reason->message, spool != NULL ? "; to try it again:  boxupload resume" : "",
                spool != NULL ? spool : "");
}

void
cli_reporter_kept (const char *recording, guint64 size, const char *reason, gboolean interrupted,
                   const GError *lost, gpointer user_data)
{
  CliReporter *reporter = user_data;
  g_autoptr (JsonBuilder) builder = NULL;

  if (lost != NULL)
    cli_complain ("%s: its last bytes are lost: %s", reporter->shown, lost->message);
  if (reporter->tell != CLI_TELL_JSON)
    return;
  builder = new_event (reporter, "spooled");
  cli_json_add_string (builder, "recording", recording);
  cli_json_add_uint (builder, "size", size);
  cli_json_add_string (builder, "reason", reason);
  cli_json_add_bool (builder, "interrupted", interrupted);
  cli_json_print (builder);
}

/* Bytes to show: what Box has, and what of the parts in flight is on its way there. */
static guint64
get_done (const BoxUploadStats *stats, guint64 size)
{
  return MIN (stats->bytes_uploaded + stats->bytes_under_way, size);
}

void
cli_reporter_get_progress (CliReporter *reporter, const BoxUploadStats *stats, guint64 size,
                           CliProgressLine *line, char **notice)
{
  g_mutex_lock (&reporter->lock);
  *notice = reporter->notice != NULL ? box_text_escape (reporter->notice) : NULL;
  g_mutex_unlock (&reporter->lock);
  *line = (CliProgressLine){
    .label = reporter->label,
    .done = get_done (stats, size),
    .total = size,
    .rate = stats->rate,
    .notice = *notice,
  };
}

void
cli_reporter_tell_progress (CliReporter *reporter, const BoxUploadStats *stats)
{
  g_autoptr (JsonBuilder) builder = NULL;

  if (stats->parts_total == 0 && stats->bytes_sent == 0)
    return;
  builder = new_event (reporter, "progress");
  cli_json_add_uint (builder, "bytes_uploaded", stats->bytes_uploaded);
  cli_json_add_uint (builder, "bytes_sent", stats->bytes_sent);
  cli_json_add_uint (builder, "bytes_total", stats->bytes_total);
  cli_json_add_uint (builder, "parts_uploaded", stats->parts_uploaded);
  cli_json_add_uint (builder, "parts_total", stats->parts_total);
  cli_json_add_uint (builder, "parts_in_flight", stats->parts_in_flight);
  cli_json_add_uint (builder, "parts_waiting", stats->parts_waiting);
  cli_json_add_uint (builder, "parallel", stats->parallel);
  cli_json_add_uint (builder, "retries", stats->retries);
  cli_json_add_uint (builder, "rate", stats->rate);
  cli_json_print (builder);
}

/* A closing event as JSON; free with g_object_unref(). */
static JsonBuilder *
new_end (CliReporter *reporter, const char *event)
{
  JsonBuilder *builder = new_event (reporter, event);
  g_autofree char *session_id = cli_reporter_dup_session_id (reporter);

  if (session_id != NULL)
    cli_json_add_string (builder, "session_id", session_id);
  return builder;
}

static const char *
describe_cut (const CliCut *cut)
{
  if (cut == NULL)
    return "";
  if (cut->kept)
    return cut->may_not_play ? "; it was cut short and may not play: the recording stays"
                             : "; it was cut short: the recording stays";
  return cut->may_not_play ? "; it was cut short and may not play" : "; it was cut short";
}

void
cli_reporter_tell_file (CliReporter *reporter, const char *name, const BoxFile *file,
                        const CliCut *cut)
{
  g_autoptr (JsonBuilder) builder = NULL;

  if (reporter->tell != CLI_TELL_JSON)
    {
      g_autofree char *text = cli_format_made (file, describe_cut (cut));

      cli_print ("%s: %s", name, text);
      return;
    }
  builder = new_end (reporter, "complete");
  cli_json_add_file (builder, file);
  if (cut != NULL)
    {
      cli_json_add_bool (builder, "interrupted", TRUE);
      cli_json_add_bool (builder, "may_not_play", cut->may_not_play);
      cli_json_add_bool (builder, "kept", cut->kept);
    }
  cli_json_print (builder);
}

void
cli_reporter_tell_skipped (CliReporter *reporter, const char *name, const BoxFile *file)
{
  g_autoptr (JsonBuilder) builder = NULL;

  if (reporter->tell != CLI_TELL_JSON)
    {
      g_autofree char *text = cli_format_made (file, "; it was there already, nothing was sent");

      cli_print ("%s: %s", name, text);
      return;
    }
  builder = new_event (reporter, "skipped");
  cli_json_add_file (builder, file);
  cli_json_print (builder);
}

void
cli_reporter_tell_continued (CliReporter *reporter, const char *session_id)
{
  if (reporter->tell == CLI_TELL_TEXT)
    cli_complain ("%s: goes on with upload session %s of an earlier run", reporter->shown,
                  session_id);
}

void
cli_reporter_tell_restart (CliReporter *reporter, const GError *reason)
{
  if (reporter->tell == CLI_TELL_TEXT)
    cli_complain ("%s: %s; uploading it from its beginning", reporter->shown, reason->message);
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "restart");

      cli_json_add_string (builder, "reason", reason->message);
      cli_json_print (builder);
    }
}

void
cli_reporter_tell_finished (CliReporter *reporter, guint64 size, guint64 sent)
{
  g_autoptr (JsonBuilder) builder = NULL;

  if (reporter->tell != CLI_TELL_JSON)
    return;
  builder = new_event (reporter, "finished");
  cli_json_add_uint (builder, "size", size);
  cli_json_add_uint (builder, "bytes_ahead", sent);
  cli_json_print (builder);
}

void
cli_reporter_tell_ahead (CliReporter *reporter, const char *name, guint64 sent, guint64 again)
{
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_event (reporter, "ahead");

      cli_json_add_uint (builder, "bytes_ahead", sent);
      cli_json_add_uint (builder, "bytes_again", again);
      cli_json_print (builder);
    }
  else if (sent > 0)
    {
      g_autofree char *left = cli_format_bytes (sent);
      g_autofree char *twice = cli_format_bytes (again);

      cli_print ("%s: %s left before its end, %s of it was sent twice", name, left, twice);
    }
}

void
cli_reporter_tell_end (CliReporter *reporter, const char *name, const char *event, const char *text)
{
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_end (reporter, event);

      cli_json_print (builder);
    }
  else
    cli_print ("%s: %s", name, text);
}

void
cli_reporter_tell_failure (CliReporter *reporter, const char *name, const GError *error, guint wait)
{
  if (reporter->tell == CLI_TELL_JSON)
    {
      g_autoptr (JsonBuilder) builder = new_end (reporter, "failed");

      cli_json_add_error (builder, error);
      if (wait > 0)
        cli_json_add_uint (builder, "retry_in", wait);
      cli_json_print (builder);
    }
  else if (wait > 0)
    cli_complain ("%s: %s; trying again in %u s", name, error->message, wait);
  else
    cli_complain ("%s: %s", name, error->message);
}
