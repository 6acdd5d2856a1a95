/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-boxuploadsink
 * @title: boxuploadsink
 *
 * Streams a recording into a Box upload session while it is made. The file is there, complete and
 * verified by size and SHA-1, when EOS reaches the application; a failure is an ERROR on the bus
 * and leaves no file.
 *
 * If the size of the stream is known, its parts leave while it runs: by
 * #GstBoxUploadSink:total-size, by the session (made by `boxupload create`), or because the stream
 * comes unchanged from a source that knows it, like filesrc. A stream that is shorter than the
 * session's noted size is filled with padding that players ignore. If the size is not known,
 * #GstBoxUploadSink:unknown-size decides; by default the stream is recorded to a spool on disk and
 * uploaded at EOS.
 *
 * SEEKING is answered with yes if the whole stream is spooled before it is uploaded, so that
 * muxers may rewrite their headers, and with no otherwise: mp4mux, matroskamux and flvmux then
 * write append-only files that are valid.
 *
 * ## Example launch lines
 *
 * In a shell of `box-emulator --run` they work as they stand, without an account. `videotestsrc`
 * stands for a camera; without `num-buffers`, Ctrl-C ends a recording.
 * |[
 * gst-launch-1.0 filesrc location=short.mp4 ! boxuploadsink location=box://0/clip.mp4 \
 *   token-file=token
 * ]| Uploads a file to the root folder.
 * |[
 * gst-launch-1.0 -e videotestsrc num-buffers=60 ! x264enc ! h264parse ! matroskamux ! \
 *   boxuploadsink location=box://0/lecture.mkv
 * ]| Records to the spool, and uploads at the end.
 * |[
 * gst-launch-1.0 -e videotestsrc is-live=true num-buffers=60 ! \
 *   x264enc tune=zerolatency key-int-max=30 ! h264parse ! queue ! \
 *   splitmuxsink async-finalize=true muxer-factory=matroskamux max-size-time=600000000000 \
 *     location=box://0/camera-%05d.mkv sink-factory=boxuploadsink \
 *     sink-properties="properties,errors-fatal=false"
 * ]| Records forever, in pieces of ten minutes.
 * |[
 * gst-launch-1.0 -e videotestsrc num-buffers=60 ! x264enc ! h264parse ! mpegtsmux ! \
 *   boxuploadsink session=$(boxupload create --size 20MB --folder 0 --name event.ts)
 * ]| Records into a session that is made for it; what the recording leaves free is padded.
 *
 * ## Element messages
 * * `boxuploadsink-session`: the session has been opened (Since: 0.1)
 * * `boxuploadsink-part`: Box has a part (Since: 0.1)
 * * `boxuploadsink-retry`: a request failed and will be retried (Since: 0.1)
 * * `boxuploadsink-position`: how much of the stream is safe at Box (Since: 0.1)
 * * `boxuploadsink-reserve`: 90 % of a reserve is used (Since: 0.1)
 * * `boxuploadsink-complete`: the file is committed (Since: 0.1)
 * * `boxuploadsink-filled`: with commit=false, Box has all parts (Since: 0.1)
 * * `boxuploadsink-spooled`: the recording has ended and is in the spool (Since: 0.1)
 * * `boxuploadsink-failed`: the upload failed (Since: 0.1)
 *
 * Since: 0.1
 */
#include "gstboxuploadsink.h"

GST_DEBUG_CATEGORY (gst_box_upload_sink_debug);
#define GST_CAT_DEFAULT gst_box_upload_sink_debug

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE_WITH_CODE (GstBoxUploadSink, gst_box_upload_sink, GST_TYPE_BASE_SINK,
                               G_IMPLEMENT_INTERFACE (GST_TYPE_URI_HANDLER, sink_uri_handler_init))
GST_ELEMENT_REGISTER_DEFINE_WITH_CODE (
    boxuploadsink, "boxuploadsink", GST_RANK_NONE, GST_TYPE_BOX_UPLOAD_SINK,
    GST_DEBUG_CATEGORY_INIT (gst_box_upload_sink_debug, "boxuploadsink", 0, "Box upload sink"))

/* --- Settings that change meanwhile --------------------------------------------------------- */

