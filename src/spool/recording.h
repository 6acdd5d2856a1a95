/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxRecording: one recording in the spool: NAME.data with its bytes, and NAME.journal with its
 * history, both mode 0600. The process that has it open holds its lock. The kernel releases the
 * lock when the process ends, however it ends; the files stay until box_recording_remove().
 *
 * Order of writing: bytes are on disk before they leave for an upload session, and before a line of
 * the journal mentions them. After a power cut
 * or a kill, the journal therefore never promises missing bytes. A failed sync is remembered: the
 * bytes that it should have made durable never get into the journal.
 *
 * Threads: one thread writes; any number read and append to the journal.
 */
#pragma once

#include "spool/journal.h"

G_BEGIN_DECLS

#define BOX_RECORDING_DATA_SUFFIX    ".data"
#define BOX_RECORDING_JOURNAL_SUFFIX ".journal"

/* Follows the journal's suffix while the recording is being made. */
#define BOX_RECORDING_UNNAMED_SUFFIX ".new"

typedef struct _BoxRecording BoxRecording;

/* The name of the recording whose data file is @path; of any other file its base name. Free with
 * g_free(). */
char *box_recording_dup_name (const char *path);

/* When a recording was begun, by its name (20260131-235959-0123abcd). Unix time; 0: it is no name
 * that a recorder gives. */
gint64 box_recording_get_time_of_name (const char *name);

/* A new, empty recording in the directory @dir; it is on disk with its intent when this returns.
 * BOX_ERROR_SPACE, BOX_ERROR_STORAGE. */
BoxRecording *
box_recording_create (const char *dir, const BoxRecordingIntent *intent, GError **error);

/**
 * box_recording_open:
 * @journal_path: as box_spool_list() gives it.
 *
 * Opens a recording that another process has left. BOX_ERROR_BUSY: a running process has it
 * (perhaps this one), or it is gone (another process has finished it). BOX_ERROR_STORAGE otherwise,
 * also if only the data file is gone and no interrupted removal explains it.
 */
BoxRecording *box_recording_open (const char *journal_path, GError **error);
BoxRecording *box_recording_ref (BoxRecording *recording);

/* The last reference closes the files and releases the lock. */
void box_recording_unref (BoxRecording *recording);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxRecording, box_recording_unref)

/* Whether box_recording_create() made it: then no other process has ever had it. */
gboolean box_recording_is_new (BoxRecording *recording);

/* The data file, for messages. */
const char *box_recording_get_path (BoxRecording *recording);

/* Whether the data file still exists: it may be gone if the journal says that the file is committed
 * or that nothing was recorded. */
gboolean box_recording_has_data (BoxRecording *recording);

/* Bytes in the data file, pending ones included. Never waits for the disk. */
guint64 box_recording_get_size (BoxRecording *recording);

/* The state of the journal, including the lines appended since it was opened. Free with
 * box_journal_state_free(). */
BoxJournalState *box_recording_get_state (BoxRecording *recording);

/* Writes @data at @offset, which is at most the size: muxers go back to rewrite. Small writes are
 * collected (spool/data-file.h has the loss at a kill), and an error may be of an earlier
 * write. */
gboolean box_recording_write (BoxRecording *recording, guint64 offset, gconstpointer data,
                              gsize length, GError **error);

/* Writes all pending bytes. */
gboolean box_recording_flush (BoxRecording *recording, GError **error);

/* The same in the background, at once; never waits for the disk. */
void box_recording_flush_soon (BoxRecording *recording);

/* Makes the first @needed bytes durable, or all if there are fewer. */
gboolean box_recording_sync (BoxRecording *recording, guint64 needed, GError **error);

/* Cuts the data file to @size bytes: 0 after a flush. */
gboolean box_recording_truncate (BoxRecording *recording, guint64 size, GError **error);

/* Reads exactly @length bytes of the data file. */
gboolean box_recording_read (BoxRecording *recording, guint64 offset, guint8 *buffer, gsize length,
                             GError **error);

/* Append to the journal; the line is on disk when these return. A line that the journal has already
 * is not written again, so that it does not grow with every run that continues a session. */
