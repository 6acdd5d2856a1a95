/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxFeed: gives the bytes of a local file to a BoxUpload: the producer's loop for files that are
 * finished.
 */
#pragma once

#include "upload/upload.h"

#include <sys/stat.h>

G_BEGIN_DECLS

/**
 * box_feed_fd:
 * @fd: a regular file, read from its start with pread(): its position stays.
 * @size: bytes, as the upload was told.
 *
 * Writes the file into @upload, and finishes it. Blocks until the last byte has had room; call it
 * in the producer's thread, and wait for the upload itself elsewhere. To end it early, cancel
 * @upload.
 *
 * FALSE with @error set where the bytes are not all good, and @upload has failed then, with the
 * same error where it is the file's doing: BOX_ERROR_STORAGE (it cannot be read), BOX_ERROR_SIZE
 * (it has not @size bytes, or changed while it was read: what was written is no version of it that
 * ever existed).
 */
gboolean box_feed_fd (BoxUpload *upload, int fd, guint64 size, GError **error);

/* Writes all of @data, and waits for room where there is none. FALSE: the upload has ended. */
gboolean box_feed_bytes (BoxUpload *upload, const guint8 *data, gsize length);

/* What is behind the blocks of an upload of @fd, which is duplicated. @error: BOX_ERROR_STORAGE. */
gboolean box_feed_keep_file (int fd, BoxBlocksFile *file, GError **error);

/* Whether somebody wrote to a file between two looks at it: size or time of change differ. */
gboolean box_feed_has_changed (const struct stat *before, const struct stat *after);

G_END_DECLS
