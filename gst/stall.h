/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkStall: warns if a stream that is uploaded while it runs does not arrive.
 *
 * If plain mp4mux cannot seek, it passes nothing on before EOS: everything is uploaded at
 * the end, and memory grows. One WARNING is posted when the source has advanced for some time of
 * the stream and no byte has reached the sink. A source that does not advance is ignored.
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
