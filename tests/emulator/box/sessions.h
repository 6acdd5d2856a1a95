/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuSessions: all upload sessions and what can be done with them, by the rules that Box documents.
 * Functions are atomic and may be called from any thread; bytes are written without the lock,
 * through an EmuPartWriter.
 */
#pragma once

#include "emulator/base/views.h"
#include "emulator/box/profile.h"
#include "emulator/box/session.h"
#include "emulator/box/store.h"

G_BEGIN_DECLS

typedef struct _EmuSessions EmuSessions;

typedef struct
{
  guint64 part_size;
  guint64 min_size;
  guint lifetime;   /* s */
  guint processing; /* number of commits answered with 202 */
  guint page_limit;
  const EmuProfile *profile; /* outlives the sessions */
} EmuSessionRules;

/* @store and @clock outlive the sessions. */
EmuSessions *emu_sessions_new (const char *dir, const EmuSessionRules *rules, EmuStore *store,
                               EmuClock *clock, GError **error);
void emu_sessions_free (EmuSessions *sessions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuSessions, emu_sessions_free)

/* For a new file (@folder_id, @name) or a version (@file_id). @size -1: was not given. */
EmuSession *
emu_sessions_create (EmuSessions *sessions, const char *owner, const char *folder_id,
                     const char *file_id, const char *name, gint64 size, EmuProblem *problem);

/* An open session of @owner for the same file and size, or NULL. */
EmuSession *emu_sessions_find_open (EmuSessions *sessions, const char *owner, const char *folder_id,
                                    const char *file_id, const char *name, gint64 size);

/* The session of @user; 403 of another's, 404, 410. */
EmuSession *
emu_sessions_get (EmuSessions *sessions, const char *id, const char *user, EmuProblem *problem);

JsonObject *emu_sessions_describe (EmuSessions *sessions, EmuSession *session, const char *base);

/* A page of the stored parts. */
JsonObject *emu_sessions_list_parts (EmuSessions *sessions, EmuSession *session, gint64 offset,
                                     gint64 limit, EmuProblem *problem);

/* The answer to the question which of @parts (as the client sent them) are there already. */
JsonObject *emu_sessions_plan (EmuSessions *sessions, EmuSession *session, JsonArray *parts,
                               EmuProblem *problem);

/* Of sessions that are made from now on. */
void emu_sessions_set_part_size (EmuSessions *sessions, guint64 part_size);

/* From now on; before: ABSENT. @delay: seconds, of LATE. @late_requests: so many requests from now
 * on find nothing. */
void emu_sessions_set_plan (EmuSessions *sessions, BoxEmulatorPlan scope, guint delay,
                            guint late_requests);

gboolean emu_sessions_abort (EmuSessions *sessions, EmuSession *session);

/* A part that is being received. Where another request is writing to the same range, bytes go to a
 * file of their own first: the one that ends first is stored. */
typedef struct _EmuPartWriter EmuPartWriter;

EmuPartWriter *emu_sessions_begin_part (EmuSessions *sessions, EmuSession *session, guint64 first,
                                        guint64 last, guint64 total, EmuProblem *problem);
gboolean emu_part_writer_write (EmuPartWriter *writer, gconstpointer data, gsize size);

/* Stores the part if all of it came and its SHA-1 is @sha1 (Base64); the result describes it. */
JsonObject *emu_part_writer_finish (EmuPartWriter *writer, const char *sha1, EmuProblem *problem);

/* Forgets what was not finished. */
void emu_part_writer_free (EmuPartWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuPartWriter, emu_part_writer_free)

/**
 * emu_sessions_commit:
 * @parts: the list that the client sent.
 * @sha1: Base64, of the whole file.
 * @processing: (out): TRUE with NULL: ask again later.
 *
 * Makes the file, or one more version. Returns its description.
 */
JsonObject *emu_sessions_commit (EmuSessions *sessions, EmuSession *session, JsonArray *parts,
                                 const char *sha1, JsonObject *attributes, const char *if_match,
                                 gboolean *processing, EmuProblem *problem);

/* For tests. */
BoxEmulatorSession *emu_sessions_look (EmuSessions *sessions, const char *id);
GPtrArray *emu_sessions_get_ids (EmuSessions *sessions);
void emu_sessions_expire (EmuSessions *sessions, const char *id);
void emu_sessions_drop (EmuSessions *sessions, const char *id);
gboolean emu_sessions_add_part (EmuSessions *sessions, const char *id, guint64 offset,
                                gconstpointer data, gsize size);

G_END_DECLS
