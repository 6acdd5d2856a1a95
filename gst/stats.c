/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats.h"

/* What carries the stream, and where it stands. */
typedef struct
{
  BoxUpload *upload; /* NULL: none, or a live request */
  BoxUploadStats stats;
  guint64 spooled;
  guint64 ahead;
} Carrier;

static void
look_at_carrier (GstBoxUploadSink *self, Carrier *carrier)
{
  *carrier = (Carrier){ 0 };
  g_mutex_lock (&self->lock);
  if (self->delivery != NULL)
    {
      carrier->upload = box_delivery_dup_upload (self->delivery);
      box_delivery_get_stats (self->delivery, &carrier->stats);
      carrier->spooled = box_delivery_get_spooled (self->delivery);
      carrier->ahead = box_delivery_get_ahead (self->delivery);
    }
  g_mutex_unlock (&self->lock);
}

static GstStructure *
make (const Carrier *carrier)
{
  BoxUploadStats stats = carrier->stats;
  guint64 spooled = carrier->spooled;
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (BoxFile) file = NULL;

  if (carrier->upload != NULL)
    {
      session = box_upload_get_session (carrier->upload);
      file = box_upload_get_file (carrier->upload);
    }
  stats.bytes_received = MAX (stats.bytes_received, spooled);
  return gst_structure_new (
      "application/x-boxuploadsink-stats", "bytes-received", G_TYPE_UINT64, stats.bytes_received,
      "bytes-uploaded", G_TYPE_UINT64, stats.bytes_uploaded, "bytes-total", G_TYPE_UINT64,
      stats.bytes_total, "parts-uploaded", G_TYPE_UINT, stats.parts_uploaded, "parts-total",
      G_TYPE_UINT, stats.parts_total, "parts-in-flight", G_TYPE_UINT, stats.parts_in_flight,
      "parts-waiting", G_TYPE_UINT, stats.parts_waiting, "parallel", G_TYPE_UINT, stats.parallel,
      "parts-adopted", G_TYPE_UINT, stats.parts_adopted, "retries", G_TYPE_UINT, stats.retries,
      "memory", G_TYPE_UINT64, stats.memory, "spooled", G_TYPE_UINT64, spooled, "bytes-ahead",
      G_TYPE_UINT64, carrier->ahead, "rate", G_TYPE_UINT64, stats.rate, "session-id", G_TYPE_STRING,
      session != NULL ? session->id : NULL, "file-id", G_TYPE_STRING,
      file != NULL ? file->id : NULL, NULL);
}

static GstStructure *
make_now (GstBoxUploadSink *self)
{
  GstStructure *stats;
  Carrier carrier;

  look_at_carrier (self, &carrier);
  stats = make (&carrier);
  g_clear_pointer (&carrier.upload, box_upload_unref);
  return stats;
}

GstStructure *
sink_stats_dup (GstBoxUploadSink *self)
{
  GstStructure *stats = NULL;

  g_mutex_lock (&self->lock);
  if (self->last_stats != NULL)
    stats = gst_structure_copy (self->last_stats);
  g_mutex_unlock (&self->lock);
  return stats != NULL ? stats : make_now (self);
}

void
sink_stats_keep (GstBoxUploadSink *self)
{
  GstStructure *stats = make_now (self);

  g_mutex_lock (&self->lock);
  if (self->last_stats == NULL)
    self->last_stats = g_steal_pointer (&stats);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&stats, gst_structure_free);
}
