/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is remembered beside the recordings, in small files of its own: BoxNote, of a session;
 * BoxReceipt, of the upload of a local file; BoxHistory, of the sizes of recordings.
 */
#pragma once

#include "spool/journal.h"

#include <sys/stat.h>

G_BEGIN_DECLS

/*
 * BoxNote: the size and the destination of a session that "boxupload create" made, because Box
 * never reports them. One JSON file per session in $XDG_STATE_HOME/boxupload/sessions/, 0600 in a
 * 0700 directory, without secrets. Beside it, the parts that "boxupload part" sent from this
 * machine.
 */

typedef struct
{
  char *session_id;
  guint64 size;                /* bytes declared when the session was created */
  BoxDestination *destination; /* FOLDER or FILE */
  GDateTime *expires_at;       /* nullable */
} BoxNote;

void box_note_free (BoxNote *note);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxNote, box_note_free)

/* Writes the note of @session durably (temporary file, fsync, rename) and forgets those that
 * expired. */
gboolean box_note_save (const BoxSession *session, guint64 size, const BoxDestination *destination,
                        GError **error);

/* The note of @session_id; NULL without error if it does not exist; NULL with BOX_ERROR_STORAGE
 * if it cannot be read or is damaged. */
BoxNote *box_note_load (const char *session_id, GError **error);

/* The content of a note's file; NULL if it is not a note of @session_id. Pure. */
BoxNote *box_note_parse (const char *text, gsize length, const char *session_id);

/* (element-type BoxNote): all notes that can be read, of sessions that have not expired. */
GPtrArray *box_note_list (void);

/* Forgets @session_id, and the parts noted for it; a missing note is not an error. */
void box_note_remove (const char *session_id);

/* Notes @part, with its SHA-1, as one that this machine sent to @session_id: Box's lists have no
 * SHA-1. Processes may do so at the same time. Parts of sessions that expired long ago are
 * forgotten. A part that cannot be noted is only harder to recognize. */
void box_note_add_part (const char *session_id, const BoxPart *part);

/* Whether @part was noted for @session_id: then @sha1 is set to its SHA-1. */
gboolean box_note_find_part (const char *session_id, const BoxPart *part, BoxSha1 *sha1);

/*
 * BoxHistory: the sizes of the last recordings of a spool, by where they went: the file sizes.json
 * in its directory. It guesses the size of the next one. Losing it costs nothing but a worse guess.
 */

/* Bytes of the last file that was recorded in @directory and went to the folder (or the file) of
 * @destination; 0: not known. */
guint64 box_history_get_size (const char *directory, const BoxDestination *destination);

/* A file of @size bytes went there. */
void box_history_set_size (const char *directory, const BoxDestination *destination, guint64 size);

/*
 * BoxReceipt: what is known of the upload of a local file until Box has the file, so that another
 * process can go on with it. A journal (spool/journal.h) in $XDG_STATE_HOME/boxupload/uploads/,
 * found by the file, as it is on disk, and its destination. It holds no bytes and no secrets.
 *
 * A receipt is a convenience: without one the file is uploaded from its beginning. So nothing here
 * fails; a receipt that cannot be written or read says nothing.
 *
 * Threads: any may append; one opens, removes and frees.
 */

typedef struct _BoxReceipt BoxReceipt;

/**
 * box_receipt_open:
 * @endpoint: of the uploads.
 * @destination: FOLDER or FILE.
 * @file: inode, size and time of change tell the file from others. The device does not: its number
 *   is another one after a restart.
 *
 * Makes it, if it does not exist, and locks it. NULL: another process uploads this file to there,
 * or no receipt can be written. Forgets receipts of a month ago.
 */
BoxReceipt *box_receipt_open (const char *endpoint, const BoxDestination *destination,
                              BoxIfExists if_exists, const struct stat *file);

/* As it was when it was opened: session, parts, commit_begun. Owned by @receipt. */
const BoxJournalState *box_receipt_get_state (BoxReceipt *receipt);

/* Appends to it. */
void box_receipt_set_session (BoxReceipt *receipt, const BoxSession *session, guint64 size);
void box_receipt_add_part (BoxReceipt *receipt, const BoxPart *part);
void box_receipt_set_committing (BoxReceipt *receipt);

/* Whether the file may be at Box, by what was appended here too. */
gboolean box_receipt_is_commit_begun (BoxReceipt *receipt);

/* Box has the file, or what was known is of no more use. */
void box_receipt_remove (BoxReceipt *receipt);

/* Gives it up; one that says nothing is removed. */
void box_receipt_free (BoxReceipt *receipt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxReceipt, box_receipt_free)

G_END_DECLS
