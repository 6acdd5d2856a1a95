/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkStall: notices that a stream which is uploaded while it runs does not arrive.
 *
 * Plain mp4mux, where it cannot seek, passes nothing on before EOS: all of the upload is left for
 * the end, and memory grows. A WARNING says so once, when the source has got on for some time of
 * the stream without a byte for the sink. A source that stands still is none of our business.
 */
#pragma once

#include "gstboxuploadsink.h"

G_BEGIN_DECLS

/* Part of the instance; with its lock. */
typedef struct
{
  GstClockID timer;    /* NULL: not watched */
  guint64 bytes;       /* the sink's position at the last tick */
  GstClockTime source; /* the source's position when the last bytes arrived; NONE: not known */
} SinkStall;

/* The stream begins, and ends. Any thread; without the lock. Ending may be repeated. */
void sink_stall_begin (GstBoxUploadSink *self);
void sink_stall_end (GstBoxUploadSink *self);

G_END_DECLS
