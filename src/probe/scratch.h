/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxScratch: what a probe makes at Box: a folder, and upload sessions. Each is noted in a file of
 * $XDG_STATE_HOME/boxupload/probe before it is used, so that a later run can remove what a killed
 * one has left.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

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

G_END_DECLS
