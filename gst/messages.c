/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "messages.h"

#include "base/text.h"
#include "spool/recording.h"
#include "spool/spool.h"

GST_DEBUG_CATEGORY_EXTERN (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

static void
post_structure (GstElement *element, GstStructure *structure)
{
  gst_element_post_message (element, gst_message_new_element (GST_OBJECT (element), structure));
}

/* Fields without a value are left out. */
static void
set_string (GstStructure *structure, const char *field, const char *value)
{
  if (value != NULL)
    gst_structure_set (structure, field, G_TYPE_STRING, value, NULL);
}

static void
set_sha1 (GstStructure *structure, gboolean has_sha1, const BoxSha1 *sha1)
{
  g_autofree char *hex = has_sha1 ? box_sha1_to_hex (sha1) : NULL;

  set_string (structure, "sha1", hex);
}

void
sink_post_session (GstElement *element, const BoxSession *session, guint64 size)
{
  GstStructure *structure =
      gst_structure_new ("boxuploadsink-session", "session-id", G_TYPE_STRING, session->id, "size",
                         G_TYPE_UINT64, size, "part-size", G_TYPE_UINT64, session->part_size,
                         "parts", G_TYPE_UINT, session->total_parts, NULL);
  g_autofree char *expires_at = NULL;

  if (session->expires_at != NULL)
    expires_at = g_date_time_format_iso8601 (session->expires_at);
  set_string (structure, "expires-at", expires_at);
  post_structure (element, structure);
}

void
sink_post_part (GstElement *element, const BoxPart *part, guint attempts, gboolean adopted)
{
  GstStructure *structure =
      gst_structure_new ("boxuploadsink-part", "offset", G_TYPE_UINT64, part->offset, "size",
                         G_TYPE_UINT64, part->size, "part-id", G_TYPE_STRING, part->id, "attempts",
                         G_TYPE_UINT, attempts, "adopted", G_TYPE_BOOLEAN, adopted, NULL);

  set_sha1 (structure, part->has_sha1, &part->sha1);
  post_structure (element, structure);
}

void
sink_post_retry (GstElement *element, const char *request, guint64 offset, guint attempt,
                 gint64 delay, const GError *reason)
{
  GstStructure *structure = gst_structure_new ("boxuploadsink-retry", "request", G_TYPE_STRING,
                                               request, "attempt", G_TYPE_UINT, attempt, "delay",
                                               G_TYPE_UINT64, (guint64) delay * GST_USECOND,
                                               "reason", G_TYPE_STRING, reason->message, NULL);

  if (offset != G_MAXUINT64)
    gst_structure_set (structure, "offset", G_TYPE_UINT64, offset, NULL);
  GST_INFO_OBJECT (element, "%s: attempt %u failed, again in %" G_GINT64_FORMAT " ms: %s", request,
                   attempt, delay / 1000, reason->message);
  post_structure (element, structure);
}

/* gst-launch-1.0 prints only the debug text of an INFO, so it has the text as well. Takes @text and
 * @details (nullable). */
static void
post_info (GstElement *element, GstResourceError code, char *text, GstStructure *details)
{
  gst_element_message_full_with_details (element, GST_MESSAGE_INFO, GST_RESOURCE_ERROR, (gint) code,
                                         text, g_strdup (text), __FILE__, GST_FUNCTION, __LINE__,
                                         details);
}

void
sink_post_outage (GstElement *element, const GError *reason)
{
  if (reason != NULL)
    GST_ELEMENT_WARNING (element, RESOURCE, WRITE,
                         ("Box is out of reach; the upload goes on when it is back."),
                         ("%s", reason->message));
  else
    post_info (element, GST_RESOURCE_ERROR_WRITE, g_strdup ("Box is back; the upload goes on."),
               NULL);
}

void
sink_post_memory (GstElement *element)
{
  post_info (
      element, GST_RESOURCE_ERROR_SETTINGS,
      g_strdup ("This live stream is only in memory until Box has it: if the process dies, "
                "what is left are parts in a session. With spool-dir it is on the disk, too."),
      NULL);
}

void
sink_post_complete (GstElement *element, const BoxFile *file)
{
  GstStructure *structure =
      gst_structure_new ("boxuploadsink-complete", "file-id", G_TYPE_STRING, file->id, NULL);

  set_string (structure, "version-id", file->version_id);
  set_string (structure, "name", file->name);
  set_string (structure, "etag", file->etag);
  set_string (structure, "link", file->link);
  set_sha1 (structure, file->has_sha1, &file->sha1);
  if (file->has_size)
    gst_structure_set (structure, "size", G_TYPE_UINT64, file->size, NULL);
  post_structure (element, structure);
}

void
sink_post_filled (GstElement *element, const char *session_id, guint64 size, const BoxSha1 *sha1)
{
  GstStructure *structure =
      gst_structure_new ("boxuploadsink-filled", "size", G_TYPE_UINT64, size, NULL);

  set_string (structure, "session-id", session_id);
  set_sha1 (structure, TRUE, sha1);
  post_structure (element, structure);
}

void
sink_post_spooled (GstElement *element, const char *path, guint64 size, const char *reason,
                   gboolean interrupted)
{
  GST_INFO_OBJECT (element, "%s: %" G_GUINT64_FORMAT " bytes, %s%s", path, size, reason,
                   interrupted ? ", cut short" : "");
  post_structure (element,
                  gst_structure_new ("boxuploadsink-spooled", "path", G_TYPE_STRING, path, "size",
                                     G_TYPE_UINT64, size, "reason", G_TYPE_STRING, reason,
                                     "interrupted", G_TYPE_BOOLEAN, interrupted, NULL));
}

void
sink_post_reserve (GstElement *element, guint64 position, guint64 size)
{
  post_structure (element, gst_structure_new ("boxuploadsink-reserve", "position", G_TYPE_UINT64,
                                              position, "size", G_TYPE_UINT64, size, NULL));
}

GstResourceError
sink_resource_error (const GError *error)
{
  if (error->domain == GST_RESOURCE_ERROR)
    return (GstResourceError) error->code;
  if (error->domain != BOX_ERROR)
    return GST_RESOURCE_ERROR_FAILED;

  switch ((BoxErrorCode) error->code)
    {
    case BOX_ERROR_CREDENTIALS:
    case BOX_ERROR_TRUST:
    case BOX_ERROR_FORBIDDEN:
      return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
    case BOX_ERROR_NOT_FOUND:
      return GST_RESOURCE_ERROR_NOT_FOUND;
    case BOX_ERROR_NAME_IN_USE:
    case BOX_ERROR_CONFLICT:
    case BOX_ERROR_BUSY:
      return GST_RESOURCE_ERROR_BUSY;
    case BOX_ERROR_SETTINGS:
      return GST_RESOURCE_ERROR_SETTINGS;
    case BOX_ERROR_SPACE:
      return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
    case BOX_ERROR_TRANSIENT:
    case BOX_ERROR_SIZE:
    case BOX_ERROR_INTEGRITY:
    case BOX_ERROR_STORAGE:
      return GST_RESOURCE_ERROR_WRITE;
    case BOX_ERROR_SESSION_GONE:
    case BOX_ERROR_PROTOCOL:
    case BOX_ERROR_CANCELLED:
      break;
    }
  return GST_RESOURCE_ERROR_FAILED;
}

static GstStructure *
details_new (const char *name, const GError *error, const SinkContext *context)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  GstStructure *structure = gst_structure_new_empty (name);

  if (details->http_status != 0)
    gst_structure_set (structure, "http-status-code", G_TYPE_UINT, details->http_status, NULL);
  set_string (structure, "box-error-code", details->box_code);
  set_string (structure, "request-id", details->request_id);
  set_string (structure, "session-id", context->session_id);
  if (context->offset != G_MAXUINT64)
    gst_structure_set (structure, "offset", G_TYPE_UINT64, context->offset, NULL);
  set_string (structure, "spool", context->spool);
  return structure;
}

