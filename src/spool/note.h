/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxNote: the size and the destination of a session that "boxupload create" made, because Box
 * never reports them. One JSON file per session in $XDG_STATE_HOME/boxupload/sessions/,
 * 0600 in a 0700 directory, without secrets. Beside it, the parts that "boxupload part" sent from
 * this machine.
 */
#pragma once

#include "api/destination.h"
#include "api/session.h"

G_BEGIN_DECLS

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

G_END_DECLS
