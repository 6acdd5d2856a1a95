/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stats.h"

/* The upload of the stream and its bytes in the spool; NULL and 0 without a spool. */
static BoxUpload *
dup_upload (GstBoxUploadSink *self, guint64 *spooled)
{
  BoxUpload *upload = NULL;

  *spooled = 0;
  g_mutex_lock (&self->lock);
  if (self->delivery != NULL)
    {
      upload = box_delivery_dup_upload (self->delivery);
      *spooled = box_delivery_get_spooled (self->delivery);
    }
  g_mutex_unlock (&self->lock);
  return upload;
}

static SinkReporter *
dup_reporter (GstBoxUploadSink *self)
{
  SinkReporter *reporter = NULL;

  g_mutex_lock (&self->lock);
  if (self->reporter != NULL)
    reporter = sink_reporter_ref (self->reporter);
  g_mutex_unlock (&self->lock);
  return reporter;
}

/* How @upload stands (NULL: all zero), with @spooled bytes in the spool. */
static GstStructure *
make (BoxUpload *upload, SinkReporter *reporter, guint64 spooled)
{
  BoxUploadStats stats = { 0 };
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (BoxFile) file = NULL;

  if (upload != NULL)
    {
      box_upload_get_stats (upload, &stats);
      session = box_upload_get_session (upload);
      file = box_upload_get_file (upload);
    }
  stats.bytes_received = MAX (stats.bytes_received, spooled);
  return gst_structure_new (
      "application/x-boxuploadsink-stats", "bytes-received", G_TYPE_UINT64, stats.bytes_received,
      "bytes-uploaded", G_TYPE_UINT64, stats.bytes_uploaded, "bytes-total", G_TYPE_UINT64,
      stats.bytes_total, "parts-uploaded", G_TYPE_UINT, stats.parts_uploaded, "parts-total",
      G_TYPE_UINT, stats.parts_total, "parts-in-flight", G_TYPE_UINT, stats.parts_in_flight,
      "parts-adopted", G_TYPE_UINT, reporter != NULL ? sink_reporter_get_adopted (reporter) : 0,
      "retries", G_TYPE_UINT, stats.retries, "memory", G_TYPE_UINT64, stats.memory, "spooled",
      G_TYPE_UINT64, spooled, "rate", G_TYPE_UINT64, stats.rate, "session-id", G_TYPE_STRING,
      session != NULL ? session->id : NULL, "file-id", G_TYPE_STRING,
      file != NULL ? file->id : NULL, NULL);
}

static GstStructure *
make_now (GstBoxUploadSink *self)
{
  guint64 spooled;
  g_autoptr (BoxUpload) upload = dup_upload (self, &spooled);
  SinkReporter *reporter = dup_reporter (self);
  GstStructure *stats;

  stats = make (upload, reporter, spooled);
  g_clear_pointer (&reporter, sink_reporter_unref);
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