static char *
format_debug (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  GString *text = g_string_new (NULL);

  if (error->domain == BOX_ERROR)
    g_string_append (text, box_error_get_kind (error));
  else
    g_string_append_printf (text, "%s %d", g_quark_to_string (error->domain), error->code);
  if (details->http_status != 0)
    g_string_append_printf (text, ", HTTP status %u", details->http_status);
  if (details->box_code != NULL)
    g_string_append_printf (text, ", Box's code %s", details->box_code);
  if (details->request_id != NULL)
    g_string_append_printf (text, ", request id %s", details->request_id);
  return g_string_free (text, FALSE);
}

/* The line that uploads @recording, a data file, elsewhere if Box refuses it where it was to go. */
static void
append_way_out (GString *text, const char *recording, const GError *error)
{
  g_autofree char *spool = box_spool_format_option_for (recording);
  g_autofree char *name = box_recording_dup_name (recording);
  const char *option = NULL;

  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    option = "--if-exists rename";
  else if (g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND))
    option = "--folder ID";
  g_string_append_printf (text, ". What was recorded is kept in %s; \"boxupload resume%s",
                          recording, spool);
  if (option != NULL && g_str_has_suffix (recording, BOX_RECORDING_DATA_SUFFIX))
    g_string_append_printf (text, " --only %s %s", name, option);
  g_string_append (text, "\" uploads it");
}

