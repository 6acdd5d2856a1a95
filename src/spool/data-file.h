/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxDataFile: the bytes of a recording in their file. Small writes are gathered in memory and
 * written in runs:
 *
 *   write ─► run (at most BOX_RUN_SIZE) ─► file
 *
 * A run goes to the file when it is full, when what comes next is not behind it, when it is
 * BOX_RUN_AGE old (a thread that the process has for this sees to it, also while the stream
 * stands), and when anybody reads or syncs bytes of it. So a process that is killed loses at most
 * one run.
 *
 * Threads: one writes; any number may call everything else.
 */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

/* What a kill may cost: bytes and microseconds, whichever is less. Larger runs cost the stream no
 * less (64 KiB are some 50 buffers of a transport stream's usual 1316 bytes a system call). */
#define BOX_RUN_SIZE (64u << 10)
#define BOX_RUN_AGE  (100 * G_TIME_SPAN_MILLISECOND)

typedef struct _BoxDataFile BoxDataFile;

/* @fd: open to read and write, of @size bytes; taken. @path: for messages. */
BoxDataFile *box_data_file_new (int fd, const char *path, guint64 size);

/* Writes what is left of a run. An error in that is lost: box_data_file_flush() tells it. */
void box_data_file_free (BoxDataFile *file);

/* Bytes, those of the run included. */
guint64 box_data_file_get_size (BoxDataFile *file);

/* Writes @data at @offset, which is at most the size. An error may be that of an earlier write,
 * whose bytes were in a run; after one, every write fails. */
gboolean box_data_file_write (BoxDataFile *file, guint64 offset, gconstpointer data, gsize length,
                              GError **error);

/* Cuts the file to @size bytes. */
gboolean box_data_file_truncate (BoxDataFile *file, guint64 size, GError **error);

/* Exactly @length bytes at @offset, all within the size. */
gboolean box_data_file_read (BoxDataFile *file, guint64 offset, guint8 *buffer, gsize length,
                             GError **error);

/* Leaves nothing unwritten. */
gboolean box_data_file_flush (BoxDataFile *file, GError **error);

/* The same in the background, at once. Never waits for the disk. */
void box_data_file_flush_soon (BoxDataFile *file);

/* Makes the first @needed bytes durable. A failure lasts: what it lost is not on disk, although the
 * next sync succeeds. */
gboolean box_data_file_sync (BoxDataFile *file, guint64 needed, GError **error);

G_END_DECLS
