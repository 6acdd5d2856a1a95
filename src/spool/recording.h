/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxRecording: one recording in the spool: NAME.data with its bytes, and NAME.journal with what
 * happened to them, both mode 0600. Whoever has it open holds its lock, which the kernel takes back
 * when the process ends, however it ends; the files stay until box_recording_remove().
 *
 * Order of writing: bytes are on disk before a line of the journal that speaks of them is, so that
 * neither a power cut nor a kill makes the journal promise what is not there. A sync that failed is
 * remembered: bytes that it should have made durable never get into the journal.
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

/* A new and empty recording in the directory @dir, on disk with its intent when this returns.
 * BOX_ERROR_SPACE, BOX_ERROR_STORAGE. */
BoxRecording *
box_recording_create (const char *dir, const BoxRecordingIntent *intent, GError **error);

/**
 * box_recording_open:
 * @journal_path: as box_spool_list() gives it.
 *
 * Opens what another process has left. BOX_ERROR_BUSY: a living process holds it (or this one
 * does), or it is gone (finished by another). BOX_ERROR_STORAGE otherwise, also where only the data
 * file is gone, and a removal that was cut short does not explain it.
 */
BoxRecording *box_recording_open (const char *journal_path, GError **error);
BoxRecording *box_recording_ref (BoxRecording *recording);

/* The last one closes the files and gives the lock up. */
void box_recording_unref (BoxRecording *recording);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxRecording, box_recording_unref)

/* Whether it was made by box_recording_create(), not opened: nobody else has ever had it. */
gboolean box_recording_is_new (BoxRecording *recording);

/* The data file, for messages. */
const char *box_recording_get_path (BoxRecording *recording);

/* Whether the data file is still there: it may be gone where the journal says committed, or that
 * nothing was recorded. */
gboolean box_recording_has_data (BoxRecording *recording);

/* Bytes in the data file, or on their way there. Never waits for the disk. */
guint64 box_recording_get_size (BoxRecording *recording);

/* What the journal said when the recording was opened, and has been told since. Free with
 * box_journal_state_free(). */
BoxJournalState *box_recording_get_state (BoxRecording *recording);

/* Writes @data at @offset, which is at most the size: muxers come back to rewrite. Small writes are
 * gathered (spool/data-file.h says what a kill may cost), and an error may be that of an earlier
 * one. */
gboolean box_recording_write (BoxRecording *recording, guint64 offset, gconstpointer data,
                              gsize length, GError **error);

/* Leaves nothing unwritten. */
gboolean box_recording_flush (BoxRecording *recording, GError **error);

/* The same in the background, at once; never waits for the disk. */
void box_recording_flush_soon (BoxRecording *recording);

/* Cuts the data file to @size bytes: 0 after a flush. */
gboolean box_recording_truncate (BoxRecording *recording, guint64 size, GError **error);

/* Reads exactly @length bytes; beyond what the data file has, the padding that the end of the
 * recording names. */
gboolean box_recording_read (BoxRecording *recording, guint64 offset, guint8 *buffer, gsize length,
                             GError **error);

/* The SHA-1 of @total bytes as box_recording_read() gives them. @cancellable: BOX_ERROR_CANCELLED.
 */
gboolean box_recording_digest (BoxRecording *recording, guint64 total, BoxSha1 *sha1,
                               GCancellable *cancellable, GError **error);

/* What happened, on disk when these return. What the journal has already is not written again, so
 * that it does not grow with every run that goes on with a session. */
gboolean box_recording_set_session (BoxRecording *recording, const BoxSession *session,
                                    guint64 size, GError **error);
gboolean box_recording_add_part (BoxRecording *recording, const BoxPart *part, GError **error);
gboolean
box_recording_set_end (BoxRecording *recording, const BoxRecordingEnd *end, GError **error);
gboolean box_recording_set_committing (BoxRecording *recording, GError **error);
gboolean box_recording_set_committed (BoxRecording *recording, const BoxFile *file, GError **error);

/* The recording stays although Box has it. After set_committed. */
gboolean box_recording_set_kept (BoxRecording *recording, GError **error);

/* The file goes to @destination (FOLDER or FILE) instead. Not with an upload under way; the session
 * that the journal has, if any, is forgotten. */
gboolean box_recording_redirect (BoxRecording *recording, const BoxDestination *destination,
                                 BoxIfExists if_exists, GError **error);

/* Why it is not at Box yet, for those who ask later. Not written if the journal says the same
 * already, or cannot be written. */
void box_recording_note_failure (BoxRecording *recording, const GError *failure);

/* Whether the stream was cut short before its end, going by @state and @size, the bytes of its
 * data: its writer died or failed, or it is not as long as it had to be. */
gboolean box_recording_is_interrupted (const BoxJournalState *state, guint64 size);

/* Deletes both files, durably. Only where Box is known to have the bytes, or there are none. */
gboolean box_recording_remove (BoxRecording *recording, GError **error);

G_END_DECLS
