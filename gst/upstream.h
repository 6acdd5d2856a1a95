/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The size of a stream, as its source knows it.
 *
 * Nearly every element passes a DURATION query on to the source, even if it changes the bytes:
 * parsers, encoders, decompressors. The answer is therefore trusted only from a source that reads
 * everything that it measures, and only through elements that pass bytes through unchanged.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* The bytes that will arrive at @pad, once its first buffer has. 0: not known. @segment: of @pad.
 */
guint64 sink_upstream_get_size (GstPad *pad, const GstSegment *segment);

G_END_DECLS
