/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPlacing: whether an open file still has the name that it was opened by. Somebody may remove,
 * move or replace the files of a recording while it is made. The kernel keeps the bytes until the
 * file is closed, so a removed file can be written anew.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_PLACED_WELL,
  BOX_PLACED_REMOVED,  /* nothing has the name */
  BOX_PLACED_MOVED,    /* it has another name */
  BOX_PLACED_REPLACED, /* it has no name, and another file has that one */
} BoxPlacing;

/* How the open file @fd is placed, which was opened as @path. @elsewhere: (out): its present name,
 * if MOVED; else NULL. Free with g_free(). */
BoxPlacing box_displaced_look (int fd, const char *path, char **elsewhere);

/* If the file of @fd was removed, makes a durable and locked copy of it at @path, in a directory
 * that is made if it is gone as well, and makes @fd refer to that. A file that has taken its place
 * is put aside. @done: (out): what was done, as a sentence without its full stop; NULL: nothing.
 * Free with g_free(). The caller makes sure that nobody writes meanwhile. BOX_ERROR_STORAGE: it is
 * not at @path; says where it is. */
gboolean box_displaced_restore (int fd, const char *path, char **done, GError **error);

/* The last resort for the data of a recording, after @failure of box_displaced_restore(): if it has
 * no name left, it is copied to TMPDIR or /var/tmp, if there is room for two of it, and @failure
 * says so. */
void box_displaced_save (int fd, const char *path, GError **failure);

G_END_DECLS