/* Names the file, the failure, and the recording if one is in the spool. */
static char *
describe (const GError *error, const SinkContext *context)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (context->destination != NULL)
    g_string_append_printf (text, "%s: ", context->destination);
  g_string_append (text, error->message);
  if (context->spool != NULL)
    append_way_out (text, context->spool, error);
  return box_text_escape (text->str);
}

void
sink_post_error (GstElement *element, GstResourceError code, const GError *error,
                 const SinkContext *context)
{
  GstStructure *failed = details_new ("boxuploadsink-failed", error, context);

  g_autofree char *text = describe (error, context);

  gst_structure_set (failed, "message", G_TYPE_STRING, text, NULL);
  post_structure (element, failed);
  gst_element_message_full_with_details (
      element, context->is_warning ? GST_MESSAGE_WARNING : GST_MESSAGE_ERROR, GST_RESOURCE_ERROR,
      (gint) code, g_steal_pointer (&text), format_debug (error), __FILE__, GST_FUNCTION, __LINE__,
      details_new ("details", error, context));
}

void
sink_post_room (GstElement *element, const char *destination, const char *text, guint64 limit)
{
  char *sentence = g_strdup_printf ("%s: this may be too much for Box: %s. The recording goes on",
                                    destination, text);

  gst_element_message_full_with_details (
      element, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, sentence,
      NULL, __FILE__, GST_FUNCTION, __LINE__,
      gst_structure_new ("details", "limit", G_TYPE_UINT64, limit, NULL));
}

void
sink_post_unsettled (GstElement *element, const char *destination, const char *path,
                     const GError *reason)
{
  const SinkContext context = { .offset = G_MAXUINT64, .is_warning = TRUE };
  g_autofree char *spool = box_spool_format_option_for (path);
  g_autofree char *text = g_strdup_printf (
      "%s: the file is at Box, but not its metadata: %s%s%s%s", destination, reason->message,
      spool != NULL ? ". \"boxupload resume" : "", spool != NULL ? spool : "",
      spool != NULL ? "\" tries it again, with credentials that may" : "");

  gst_element_message_full_with_details (
      element, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, (gint) sink_resource_error (reason),
      box_text_escape (text), format_debug (reason), __FILE__, GST_FUNCTION, __LINE__,
      details_new ("details", reason, &context));
}

void
sink_post_goes_on (GstElement *element, const GError *error, const SinkContext *context)
{
  char *text = g_strdup_printf ("%s: %s. The recording goes on in %s and %s", context->destination,
                                error->message, context->spool,
                                context->is_for_others ? "stays there" : "is uploaded at its end");

  gst_element_message_full_with_details (element, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
                                         (gint) sink_resource_error (error), text,
                                         format_debug (error), __FILE__, GST_FUNCTION, __LINE__,
                                         details_new ("details", error, context));
}

