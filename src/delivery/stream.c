/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a stream: into memory or into the spool, and how they end. */
#include "delivery/state.h"
#include "spool/data-file.h"

/* --- Beginning ------------------------------------------------------------------------------ */

static gboolean
open_recording (BoxDelivery *delivery, GError **error)
{
  const BoxDeliverySettings *settings = &delivery->settings;
  const BoxUploadSettings *upload = &settings->upload;
  BoxRecordingIntent intent = {
    .destination = (BoxDestination *) upload->destination,
    .sizing = settings->sizing,
    .size = upload->size,
    .padding = settings->padding,
    .if_exists = upload->if_exists,
    .commit = upload->commit,
    .description = (char *) upload->attributes.description,
    .content_created_at = (char *) upload->attributes.content_created_at,
    .content_modified_at = (char *) upload->attributes.content_modified_at,
    .metadata = upload->metadata,
    .created = g_get_real_time () / G_USEC_PER_SEC,
  };

  delivery->recording = box_spool_record (delivery->spool, &intent, error);
  return delivery->recording != NULL;
}

static gboolean
open_attempt (BoxDelivery *delivery, GError **error)
{
  delivery->attempt = box_attempt_new (delivery->recording, &delivery->settings.upload,
                                       &box_delivery_upload_events, delivery, error);
  if (delivery->attempt == NULL)
    return FALSE;
  delivery->upload = box_upload_ref (box_attempt_get_upload (delivery->attempt));
  return TRUE;
}

static gboolean
open_live (BoxDelivery *delivery, GError **error)
{
  delivery->live = box_live_new (delivery->recording, &delivery->settings.upload,
                                 &box_delivery_live_events, delivery, error);
  return delivery->live != NULL;
}

gboolean
box_delivery_open_memory (BoxDelivery *delivery, const BoxUploadSettings *settings, GError **error)
{
  delivery->facts.carrier = BOX_CARRIER_RUNNING;
  delivery->upload = box_upload_new (settings, &box_delivery_upload_events,
                                     box_delivery_ref (delivery), box_delivery_unref, error);
  if (delivery->upload == NULL)
    box_delivery_unref (delivery);
  return delivery->upload != NULL;
}

gboolean
box_delivery_open_stream (BoxDelivery *delivery, GError **error)
{
  gboolean sized = delivery->settings.sizing != BOX_SIZING_SPOOL;

  delivery->time = -1;

  if (delivery->spool == NULL)
    return box_delivery_open_memory (delivery, &delivery->settings.upload, error);
  delivery->facts.carrier =
      sized || delivery->settings.live ? BOX_CARRIER_RUNNING : BOX_CARRIER_NONE;
  if (!open_recording (delivery, error))
    return FALSE;
  if (sized && !delivery->settings.live)
    return open_attempt (delivery, error);
  if (!delivery->settings.live)
    box_delivery_open_ahead (delivery);
  else if (!open_live (delivery, error))
    return FALSE;
  /* No upload has the bytes in order. */
  delivery->digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  return TRUE;
}

void
box_delivery_start_live (BoxDelivery *delivery)
{
  g_autoptr (GError) error = NULL;

  if (!box_live_start (delivery->live, &error))
    box_delivery_live_events.failed (error, FALSE, delivery);
}

/* --- Data ----------------------------------------------------------------------------------- */

/* A stream that goes back writes bytes again that have left already; one that leaves a hole may
 * fill it later. */
static void
break_live (BoxDelivery *delivery, guint64 offset)
{
  box_live_break (delivery->live,
                  g_error_new (BOX_ERROR, BOX_ERROR_TRANSIENT,
                               "the stream went %s to byte %" G_GUINT64_FORMAT " after byte "
                               "%" G_GUINT64_FORMAT,
                               offset < delivery->position ? "back" : "on", offset,
                               delivery->position));
  g_clear_pointer (&delivery->digest, box_digest_free);
}

