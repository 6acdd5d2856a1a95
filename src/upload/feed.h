/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxFeed: gives the bytes of a finished local file to a BoxUpload. It is the producer's
 * loop.
 */
#pragma once

#include "upload/upload.h"

#include <sys/stat.h>

G_BEGIN_DECLS

/**
 * box_feed_fd:
 * @fd: a regular file, read from its start with pread(): its position stays.
 * @size: bytes, as declared for the upload.
 *
 * Writes the file into @upload, and finishes it. Blocks until the last byte was written. Call it
 * in the producer's thread, and wait for the upload itself elsewhere. To end it early, cancel
 * @upload.
 *
 * FALSE with @error set if not all bytes are good. @upload has then failed, with the
 * same error if the file is the reason: BOX_ERROR_STORAGE (it cannot be read), BOX_ERROR_SIZE
 * (it does not have @size bytes, or it changed while it was read, so that the written bytes are a
 * mixture of versions).
 */
gboolean box_feed_fd (BoxUpload *upload, int fd, guint64 size, GError **error);

/* The file behind the blocks of an upload of @fd, which is duplicated. @error: BOX_ERROR_STORAGE.
 */
gboolean box_feed_keep_file (int fd, BoxBlocksFile *file, GError **error);

/* Whether a file was written to between two calls of fstat(): size or time of change differ. */
gboolean box_feed_has_changed (const struct stat *before, const struct stat *after);

G_END_DECLS