static void
apply_access_token (GstBoxUploadSink *self)
{
  g_autoptr (BoxClient) client = NULL;
  char *token;
  gboolean changed;

  g_mutex_lock (&self->lock);
  client = self->client != NULL ? box_client_ref (self->client) : NULL;
  g_mutex_unlock (&self->lock);
  if (client == NULL)
    return;

  token = sink_properties_dup_access_token (&self->properties);
  do
    {
      char *now;

      box_credentials_set_access_token (box_client_get_credentials (client), token);
      now = sink_properties_dup_access_token (&self->properties);
      changed = g_strcmp0 (token, now) != 0;
      box_credentials_free_token (token);
      token = now;
    }
  while (changed);
  box_credentials_free_token (token);
}

/* The configuration's may have been replaced before there was a client that could be told. */
static void
catch_up_with_access_token (GstBoxUploadSink *self)
{
  char *token = sink_properties_dup_access_token (&self->properties);

  if (g_strcmp0 (token, self->config->values.access_token) != 0)
    apply_access_token (self);
  box_credentials_free_token (token);
}

/* --- Data ----------------------------------------------------------------------------------- */

static GstFlowReturn
gst_box_upload_sink_preroll (GstBaseSink *sink, GstBuffer *buffer)
{
  sink_wait_arrive (GST_BOX_UPLOAD_SINK (sink));
  return sink_stream_ensure_begun (GST_BOX_UPLOAD_SINK (sink));
}

static GstFlowReturn
gst_box_upload_sink_render (GstBaseSink *sink, GstBuffer *buffer)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (sink);
  GstFlowReturn flow;

  sink_wait_arrive (self);
  flow = sink_stream_ensure_begun (self);
  return flow == GST_FLOW_OK ? sink_stream_write (self, buffer) : flow;
}

static GstFlowReturn
gst_box_upload_sink_render_list (GstBaseSink *sink, GstBufferList *list)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (sink);
  GstFlowReturn flow;
  guint n = gst_buffer_list_length (list);

  sink_wait_arrive (self);
  flow = sink_stream_ensure_begun (self);
  for (guint i = 0; flow == GST_FLOW_OK && i < n; i++)
    flow = sink_stream_write (self, gst_buffer_list_get (list, i));
  return flow;
}

/* EOS reaches the application when the file is committed: the parent posts it when this has
 * returned OK. */
static GstFlowReturn
gst_box_upload_sink_wait_event (GstBaseSink *sink, GstEvent *event)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (sink);
  GstFlowReturn flow =
      GST_BASE_SINK_CLASS (gst_box_upload_sink_parent_class)->wait_event (sink, event);

  if (flow != GST_FLOW_OK || GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return flow;
  sink_wait_arrive (self);
  flow = sink_stream_finish (self, "eos");
  /* In PAUSED, EOS would be posted now and again with PLAYING. */
  return flow == GST_FLOW_OK ? sink_wait_until_playing (self) : flow;
}

/* --- Events and queries --------------------------------------------------------------------- */

static void
handle_caps (GstBoxUploadSink *self, GstEvent *event)
{
  GstCaps *caps;

  gst_event_parse_caps (event, &caps);
  g_free (self->media_type);
  self->media_type = gst_caps_is_fixed (caps)
                         ? g_strdup (gst_structure_get_name (gst_caps_get_structure (caps, 0)))
                         : NULL;
}

/* The end of a segment seek: no EOS follows, and a file has all of its bytes now. Like EOS it waits
 * for the first PLAYING. The base class holds the preroll lock. */
static gboolean
handle_segment_done (GstBoxUploadSink *self, GstEvent *event)
{
  GstFlowReturn flow =
      gst_base_sink_do_preroll (GST_BASE_SINK (self), GST_MINI_OBJECT_CAST (event));

  if (flow != GST_FLOW_OK)
    return FALSE;
  sink_wait_arrive (self);
  return sink_stream_finish (self, "segment-done") == GST_FLOW_OK;
}

