/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The instance of the element, for its files.
 */
#pragma once

#include "delivery/delivery.h"
#include "gstboxuploadsink.h"
#include "properties.h"
#include "reporter.h"
#include "size.h"
#include "stall.h"
#include "wait.h"

G_BEGIN_DECLS

struct _GstBoxUploadSink
{
  GstBaseSink parent;

  SinkProperties properties; /* any thread, has its own lock */

  GMutex lock;

  /* With lock from other threads than the streaming thread, which alone changes them while data
   * flows; without data, the thread that changes the state does. NULL outside PAUSED and PLAYING.
   */
  BoxDelivery *delivery; /* of the stream; NULL before its first buffer, too */
  SinkReporter *reporter;
  BoxClient *client;

  /* with lock */
  gboolean seekable; /* the stream goes to the spool before any of it is uploaded */
  SinkWait wait;
  SinkStall stall;
  guint64 position;    /* where in the file the next byte goes; changed by the streaming thread */
  gboolean posted_eos; /* eos_seqnum was posted, and no pause or flush came since */
  guint32 eos_seqnum;
  GstStructure *last_stats; /* of a stream that is over, else NULL */

  /* The streaming thread; without data, the thread that changes the state. */
  SinkConfig *plan;
  SinkSize size;
  gboolean size_in_doubt; /* the source said it before a flush */
  BoxSpool *spool;        /* nullable */
  gboolean reserve_told;  /* boxuploadsink-reserve was posted */
  gboolean failed;        /* this stream has ended, and the end was reported */
  char *media_type;       /* of the caps, or NULL */
  char *begun_at;         /* wall clock at the first buffer, RFC 3339; the delivery's, too */
};

G_END_DECLS