/* Like a file: bytes can be written anywhere in what is there, or behind it. */
static gboolean
record (BoxDelivery *delivery, guint64 offset, const guint8 *data, gsize length, GError **error)
{
  guint64 size = box_recording_get_size (delivery->recording);
  guint64 growth;

  if (offset > size && !box_spool_admit_hole (delivery->spool, size, offset, error))
    return FALSE;
  growth = offset + length > size ? offset + length - size : 0;
  if (delivery->live != NULL && delivery->digest != NULL && offset != delivery->position)
    break_live (delivery, offset);
  if (growth > 0 && !box_spool_admit (delivery->spool, growth, error))
    return FALSE;
  if (delivery->ahead != NULL)
    box_ahead_touch (delivery->ahead, offset, length);
  if (delivery->live == NULL && offset != size)
    g_clear_pointer (&delivery->digest, box_digest_free);
  if (!box_recording_write (delivery->recording, offset, data, length, error))
    return FALSE;
  if (delivery->ahead != NULL)
    box_ahead_reach (delivery->ahead, offset + length, delivery->time);
  return TRUE;
}

/* Gives what was recorded to what carries it meanwhile, which never makes it wait. */
static void
send (BoxDelivery *delivery, const guint8 *data, gsize length)
{
  guint64 declared = delivery->settings.upload.size;

  if (delivery->digest != NULL)
    {
      box_digest_update (delivery->digest, data, length);
      if (delivery->live != NULL)
        box_live_advance (delivery->live, delivery->position);
    }
  if (delivery->attempt == NULL)
    return;
  if (delivery->position <= declared)
    box_upload_write (delivery->upload, data, length);
  else if (!delivery->overrun) /* once */
    {
      g_info ("The stream is longer than the %" G_GUINT64_FORMAT
              " bytes declared: it is recorded, and uploaded at its end",
              declared);
      delivery->overrun = TRUE;
      box_delivery_abandon (delivery);
    }
}

static gboolean
is_over (BoxDelivery *delivery)
{
  gboolean over;

  g_mutex_lock (&delivery->lock);
  over = delivery->ending;
  g_mutex_unlock (&delivery->lock);
  return over;
}

gsize
box_delivery_write (BoxDelivery *delivery, guint64 offset, const guint8 *data, gsize length)
{
  GError *error = NULL;

  box_delivery_mark (delivery, offset);
  if (!delivery->facts.spooled)
    {
      length = box_upload_write (delivery->upload, data, length);
      delivery->position += length;
      if (length > 0)
        box_delivery_wake_ticker (delivery);
      return length;
    }
  if (is_over (delivery))
    {
      if (delivery->recording != NULL)
        box_delivery_tell_kept (delivery, "error");
      return 0;
    }
  if (!record (delivery, offset, data, length, &error))
    {
      box_delivery_fail (delivery, error);
      return 0;
    }
  delivery->position = offset + length;
  send (delivery, data, length);
  box_delivery_check_room (delivery);
  box_delivery_wake_ticker (delivery);
  return length;
}

gboolean
box_delivery_reach (BoxDelivery *delivery, gint64 time)
{
  gint64 before = delivery->time;
  GError *error = NULL;

  if (delivery->recording == NULL || time < 0
      || (before >= 0 && time >= before && time - before < BOX_RUN_AGE) || is_over (delivery))
    return TRUE;
  delivery->time = time;
  if (box_recording_flush (delivery->recording, &error))
    return TRUE;
  box_delivery_fail (delivery, error);
  return FALSE;
}

/* --- The end in memory ---------------------------------------------------------------------- */

static void
close_memory (BoxDelivery *delivery)
{
  if (delivery->no_padding != NULL)
    box_delivery_fail (delivery, g_steal_pointer (&delivery->no_padding));
  else
    box_upload_finish_padded (delivery->upload, delivery->padding);
}

/* --- The end in the spool ------------------------------------------------------------------- */

