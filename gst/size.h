/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkSize: the size of the stream, and its source: the property, the note of
 * a session, or upstream.
 */
#pragma once

#include "config.h"

G_BEGIN_DECLS

typedef enum
{
  SINK_SIZE_UNKNOWN,
  SINK_SIZE_EXACT,   /* a shorter stream is an error */
  SINK_SIZE_RESERVE, /* a shorter stream is padded */
} SinkSizeKind;

typedef struct
{
  SinkSizeKind kind;
  guint64 bytes;        /* UNKNOWN: 0 */
  gboolean from_source; /* upstream said so */
} SinkSize;

/* The size known before the stream begins: total-size, else the note. */
SinkSize sink_size_from_plan (const SinkConfig *plan);

/* The size reported by the source upstream of @pad, once the first buffer has arrived; see
 * upstream.h. If the settings name another way (unknown-size, a spool), this takes precedence: if
 * the source's answer were wrong, the upload would fail. */
SinkSize sink_size_from_upstream (const SinkConfig *plan, GstPad *pad, const GstSegment *segment);

/* The reserve that unknown-size=reserve declares. BOX_ERROR_SETTINGS if streams of @media_type
 * (nullable) cannot be padded. */
gboolean sink_size_reserve (SinkSize *size, const SinkValues *values, const char *media_type,
                            GError **error);

/* The padding that makes a file of @size from @stream_size bytes: its kind, and its bytes in
 * @gap. 0: no padding, also if the stream is shorter than an exact size or
 * too long (the upload then fails by itself). BOX_ERROR_SIZE: a reserve cannot be
 * filled; the error names the way out. @media_type is that of the caps, or NULL. */
gboolean
sink_size_get_gap (const SinkSize *size, guint64 stream_size, BoxPaddingKind wanted,
                   const char *media_type, BoxPaddingKind *kind, guint64 *gap, GError **error);

G_END_DECLS
