/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mirror: what a filesink makes of the very buffers, segments and events that reach another sink.
 */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _Mirror Mirror;

/* Writes to @location what reaches the sink pad @pad from now on. */
Mirror *mirror_new (GstPad *pad, const char *location);

/* How often the stream did not continue where it stood. */
guint mirror_get_rewrites (Mirror *mirror);

/* Closes the file. After the pipeline has stopped. */
void mirror_free (Mirror *mirror);

/* Waits for EOS of @pipeline. */
void mirror_assert_eos (GstElement *pipeline);

/* Whether the files are equal byte for byte. */
void mirror_assert_equal (const char *expected, const char *actual);

G_END_DECLS
