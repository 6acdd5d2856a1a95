/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuSession: one upload session: its grid, which parts are there, and its directory, which has
 * session.json, parts (one line a stored part) and data (the future file, with holes). Plain
 * data, guarded by the sessions' lock; box/sessions.h has the operations.
 */
#pragma once

#include "emulator/box/problem.h"

G_BEGIN_DECLS

typedef struct
{
  char id[9];     /* 8 upper-case hexadecimal digits; empty: not stored */
  char sha1[41];  /* hex */
  char *sha512;   /* hex; NULL: nobody has asked */
  char hit[9];    /* id under which a plan has found it elsewhere; empty: none has */
  gint64 stored;  /* µs since 1970 */
  gboolean busy;  /* a request is writing to its range of the data */
  gboolean apart; /* stored in a file of its own, because the range was busy */
  guint received;
} EmuPart;

typedef enum
{
  EMU_SESSION_OPEN,
  EMU_SESSION_COMMITTED, /* at least once; further parts are refused, further commits are not */
} EmuSessionState;

typedef struct
{
  gatomicrefcount refs;

  /* immutable */
  char *id;
  char *dir;
  char *data_path;
  char *owner;     /* user id */
  char *folder_id; /* NULL: a version of file_id */
  char *file_id;
  guint64 size;
  guint64 part_size;
  guint n_parts;
  gint64 created; /* µs since 1970 */

  /* with the sessions' lock */
  char *name; /* NULL: that of the file */
  gint64 expires;
  EmuPart *parts; /* n_parts */
  guint n_stored;
  guint n_commits; /* that made a file or version */
  guint n_asked;   /* commits that found all parts: the first ones may be answered with 202 */
  EmuSessionState state;
  char *sha1;    /* Base64, of the whole data, once known */
  char *made_id; /* of the file that a commit made, or made a version of */
} EmuSession;

/* Takes nothing; makes no directory. */
EmuSession *
emu_session_new (const char *root, const char *id, const char *owner, const char *folder_id,
                 const char *file_id, const char *name, guint64 size, guint64 part_size);
EmuSession *emu_session_ref (EmuSession *session);
void emu_session_unref (EmuSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuSession, emu_session_unref)

guint64 emu_session_get_part_length (EmuSession *session, guint index);

/* Index of the part that @first to @last (inclusive) of @total is; -1: not on the grid. */
gint emu_session_find_part (EmuSession *session, guint64 first, guint64 last, guint64 total,
                            EmuProblem *problem);

/* @base: what its endpoints begin with, as "https://127.0.0.1:1/api/2.0"; @n_processed: how many of
 * the stored parts a commit would find. @has_plan: one of them is "plan". */
JsonObject *
emu_session_to_json (EmuSession *session, const char *base, guint n_processed, gboolean has_plan);

/* @with_sha1: the reply to an upload has it, the list has null. */
JsonObject *emu_session_part_to_json (EmuSession *session, guint index, gboolean with_sha1);

/* The file of a part that is stored apart. */
char *emu_session_get_part_path (EmuSession *session, guint index);

/* Writes session.json, with directory and data file; adds a line to parts; removes all of it. */
gboolean emu_session_save (EmuSession *session, GError **error);
void emu_session_save_part (EmuSession *session, guint index);
void emu_session_delete (EmuSession *session);

/* Reads ROOT/ID; NULL: not a session. */
EmuSession *emu_session_load (const char *root, const char *id);

G_END_DECLS