gboolean box_recording_set_folder (BoxRecording *recording, const char *folder_id, GError **error);
gboolean box_recording_set_session (BoxRecording *recording, const BoxSession *session,
                                    guint64 size, GError **error);
gboolean box_recording_add_part (BoxRecording *recording, const BoxPart *part, GError **error);
/* Parts that leave before the size is known: the session that they go to, each that Box has
 * acknowledged (with both digests; @time of the stream in microseconds, -1: not known), the offset
 * of each whose bytes were written again after that, and the end of the session. These lines say
 * nothing about what the disk has. */
gboolean box_recording_set_seed (BoxRecording *recording, const BoxSession *session, guint64 size,
                                 GError **error);
gboolean box_recording_add_ahead (BoxRecording *recording, const char *session_id,
                                  const BoxPart *part, gint64 time, GError **error);
gboolean box_recording_set_rewritten (BoxRecording *recording, guint64 offset, GError **error);
gboolean box_recording_set_seed_aborted (BoxRecording *recording, GError **error);
gboolean
box_recording_set_end (BoxRecording *recording, const BoxRecordingEnd *end, GError **error);
gboolean
box_recording_set_live (BoxRecording *recording, const BoxDestination *target, GError **error);
gboolean box_recording_set_committing (BoxRecording *recording, GError **error);
gboolean box_recording_set_committed (BoxRecording *recording, const BoxFile *file, GError **error);

/* A journal of what is left to do for @file, which Box has; there is no data. */
BoxRecording *box_recording_create_errand (const char *dir, const BoxRecordingIntent *intent,
                                           const BoxFile *file, GError **error);

/* The file has got what it gets after its commit. After set_committed. */
gboolean box_recording_set_settled (BoxRecording *recording, GError **error);

/* Deletes the data, and leaves the journal of what is left to do. After set_committed, when Box has
 * confirmed the bytes. */
gboolean box_recording_remove_data (BoxRecording *recording, GError **error);

/* The recording stays although Box has it. After set_committed. */
gboolean box_recording_set_kept (BoxRecording *recording, GError **error);

/* The file goes to @destination (FOLDER or FILE) instead. Forgets the journal's session. Not to be
 * called while an upload runs. */
gboolean box_recording_redirect (BoxRecording *recording, const BoxDestination *destination,
                                 BoxIfExists if_exists, GError **error);

/* Whether both files still have their names; FALSE: @what (out): happened to one of them, as a
 * sentence without its full stop. Free with g_free(). Never waits for the disk's writes. */
gboolean box_recording_is_in_place (BoxRecording *recording, char **what);

/* Puts both files back in their places (box_displaced_restore()). @done: (out): what was done;
 * NULL: nothing. Free with g_free(). Not while another thread writes. */
gboolean box_recording_restore (BoxRecording *recording, char **done, GError **error);

/* The reason why it is not at Box yet, for "boxupload spool". Not written if the journal has the
 * same reason already, or cannot be written. */
void box_recording_note_failure (BoxRecording *recording, const GError *failure);

/* Whether the stream was cut short: its writer died or failed, or it has fewer bytes than its known
 * size. @size: bytes of the data file. */
gboolean box_recording_is_interrupted (const BoxJournalState *state, guint64 size);

/* Deletes both files, durably. Only if Box has confirmed the bytes, or the recording is empty. */
gboolean box_recording_remove (BoxRecording *recording, GError **error);

/*
 * BoxCut: whether a recording that was cut short plays. Some muxers write a part of the file at the
 * end of the stream that players need. The first bytes of the data decide, or else the file's name.
 * docs/spool.md has the measurements.
 */

typedef enum
{
  BOX_CUT_UNKNOWN,      /* not a known container: it may not play */
  BOX_CUT_PLAYS,        /* up to its last whole frame or fragment */
  BOX_CUT_MAY_NOT_PLAY, /* its index or its lengths come at the end */
} BoxCut;

/* Whether the data in the file @path plays if it is cut off at its end. @name: (nullable): its name
 * at Box, for the extension. UNKNOWN if the file cannot be read. */
BoxCut box_container_judge (const char *path, const char *name);

G_END_DECLS