static gboolean
gst_box_upload_sink_event (GstBaseSink *sink, GstEvent *event)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (sink);
  gboolean handled = TRUE;

  if (GST_EVENT_IS_SERIALIZED (event))
    sink_wait_arrive (self);
  switch (GST_EVENT_TYPE (event))
    {
    case GST_EVENT_SEGMENT:
      handled = sink_stream_segment (self, event);
      break;
    case GST_EVENT_SEGMENT_DONE:
      handled = handle_segment_done (self, event);
      break;
    case GST_EVENT_FLUSH_STOP:
      sink_stream_flush (self);
      break;
    case GST_EVENT_CAPS:
      handle_caps (self, event);
      break;
    default:
      break;
    }
  return GST_BASE_SINK_CLASS (gst_box_upload_sink_parent_class)->event (sink, event) && handled;
}

static gboolean
answer_position (GstBoxUploadSink *self, GstQuery *query)
{
  GstFormat format;
  guint64 position;

  gst_query_parse_position (query, &format, NULL);
  if (format != GST_FORMAT_BYTES && format != GST_FORMAT_DEFAULT)
    return FALSE;
  g_mutex_lock (&self->lock);
  position = self->stream.position;
  g_mutex_unlock (&self->lock);
  gst_query_set_position (query, format, (gint64) position);
  return TRUE;
}

/* A stream that is spooled before it is uploaded can be rewritten like a file. */
static void
answer_seeking (GstBoxUploadSink *self, GstQuery *query)
{
  gboolean seekable;
  GstFormat format;

  g_mutex_lock (&self->lock);
  seekable = self->stream.seekable;
  g_mutex_unlock (&self->lock);
  gst_query_parse_seeking (query, &format, NULL, NULL, NULL);
  gst_query_set_seeking (query, format,
                         seekable && (format == GST_FORMAT_BYTES || format == GST_FORMAT_DEFAULT),
                         0, -1);
}

static gboolean
answer_uri (GstBoxUploadSink *self, GstQuery *query)
{
  g_autofree char *uri = sink_uri_from_properties (&self->properties);

  if (uri != NULL)
    gst_query_set_uri (query, uri);
  return uri != NULL;
}

static gboolean
gst_box_upload_sink_query (GstBaseSink *sink, GstQuery *query)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (sink);

  switch (GST_QUERY_TYPE (query))
    {
    case GST_QUERY_POSITION:
      if (answer_position (self, query))
        return TRUE;
      break;
    case GST_QUERY_FORMATS:
      gst_query_set_formats (query, 2, GST_FORMAT_DEFAULT, GST_FORMAT_BYTES);
      return TRUE;
    case GST_QUERY_SEEKING:
      answer_seeking (self, query);
      return TRUE;
    case GST_QUERY_URI:
      return answer_uri (self, query);
    default:
      break;
    }
  return GST_BASE_SINK_CLASS (gst_box_upload_sink_parent_class)->query (sink, query);
}

/* The base class asks upstream for the position; but upstream is ahead of us. */
static gboolean
gst_box_upload_sink_element_query (GstElement *element, GstQuery *query)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (element);

  if (GST_QUERY_TYPE (query) == GST_QUERY_POSITION && answer_position (self, query))
    return TRUE;
  if (GST_QUERY_TYPE (query) == GST_QUERY_URI)
    return answer_uri (self, query);
  return GST_ELEMENT_CLASS (gst_box_upload_sink_parent_class)->query (element, query);
}

/* --- States --------------------------------------------------------------------------------- */

static gboolean
gst_box_upload_sink_unlock (GstBaseSink *sink)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (sink);

  g_mutex_lock (&self->lock);
  self->eos.posted = FALSE;
  g_mutex_unlock (&self->lock);
  sink_wait_unlock (self);
  return TRUE;
}

static gboolean
gst_box_upload_sink_unlock_stop (GstBaseSink *sink)
{
  sink_wait_unlock_stop (GST_BOX_UPLOAD_SINK (sink));
  return TRUE;
}

static SinkConfig *
make_config (GstBoxUploadSink *self)
{
  g_autoptr (GError) error = NULL;
  SinkContext context = { .offset = G_MAXUINT64 };
  SinkConfig *config = sink_config_new (&self->properties, &error);

  if (config == NULL)
    sink_post_error (GST_ELEMENT (self), sink_resource_error (error), error, &context);
  return config;
}