/* An exact size distinguishes a truncated stream from a whole one. */
static gboolean
check_exact (BoxDelivery *delivery, GError **error)
{
  guint64 declared = delivery->settings.upload.size;

  if (delivery->settings.sizing != BOX_SIZING_EXACT || delivery->position == declared)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "The stream ended after %" G_GUINT64_FORMAT " bytes, but %" G_GUINT64_FORMAT
               " were declared for it; nothing was committed",
               delivery->position, declared);
  return FALSE;
}

/* The padding for the rest of a reserve. If nothing can fill it, or its upload has failed, another
 * upload of the right size follows; but not for a session that was given. */
static void
decide_padding (BoxDelivery *delivery)
{
  gboolean given = delivery->terms.given_session, running;

  g_mutex_lock (&delivery->lock);
  running = delivery->facts.carrier == BOX_CARRIER_RUNNING;
  g_mutex_unlock (&delivery->lock);
  if (delivery->settings.sizing == BOX_SIZING_RESERVE && !given
      && (!running || delivery->no_padding != NULL))
    {
      box_delivery_abandon (delivery);
      delivery->gap = 0;
    }
  if (!given)
    g_clear_error (&delivery->no_padding);
  if (delivery->gap == 0)
    delivery->padding = BOX_PADDING_NONE;
  if (delivery->padding == BOX_PADDING_NONE)
    delivery->gap = 0;
}

/* The file's digest, if the upload beside the recording can still succeed, or if the recording has
 * no upload and its bytes came in order. It shows what the disk loses until the file is uploaded.
 */
static gboolean
take_digest (BoxDelivery *delivery, BoxSha1 *sha1)
{
  gboolean wants;

  g_mutex_lock (&delivery->lock);
  wants = delivery->no_padding == NULL
          && (delivery->facts.carrier == BOX_CARRIER_RUNNING
              || (delivery->live == NULL && delivery->attempt == NULL));
  g_mutex_unlock (&delivery->lock);
  if (wants && delivery->attempt != NULL)
    return box_upload_digest (delivery->upload, delivery->padding, sha1, NULL);
  if (!wants || delivery->digest == NULL)
    return FALSE;
  box_digest_finish (delivery->digest, sha1);
  return TRUE;
}

static void
close_recording (BoxDelivery *delivery)
{
  guint64 size = box_recording_get_size (delivery->recording);
  BoxRecordingEnd end = { .size = size };
  GError *error = NULL;

  if (delivery->ahead != NULL)
    box_ahead_finish (delivery->ahead);
  if (!check_exact (delivery, &error))
    {
      box_delivery_tell_kept (delivery, "size");
      box_delivery_fail (delivery, error);
      return;
    }
  decide_padding (delivery);
  end.has_sha1 = take_digest (delivery, &end.sha1);
  if (box_delivery_is_closed (delivery))
    return;
  end.total = size + delivery->gap;
  end.padding = delivery->padding;
  if (!box_delivery_restore (delivery, &error)
      || !box_recording_set_end (delivery->recording, &end, &error))
    {
      box_delivery_fail (delivery, error);
      return;
    }
  box_delivery_tell_kept (delivery, delivery->reason);
  if (delivery->no_padding != NULL)
    box_delivery_fail (delivery, g_steal_pointer (&delivery->no_padding));
  else if (end.has_sha1 && delivery->live != NULL)
    box_live_finish (delivery->live, end.total, &end.sha1);
  else if (end.has_sha1 && delivery->attempt != NULL)
    box_upload_finish_padded (delivery->upload, delivery->padding);
}

void
box_delivery_close_stream (BoxDelivery *delivery)
{
  /* A failure of the file fails its upload. */
  if (delivery->fd >= 0)
    box_feed_fd (delivery->upload, delivery->fd, delivery->settings.upload.size, NULL);
  else if (delivery->recording != NULL)
    close_recording (delivery);
  else
    close_memory (delivery);
  g_mutex_lock (&delivery->lock);
  delivery->facts.closed = TRUE;
  g_mutex_unlock (&delivery->lock);
}
