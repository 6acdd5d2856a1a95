/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recorder.h"

#include "spool/data-file.h"

#include "messages.h"

/* Padding is hashed in pieces of this size (bytes). */
#define PADDING_PIECE 65536

struct _SinkRecorder
{
  BoxSpool *spool;
  BoxRecording *recording;
  BoxDigest *digest; /* of a stream that is uploaded while it is recorded, else NULL */
  guint64 padded;    /* bytes behind the stream that the digest has */
  GstClockTime time; /* at which the stream's bytes were last written out */
  gboolean ended;    /* the journal has the end of the stream */
  gboolean announced;
};

BoxSpool *
sink_recorder_open_spool (const SinkConfig *plan, GError **error)
{
  const char *dir = plan->values.spool_dir;

  return box_spool_open (dir != NULL && *dir != '\0' ? dir : NULL, plan->values.max_spool, error);
}

static BoxSizing
sizing_of (const SinkSize *size)
{
  switch (size->kind)
    {
    case SINK_SIZE_EXACT:
      return BOX_SIZING_EXACT;
    case SINK_SIZE_RESERVE:
      return BOX_SIZING_RESERVE;
    default:
      return BOX_SIZING_SPOOL;
    }
}

SinkRecorder *
sink_recorder_new (BoxSpool *spool, const SinkConfig *plan, const SinkSize *size,
                   BoxPaddingKind padding, GError **error)
{
  const SinkValues *values = &plan->values;
  BoxRecordingIntent intent = {
    .destination = plan->destination,
    .sizing = sizing_of (size),
    .size = size->bytes,
    .padding = padding,
    .if_exists = values->if_exists,
    .commit = values->commit,
    .description = values->description,
    .content_created_at = values->content_created_at,
    .content_modified_at = values->content_modified_at,
    .created = g_get_real_time () / G_USEC_PER_SEC,
  };
  BoxRecording *recording = box_spool_record (spool, &intent, error);
  SinkRecorder *self;

  if (recording == NULL)
    return NULL;
  self = g_new0 (SinkRecorder, 1);
  self->spool = box_spool_ref (spool);
  self->recording = recording;
  self->time = GST_CLOCK_TIME_NONE;
  if (size->kind != SINK_SIZE_UNKNOWN)
    self->digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  return self;
}

void
sink_recorder_announce (SinkRecorder *self, GstElement *element, const char *reason)
{
  guint64 size = box_recording_get_size (self->recording);
  g_autoptr (GError) error = NULL;

  if (self->announced || size == 0)
    return;
  if (!box_recording_flush (self->recording, &error))
    GST_ELEMENT_WARNING (element, RESOURCE, WRITE, ("%s", error->message), (NULL));
  self->announced = TRUE;
  sink_post_spooled (element, box_recording_get_path (self->recording), size, reason, !self->ended);
}

void
sink_recorder_free (SinkRecorder *self)
{
  /* Nothing is lost with an empty one; where it cannot be removed, "boxupload resume" does it. */
  if (box_recording_get_size (self->recording) == 0)
    box_recording_remove (self->recording, NULL);
  box_recording_unref (self->recording);
  box_spool_unref (self->spool);
  g_clear_pointer (&self->digest, box_digest_free);
  g_free (self);
}

BoxRecording *
sink_recorder_get_recording (SinkRecorder *self)
{
  return self->recording;
}

gboolean
sink_recorder_write (SinkRecorder *self, guint64 offset, const guint8 *data, gsize length,
                     GError **error)
{
  guint64 size = box_recording_get_size (self->recording);
  guint64 growth = offset + length > size ? offset + length - size : 0;

  if (growth > 0 && !box_spool_admit (self->spool, growth, error))
    return FALSE;
  if (!box_recording_write (self->recording, offset, data, length, error))
    return FALSE;
  if (self->digest != NULL)
    box_digest_update (self->digest, data, length);
  return TRUE;
}

gboolean
sink_recorder_reach (SinkRecorder *self, GstClockTime time, GError **error)
{
  GstClockTime before = self->time;

  if (!GST_CLOCK_TIME_IS_VALID (time))
    return TRUE;
  if (GST_CLOCK_TIME_IS_VALID (before) && time >= before
      && time - before < BOX_RUN_AGE * GST_USECOND)
    return TRUE;
  self->time = time;
  return box_recording_flush (self->recording, error);
}

gboolean
sink_recorder_restart (SinkRecorder *self, GError **error)
{
  BoxSha1 ignored;

  if (self->digest != NULL)
    box_digest_finish (self->digest, &ignored);
  return box_recording_truncate (self->recording, 0, error);
}

gboolean
sink_recorder_pad (SinkRecorder *self, BoxPaddingKind padding, guint64 gap)
{
  guint8 piece[PADDING_PIECE];
  gsize length = (gsize) MIN (gap - self->padded, PADDING_PIECE);

  if (length > 0)
    {
      box_padding_read (padding, box_recording_get_size (self->recording), gap, self->padded, piece,
                        length);
      box_digest_update (self->digest, piece, length);
    }
  self->padded += length;
  return self->padded < gap;
}

gboolean
sink_recorder_end (SinkRecorder *self, guint64 total, BoxPaddingKind padding, BoxSha1 *sha1,
                   GError **error)
{
  BoxRecordingEnd end = {
    .size = box_recording_get_size (self->recording),
    .total = total,
    .padding = padding,
    .has_sha1 = sha1 != NULL,
  };

  if (sha1 != NULL)
    {
      box_digest_finish (self->digest, sha1);
      end.sha1 = *sha1;
    }
  self->ended = box_recording_set_end (self->recording, &end, error);
  return self->ended;
}
