/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets in memory and in small files. They are read with a limit, and overwritten before they are
 * freed. Messages name only the file.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Detects changes of a file without reading it. */
typedef struct
{
  guint64 device;
  guint64 inode;
  guint64 size;
  gint64 mtime; /* nanoseconds */
} BoxFileStamp;

/* FALSE if @path cannot be examined. */
gboolean box_file_stamp_take (const char *path, BoxFileStamp *stamp);
gboolean box_file_stamp_equal (const BoxFileStamp *a, const BoxFileStamp *b);

/**
 * box_secret_read_file:
 * @label: the setting that named @path; begins every message.
 * @limit: a longer file is refused unread. Bytes.
 * @length: (out) (optional): of the content; it is followed by a NUL.
 *
 * The content of a regular file, without a byte order mark at its start; free with
 * box_secret_clear(). BOX_ERROR_CREDENTIALS if it cannot be read, BOX_ERROR_SETTINGS if it is not a
 * regular file or too long.
 */
char *box_secret_read_file (const char *label, const char *path, gsize limit, gsize *length,
                            GError **error);

/* Whether others than the owner and root may read @path; FALSE also if that is not known. */
gboolean box_secret_file_is_exposed (const char *path);

/* Overwrite before freeing; NULL is fine. */
void box_secret_free (char *string);
void box_secret_clear (char *data, gsize length);

/* @uri without its password, for messages. @uri need not be a valid URI. Free with g_free(). */
char *box_secret_hide_password (const char *uri);

/* @secret without white space at either end and a byte order mark at its head; takes it. */
char *box_secret_trim (char *secret);

typedef char BoxSecret;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxSecret, box_secret_free)

G_END_DECLS
