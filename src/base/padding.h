/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPadding: the bytes between the end of a stream and its reserve; players ignore them. Pure: any
 * range can be computed, and nothing is stored.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_PADDING_AUTO, /* by the media type of the caps */
  BOX_PADDING_NONE, /* a short stream is an error */
  BOX_PADDING_ZERO,
  BOX_PADDING_MPEGTS,   /* null packets (PID 0x1FFF) */
  BOX_PADDING_MP4,      /* one free box */
  BOX_PADDING_MATROSKA, /* one Void element */
} BoxPaddingKind;

/* The padding for a GStreamer media type ("video/quicktime"); NONE if the container cannot be
 * padded, and for NULL. */
BoxPaddingKind box_padding_for_media_type (const char *media_type);

/* The smallest gap that @kind can fill (bytes); any gap of at least this size can be. Gap 0 needs
 * no padding. */
guint64 box_padding_min_size (BoxPaddingKind kind);

/* Writes bytes [@offset, @offset + @length) of the padding that fills @gap bytes after a stream of
 * @stream_size bytes. @kind is neither AUTO nor NONE, @gap at least its minimum, the range within
 * the gap. */
void box_padding_read (BoxPaddingKind kind, guint64 stream_size, guint64 gap, guint64 offset,
                       guint8 *buffer, gsize length);

G_END_DECLS
