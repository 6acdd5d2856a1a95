/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes that depend on their offset: lost, repeated or misplaced bytes are seen. The pattern's
 * period matches the grid of no part.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The @length bytes of the pattern from @offset. */
void kit_pattern_fill (guint64 offset, guint8 *buffer, gsize length);

/* The same as bytes of their own. */
GBytes *kit_pattern_bytes (guint64 offset, gsize length);

/* The same for who reads a file of the pattern: a BoxBlocksFile's read(). */
gboolean
kit_pattern_read (gpointer unused, guint64 offset, guint8 *buffer, gsize length, GError **error);

/* SHA-1, in hex, of the first @size bytes of the pattern with @zeros zeros after them. */
char *kit_pattern_sha1 (guint64 size, guint64 zeros);

/* Makes a file of the first @size bytes. */
void kit_pattern_write_file (const char *path, guint64 size);

G_END_DECLS
