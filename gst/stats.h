/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The structure of the property "upload-stats": how a stream stands, or stood at its end. Any
 * thread; the lock is taken.
 */
#pragma once

#include "instance.h"

G_BEGIN_DECLS

/* Free with gst_structure_free(). */
GstStructure *sink_stats_dup (GstBoxUploadSink *self);

/* Keeps the statistics as they are: what they are of is about to go. Those that are kept already
 * stay. */
void sink_stats_keep (GstBoxUploadSink *self);

G_END_DECLS
