/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The instance of the element, for its files.
 */
#pragma once

#include "gstboxuploadsink.h"
#include "gstboxuploadsinkproperties.h"
#include "gstboxuploadsinkreporter.h"
#include "gstboxuploadsinksize.h"

G_BEGIN_DECLS

struct _GstBoxUploadSink
{
  GstBaseSink parent;

  GstBoxUploadSinkProperties properties; /* any thread, has its own lock */

  GMutex lock;

  /* With lock from other threads than the streaming thread, which alone changes them while data
   * flows; without data, the thread that changes the state does. */
  BoxUpload *upload; /* NULL while the size is not known yet, and outside PAUSED and PLAYING */
  GstBoxUploadSinkReporter
      *reporter;     /* of upload, or of the one to come; NULL outside PAUSED and PLAYING */
  BoxClient *client; /* likewise */

  /* with lock */
  gboolean interrupted;     /* between unlock and unlock_stop */
  GstStructure *last_stats; /* of an upload that is over, else NULL */

  /* The streaming thread; without data, the thread that changes the state. */
  GstBoxUploadSinkPlan *plan;
  GstBoxUploadSinkSize size;
  guint64 position; /* bytes taken from the stream */
  gboolean completed;
  gboolean failed;  /* this stream has come to an end that has been told */
  char *media_type; /* of the caps, or NULL */
};

G_END_DECLS