/* They may still be changed in READY. Not in the base class's start(): it adds an error of its own
 * to ours. */
static gboolean
check_settings (GstBoxUploadSink *self)
{
  g_autoptr (SinkConfig) config = make_config (self);

  return config != NULL;
}

static void
close_upload (GstBoxUploadSink *self)
{
  sink_stream_end (self);
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->client, box_client_unref);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&self->spool, box_spool_unref);
  g_clear_pointer (&self->config, sink_config_free);
  g_clear_pointer (&self->media_type, g_free);
  g_clear_pointer (&self->stream.begun_at, g_free);
  sink_properties_set_in_use (&self->properties, FALSE);
}

/* An unusable spool is reported before anything is recorded. */
static gboolean
open_spool (GstBoxUploadSink *self)
{
  g_autoptr (GError) error = NULL;
  SinkContext context = { .offset = G_MAXUINT64 };

  if (!sink_config_wants_spool (self->config))
    return TRUE;
  self->spool = sink_config_open_spool (self->config, &error);
  if (self->spool == NULL)
    sink_post_error (GST_ELEMENT (self), sink_resource_error (error), error, &context);
  return self->spool != NULL;
}

/* Where the size is known already the upload begins now, in the background; but a recording begins
 * with the first buffer, when the caps are known. */
static gboolean
open_upload (GstBoxUploadSink *self)
{
  sink_properties_set_in_use (&self->properties, TRUE);
  self->config = make_config (self);
  if (self->config == NULL || !open_spool (self))
    {
      g_clear_pointer (&self->config, sink_config_free);
      sink_properties_set_in_use (&self->properties, FALSE);
      return FALSE;
    }

  g_mutex_lock (&self->lock);
  self->client = box_client_ref (self->config->client);
  self->eos.posted = FALSE;
  g_mutex_unlock (&self->lock);
  catch_up_with_access_token (self);
  sink_answer_token_requests (GST_ELEMENT (self), self->client);

  sink_stream_begin (self);
  if (self->stream.size.kind != SINK_SIZE_UNKNOWN && self->spool == NULL
      && sink_stream_ensure_begun (self) != GST_FLOW_OK)
    {
      close_upload (self);
      return FALSE;
    }
  return TRUE;
}

/* A pause leaves nothing unwritten in memory. */
static void
write_out (GstBoxUploadSink *self)
{
  g_mutex_lock (&self->lock);
  if (self->stream.delivery != NULL)
    box_delivery_flush_soon (self->stream.delivery);
  g_mutex_unlock (&self->lock);
}

static GstStateChangeReturn
gst_box_upload_sink_change_state (GstElement *element, GstStateChange transition)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (element);
  GstStateChangeReturn result;

  if (transition == GST_STATE_CHANGE_NULL_TO_READY && !check_settings (self))
    return GST_STATE_CHANGE_FAILURE;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !open_upload (self))
    return GST_STATE_CHANGE_FAILURE;

  sink_wait_before_transition (self, transition);
  result = GST_ELEMENT_CLASS (gst_box_upload_sink_parent_class)->change_state (element, transition);
  sink_wait_after_transition (self, transition);
  if (transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    write_out (self);

  /* An element whose way to PAUSED fails in the streaming thread may go back without PAUSED to
   * READY. */
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY || transition == GST_STATE_CHANGE_READY_TO_NULL
      || (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result == GST_STATE_CHANGE_FAILURE))
    close_upload (self);
  return result;
}

/* A repeated EOS. GstBaseSink posts one whenever PLAYING finds the end, which is right after a
 * pause. But with async=false the streaming thread gets to PLAYING and the end by itself, and may
 * do so before the state change does. */
static gboolean
is_repeated_eos (GstBoxUploadSink *self, GstMessage *message)
{
  guint32 seqnum = gst_message_get_seqnum (message);
  gboolean repeated;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS)
    return FALSE;
  g_mutex_lock (&self->lock);
  repeated = self->eos.posted && self->eos.seqnum == seqnum;
  self->eos.posted = TRUE;
  self->eos.seqnum = seqnum;
  g_mutex_unlock (&self->lock);
  return repeated;
}

