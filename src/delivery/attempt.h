/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxAttempt: an upload whose bytes are a recording's, and whose steps are written to the
 * recording's journal as they happen. A line that cannot be written does not end the upload: what
 * the journal does not have is found out from Box when it matters (parts are listed, a file is
 * looked up before it is committed again).
 */
#pragma once

#include "spool/recording.h"
#include "upload/upload.h"

G_BEGIN_DECLS

typedef struct _BoxAttempt BoxAttempt;

/* Like box_upload_new(), with @recording (kept) as settings.file; not started. @user_data has to
 * live until box_attempt_free() has returned. */
BoxAttempt *box_attempt_new (BoxRecording *recording, const BoxUploadSettings *settings,
                             const BoxUploadEvents *events, gpointer user_data, GError **error);

/* Owned by @self. */
BoxUpload *box_attempt_get_upload (BoxAttempt *self);

/* Cancels the upload, if it is not over. When this returns no event runs any more, and none will
 * come. Not to be called by an event. */
void box_attempt_free (BoxAttempt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxAttempt, box_attempt_free)

G_END_DECLS
