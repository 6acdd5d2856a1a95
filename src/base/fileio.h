/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole reads and writes of local files. Interrupted calls are repeated. Errors name the path and
 * the way out: BOX_ERROR_SPACE if there is no room, BOX_ERROR_STORAGE for everything else.
 */
#pragma once

#include <sys/types.h>

#include "base/error.h"

G_BEGIN_DECLS

/* Sets @error from errno value @number: "Cannot DOING PATH: reason; way out". */
void box_fileio_set_error (GError **error, int number, const char *doing, const char *path);

/* All of @data at @offset. */
gboolean box_fileio_write (int fd, const char *path, guint64 offset, gconstpointer data,
                           gsize length, GError **error);

/* Exactly @length bytes at @offset; an end of file before that is an error. */
gboolean box_fileio_read (int fd, const char *path, guint64 offset, guint8 *buffer, gsize length,
                          GError **error);

/* fdatasync(). */
gboolean box_fileio_sync (int fd, const char *path, GError **error);

/* fsync() of the directory @path: makes names durable. */
gboolean box_fileio_sync_directory (const char *path, GError **error);

/* Whether @path may be replaced: it is a regular file, a link to one, or nothing. A rename would
 * also take the place of a device such as /dev/null, of a pipe, of a link to a directory, or of the
 * link /dev/stdout. The functions below
 * ask; ask first where much is done before. BOX_ERROR_STORAGE. */
gboolean box_fileio_check_replaceable (const char *path, GError **error);

/**
 * box_fileio_replace:
 * @mode: of the new file; the mode of the old one is ignored.
 *
 * Puts a file with @data in the place of @path, or makes it, in one step: readers find the old
 * content or the new one, also after a crash. A symbolic link is replaced, not followed. @error
 * says "Cannot replace PATH: reason", without advice.
 */
gboolean box_fileio_replace (const char *path, gconstpointer data, gsize length, mode_t mode,
                             GError **error);

/**
 * box_fileio_put_in_place:
 * @fd: of @temporary, which is in the directory of @path.
 * @data: the bytes that are missing in it; NULL with @length 0: it is whole.
 *
 * The second half of a replacement, for callers that make the temporary file themselves: writes
 * @data, syncs, renames @temporary to @path, syncs the directory. Errors as for
 * box_fileio_replace(); the temporary file stays.
 */
gboolean box_fileio_put_in_place (int fd, const char *temporary, const char *path,
                                  gconstpointer data, gsize length, GError **error);

/**
 * box_fileio_copy:
 * @replace: whether @to may be there already.
 *
 * Makes a durable copy of the file @from, mode 0600. It appears at @to only when it is whole.
 * BOX_ERROR_STORAGE also if @to exists and must not be replaced.
 */
gboolean box_fileio_copy (const char *from, const char *to, gboolean replace, GError **error);

/**
 * box_fileio_copy_open:
 * @from: open; @from_path is for messages.
 *
 * The same of an open file, which may have no name any more, to @to, which must not be there. The
 * copy is returned, open to read and write, and has its lock before it has its name. -1 on errors.
 */
int box_fileio_copy_open (int from, const char *from_path, const char *to, GError **error);

/* Gives two files of one directory each other's name. FALSE: nothing has changed; not every file
 * system can. */
gboolean box_fileio_exchange (const char *a, const char *b);

/* Takes a lock of the whole file that ends with the open file description. BOX_ERROR_BUSY: another
 * process has it. */
gboolean box_fileio_lock (int fd, const char *path, GError **error);

/* Whether somebody else holds the lock of @fd. Does not take it. */
gboolean box_fileio_is_locked (int fd);

G_END_DECLS