static gboolean
gst_box_upload_sink_post_message (GstElement *element, GstMessage *message)
{
  if (is_repeated_eos (GST_BOX_UPLOAD_SINK (element), message))
    {
      gst_message_unref (message);
      return TRUE;
    }
  return GST_ELEMENT_CLASS (gst_box_upload_sink_parent_class)->post_message (element, message);
}

/* --- Object --------------------------------------------------------------------------------- */

static void
gst_box_upload_sink_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (object);

  switch (sink_properties_set (&self->properties, object, id, value, pspec))
    {
    case SINK_CHANGED_ACCESS_TOKEN:
      apply_access_token (self);
      break;
    case SINK_CHANGED_UPLOAD_RATE:
      sink_stream_apply_rate (self);
      break;
    case SINK_CHANGED_NOTHING:
      break;
    }
}

static void
gst_box_upload_sink_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (object);

  if (id == SINK_PROP_UPLOAD_STATS)
    g_value_take_boxed (value, sink_stats_dup (self));
  else
    sink_properties_get (&self->properties, object, id, value, pspec);
}

static void
gst_box_upload_sink_finalize (GObject *object)
{
  GstBoxUploadSink *self = GST_BOX_UPLOAD_SINK (object);

  g_clear_pointer (&self->stream.last_stats, gst_structure_free);
  sink_properties_clear (&self->properties);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (gst_box_upload_sink_parent_class)->finalize (object);
}

static void
gst_box_upload_sink_init (GstBoxUploadSink *self)
{
  GstBaseSink *sink = GST_BASE_SINK (self);

  g_mutex_init (&self->lock);
  sink_properties_init (&self->properties);

  gst_base_sink_set_sync (sink, FALSE);
  /* The last sample would keep a buffer of upstream's pool. */
  gst_base_sink_set_last_sample_enabled (sink, FALSE);
  /* A file has every buffer of its stream, whatever the segment says of times. */
  gst_base_sink_set_drop_out_of_segment (sink, FALSE);
}

static void
gst_box_upload_sink_class_init (GstBoxUploadSinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseSinkClass *sink_class = GST_BASE_SINK_CLASS (klass);

  object_class->set_property = gst_box_upload_sink_set_property;
  object_class->get_property = gst_box_upload_sink_get_property;
  object_class->finalize = gst_box_upload_sink_finalize;
  sink_properties_install (object_class);
  sink_install_request_token (object_class);

  gst_element_class_set_static_metadata (
      element_class, "Box upload sink", "Sink/Network",
      "Streams a recording into a Box upload session while it is made", "boxuploadsink's authors");
  gst_element_class_add_static_pad_template (element_class, &sink_template);
  element_class->query = GST_DEBUG_FUNCPTR (gst_box_upload_sink_element_query);
  element_class->post_message = GST_DEBUG_FUNCPTR (gst_box_upload_sink_post_message);
  element_class->change_state = GST_DEBUG_FUNCPTR (gst_box_upload_sink_change_state);

  sink_class->preroll = GST_DEBUG_FUNCPTR (gst_box_upload_sink_preroll);
  sink_class->render = GST_DEBUG_FUNCPTR (gst_box_upload_sink_render);
  sink_class->render_list = GST_DEBUG_FUNCPTR (gst_box_upload_sink_render_list);
  sink_class->event = GST_DEBUG_FUNCPTR (gst_box_upload_sink_event);
  sink_class->wait_event = GST_DEBUG_FUNCPTR (gst_box_upload_sink_wait_event);
  sink_class->query = GST_DEBUG_FUNCPTR (gst_box_upload_sink_query);
  sink_class->unlock = GST_DEBUG_FUNCPTR (gst_box_upload_sink_unlock);
  sink_class->unlock_stop = GST_DEBUG_FUNCPTR (gst_box_upload_sink_unlock_stop);
}

/*
 * The plugin "boxupload".
 */

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (boxuploadsink, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, boxupload,
                   "Streams recordings into Box upload sessions", plugin_init, BOX_VERSION, "LGPL",
                   PACKAGE, "https://www.box.com/")