void
sink_post_anew (GstElement *element, const GError *error, gboolean news, const SinkContext *context)
{
  char *text = g_strdup_printf ("%s: %s. The recording is uploaded from %s", context->destination,
                                error->message, context->spool);

  if (news)
    gst_element_message_full_with_details (element, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR,
                                           (gint) sink_resource_error (error), text,
                                           format_debug (error), __FILE__, GST_FUNCTION, __LINE__,
                                           details_new ("details", error, context));
  else
    post_info (element, sink_resource_error (error), text, details_new ("details", error, context));
}

void
sink_post_progress (GstElement *element, GstProgressType type, const char *code, const char *text)
{
  gst_element_post_message (element,
                            gst_message_new_progress (GST_OBJECT (element), type, code, text));
}

static guint64
to_clock_time (gint64 microseconds)
{
  return microseconds >= 0 ? (guint64) microseconds * GST_USECOND : GST_CLOCK_TIME_NONE;
}

void
sink_add_position (GstStructure *structure, const BoxPosition *position)
{
  gst_structure_set (structure, "bytes-safe", G_TYPE_UINT64, position->safe, "running-time-safe",
                     G_TYPE_UINT64, to_clock_time (position->safe_time), "backlog-bytes",
                     G_TYPE_UINT64, position->backlog, "oldest-unsafe-age", G_TYPE_UINT64,
                     to_clock_time (position->oldest_unsafe), "fill-rate", G_TYPE_UINT64,
                     position->fill_rate, "drain-rate", G_TYPE_UINT64, position->drain_rate,
                     "full-in", G_TYPE_UINT64, to_clock_time (position->full_in), NULL);
}

void
sink_post_position (GstElement *element, const BoxPosition *position)
{
  GstStructure *structure = gst_structure_new ("boxuploadsink-position", "bytes-received",
                                               G_TYPE_UINT64, position->bytes, NULL);

  sink_add_position (structure, position);
  post_structure (element, structure);
}

/* Bytes that Box has, and those of parts in flight that have left: whole parts would be large
 * steps. */
static guint64
bytes_gone (const BoxUploadStats *stats)
{
  return MIN (stats->bytes_uploaded + stats->bytes_under_way, stats->bytes_total);
}

static GstClockTime
time_left (const BoxUploadStats *stats)
{
  guint64 rest = stats->bytes_total - bytes_gone (stats);

  if (stats->rate == 0)
    return rest == 0 ? 0 : GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale (rest, GST_SECOND, stats->rate);
}

char *
sink_format_committed (const BoxFile *file)
{
  g_autofree char *name = box_text_escape (file->name != NULL ? file->name : "The file");
  g_autofree char *size = file->has_size ? g_format_size (file->size) : NULL;

  return g_strdup_printf ("%s is at Box (file ID %s%s%s)%s%s", name, file->id,
                          size != NULL ? ", " : "", size != NULL ? size : "",
                          file->link != NULL ? ": " : "", file->link != NULL ? file->link : "");
}

void
sink_post_commit_progress (GstElement *element, const BoxUploadStats *stats, const char *wait)
{
  guint percent = stats->bytes_total == 0
                      ? 0
                      : (guint) gst_util_uint64_scale (bytes_gone (stats), 100, stats->bytes_total);
  GstClockTime left = time_left (stats);
  g_autofree char *rate = g_format_size (stats->rate);
  GString *text = g_string_new (NULL);
  GstMessage *message;

  g_string_append_printf (text, "%u %% uploaded", percent);
  if (stats->rate > 0)
    g_string_append_printf (text, ", %s/s", rate);
  if (wait != NULL)
    g_string_append_printf (text, ", %s", wait);
  else if (left == 0)
    g_string_append (text, ", waiting for Box to commit");
  else if (GST_CLOCK_TIME_IS_VALID (left))
    g_string_append_printf (text, ", %" G_GUINT64_FORMAT " s left", left / GST_SECOND + 1);

  message = gst_message_new_progress (GST_OBJECT (element), GST_PROGRESS_TYPE_CONTINUE, "commit",
                                      text->str);
  gst_structure_set (gst_message_writable_structure (message), "percent", G_TYPE_INT,
                     (gint) percent, "rate", G_TYPE_UINT64, stats->rate, "time-left", G_TYPE_UINT64,
                     left, NULL);
  gst_element_post_message (element, message);
  g_string_free (text, TRUE);
}
