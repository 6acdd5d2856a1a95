/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The instance of the element, for its files.
 */
#pragma once

#include "delivery/attempt.h"
#include "finisher.h"
#include "gstboxuploadsink.h"
#include "preflight.h"
#include "properties.h"
#include "recorder.h"
#include "reporter.h"
#include "size.h"
#include "wait.h"

G_BEGIN_DECLS

struct _GstBoxUploadSink
{
  GstBaseSink parent;

  SinkProperties properties; /* any thread, has its own lock */

  GMutex lock;

  /* With lock from other threads than the streaming thread, which alone changes them while data
   * flows; without data, the thread that changes the state does. */
  BoxUpload *upload; /* NULL while the size is not known yet, and outside PAUSED and PLAYING */
  BoxRecording *recording; /* where the stream goes to the spool */
  SinkFinisher *finisher;  /* after EOS, of a recording without an upload of its own */
  SinkReporter *reporter;  /* of upload, or of the one to come; NULL outside PAUSED and PLAYING */
  BoxClient *client;       /* likewise */

  /* with lock */
  gboolean seekable; /* the stream goes to the spool before any of it is uploaded */
  SinkWait wait;
  guint64 position;    /* where in the file the next byte goes; changed by the streaming thread */
  gboolean posted_eos; /* eos_seqnum was posted, and no pause or flush came since */
  guint32 eos_seqnum;
  GstStructure *last_stats; /* of a stream that is over, else NULL */

  /* The streaming thread; without data, the thread that changes the state. */
  SinkConfig *plan;
  SinkSize size;
  gboolean size_in_doubt;   /* the source said it before a flush */
  BoxSpool *spool;          /* nullable */
  SinkRecorder *recorder;   /* of recording */
  SinkPreflight *preflight; /* of a recording without an upload; nullable */
  BoxAttempt *delivery;     /* of upload, where it reads from recording */
  gboolean reserve_told;    /* that it is nearly full */
  gboolean empty;           /* it ended without a byte: nothing was made of it */
  gboolean completed;       /* the file is committed, or the recording is durably in the spool */
  gboolean failed;          /* this stream has come to an end that has been told */
  char *media_type;         /* of the caps, or NULL */
};

G_END_DECLS
