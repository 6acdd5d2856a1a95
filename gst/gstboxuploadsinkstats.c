/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsinkstats.h"

GstStructure *
gst_box_upload_sink_stats_new (BoxUpload *upload, GstBoxUploadSinkReporter *reporter,
                               guint64 spooled)
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
      "parts-adopted", G_TYPE_UINT,
      reporter != NULL ? gst_box_upload_sink_reporter_get_adopted (reporter) : 0, "retries",
      G_TYPE_UINT, stats.retries, "memory", G_TYPE_UINT64, stats.memory, "spooled", G_TYPE_UINT64,
      spooled, "rate", G_TYPE_UINT64, stats.rate, "session-id", G_TYPE_STRING,
      session != NULL ? session->id : NULL, "file-id", G_TYPE_STRING,
      file != NULL ? file->id : NULL, NULL);
}
