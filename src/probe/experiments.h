/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of BoxProbe: what an experiment works with, and the experiments. Each tells
 * what it found, and returns FALSE only with an error of its own; the next one is tried all the
 * same.
 */
#pragma once

#include "api/account.h"
#include "probe/probe.h"

G_BEGIN_DECLS

/*
 * BoxScratch: what a probe makes at Box: a folder, and upload sessions. Each is noted in a file of
 * $XDG_STATE_HOME/boxupload/probe before it is used, so that a later run can remove what a killed
 * one has left.
 */

typedef struct _BoxScratch BoxScratch;

/* Removes what dead runs have left (best effort), then makes a folder in @folder_id. */
BoxScratch *box_scratch_new (BoxClient *client, BoxTransport *transport, const char *folder_id,
                             GCancellable *cancellable, GError **error);

/* Removes the sessions, and the folder with all that is in it. FALSE: something stays, which the
 * next run removes. Also with a cancelled run: each request has one attempt. */
gboolean box_scratch_clear (BoxScratch *scratch);
void box_scratch_free (BoxScratch *scratch);

/* The folder's id; owned by @scratch. */
const char *box_scratch_get_folder (BoxScratch *scratch);

/* A session for the new file @name of the scratch folder, or (@file_id) for a version. */
BoxSession *box_scratch_create_session (BoxScratch *scratch, const char *name, const char *file_id,
                                        guint64 size, GCancellable *cancellable, GError **error);

/* Aborts @session now. */
void box_scratch_abort (BoxScratch *scratch, const BoxSession *session);

typedef struct
{
  const BoxProbeSettings *settings;
  const BoxProbeEvents *events;
  gpointer user_data;
  GCancellable *cancellable;
  BoxTransport *transport;
  BoxScratch *scratch;
  JsonObject *profile;
  BoxFile *file;    /* one that an experiment has committed; nullable */
  GPtrArray *parts; /* BoxPart: its parts, with their SHA-512 */
} BoxProbe;

/* Of the files that it uploads: the smallest for which Box has sessions. */
#define BOX_PROBE_SIZE BOX_SESSION_MIN_SIZE

/* One line of the report. */
void box_probe_tell (BoxProbe *probe, const char *question, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* "HTTP 400 digest_mismatch", for a refused request; free with g_free(). */
char *box_probe_describe (const GError *error);

/* The answer to a wrong request, as @name of the profile: @error (nullable: it was taken). */
void box_probe_note_answer (BoxProbe *probe, const char *name, const GError *error);

/* Bytes that no run has sent before, the same for the same @seed. */
GBytes *box_probe_make_bytes (guint32 seed, gsize size);

/* Sends @bytes as the part at @offset; the part has its SHA-512. @transport: of the calling thread.
 */
BoxPart *box_probe_send_part (BoxProbe *probe, BoxTransport *transport, const BoxSession *session,
                              guint64 offset, guint64 total, GBytes *bytes, GError **error);

/* Sends a whole file of @size random bytes into @session. */
GPtrArray *box_probe_fill (BoxProbe *probe, const BoxSession *session, guint64 size, BoxSha1 *sha1,
                           GError **error);

/* Commits; asks again while Box works on it. */
BoxFile *box_probe_commit (BoxProbe *probe, const BoxSession *session, GPtrArray *parts,
                           const BoxSha1 *sha1, GError **error);

/* The size of the parts of files of 20 MB to 50 GB. */
gboolean box_probe_part_sizes (BoxProbe *probe, GError **error);

/* Parts with a wrong digest and of a wrong file. */
gboolean box_probe_wrong_parts (BoxProbe *probe, GError **error);

/* Commits that should fail, and one that should not: it sets the probe's file and parts. */
gboolean box_probe_commits (BoxProbe *probe, GError **error);

/* Where plans find parts, with the probe's file if there is one. */
gboolean box_probe_plan (BoxProbe *probe, GError **error);

/* What a token for uploads only may do. */
gboolean box_probe_rights (BoxProbe *probe, GError **error);

/* How long a request of unknown length may rest. */
gboolean box_probe_rests (BoxProbe *probe, GError **error);

/* How fast parts are by how many leave at a time. */
gboolean box_probe_speed (BoxProbe *probe, GError **error);

G_END_DECLS
