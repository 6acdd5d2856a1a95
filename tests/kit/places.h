/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a test works: a directory of its own, the files in it, and an environment without the
 * user's settings. What must work is asserted.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* ---- directories ---- */

/* A new directory. Free the path with one of the functions below, or with g_free(). */
char *kit_new_directory (void);

/* Removes the directory @path with the files in it, and frees @path. Fails the test if a directory
 * in it has something. */
void kit_remove_directory (char *path);

/* Removes the directory @path, in which nothing may be left, and frees @path. */
void kit_remove_empty_directory (char *path);

/* Puts a plain file in the place of the directory @path, and of what is in it: nobody can make
 * anything there, not even root. */
void kit_spoil_directory (const char *path);

/* Removes a file, or a directory with all that is in it; nothing there is not an error. Links are
 * not followed. */
void kit_remove_tree (const char *path);

/* ---- files ---- */

/* A new file with @text; free with kit_remove_file(). */
char *kit_new_file (const char *text);

/* Removes the file @path and frees @path. */
void kit_remove_file (char *path);

/* Replaces the file @path, which only its owner can read. */
void kit_write_text (const char *path, const char *text);
void kit_write_bytes (const char *path, gconstpointer data, gsize size);

/* All of the file @path; free with g_free() or g_bytes_unref(). */
char *kit_read_text (const char *path);
GBytes *kit_read_bytes (const char *path);

/* Fails unless the file @path has exactly these bytes. */
void kit_assert_content (const char *path, gconstpointer data, gsize size);

/* The permission bits of the file @path. */
guint kit_get_mode (const char *path);

/* ---- the environment ---- */

/* Removes from the environment what changes where this program uploads to, as whom, and how. For
 * main(), before any thread. */
void kit_clear_environment (void);

/* How many times a test kills a process: BOXUPLOAD_TEST_KILLS, or @otherwise; at least once. */
guint kit_get_kills (guint otherwise);

G_END_DECLS
