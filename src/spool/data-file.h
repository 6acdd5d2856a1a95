/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxDataFile: the bytes of a recording in their file. Small writes are gathered in memory and
 * written in runs:
 *
 *   write ─► run (at most BOX_RUN_SIZE) ─► file
 *
 * A run is written when it is full, when the next write does not follow it, when it is BOX_RUN_AGE
 * old (a thread of the process checks this, so it also works while the stream rests), and before
 * its bytes are read or synced. A killed process therefore loses at most one run.
 *
 * Threads: one writes; any number may call everything else.
 */
#pragma once

#include "base/error.h"
#include "spool/displaced.h"

G_BEGIN_DECLS

/* Largest loss at a kill: bytes and microseconds, whichever is less. Larger runs save no time (64
 * KiB are about 50 buffers of 1316 bytes, as a transport stream has, in one system call). */
#define BOX_RUN_SIZE (64u << 10)
#define BOX_RUN_AGE  (100 * G_TIME_SPAN_MILLISECOND)

typedef struct _BoxDataFile BoxDataFile;

/* @fd: open to read and write, of @size bytes; taken. @path: for messages. */
BoxDataFile *box_data_file_new (int fd, const char *path, guint64 size);

/* Writes the rest of a run and ignores errors; call box_data_file_flush() before to get them. */
void box_data_file_free (BoxDataFile *file);

/* Bytes, those of the run included. */
guint64 box_data_file_get_size (BoxDataFile *file);

/* Writes @data at @offset, which is at most the size. The error may be of an earlier write whose
 * bytes were in a run. After an error every write fails. */
gboolean box_data_file_write (BoxDataFile *file, guint64 offset, gconstpointer data, gsize length,
                              GError **error);

/* Cuts the file to @size bytes. */
gboolean box_data_file_truncate (BoxDataFile *file, guint64 size, GError **error);

/* Exactly @length bytes at @offset, all within the size. */
gboolean box_data_file_read (BoxDataFile *file, guint64 offset, guint8 *buffer, gsize length,
                             GError **error);

/* Writes all pending bytes. */
gboolean box_data_file_flush (BoxDataFile *file, GError **error);

/* The same in the background, at once. Never waits for the disk. */
void box_data_file_flush_soon (BoxDataFile *file);

/* box_displaced_look(). */
BoxPlacing box_data_file_look (BoxDataFile *file, char **elsewhere);

/* box_displaced_restore(). What waits to be written goes into the copy, as it would have gone into
 * the file; what was durable is. On errors box_displaced_save(), with what waits. */
gboolean box_data_file_restore (BoxDataFile *file, char **done, GError **error);

/* Makes the first @needed bytes durable. A failure is permanent: lost bytes are not on disk even if
 * the next sync succeeds. */
gboolean box_data_file_sync (BoxDataFile *file, guint64 needed, GError **error);

G_END_DECLS
