/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxDelivery: an upload whose bytes are a recording's, and whose steps are written to the
 * recording's journal as they happen. A line that cannot be written does not end the upload: what
 * the journal does not have is found out from Box when it matters (parts are listed, a file is
 * looked up before it is committed again).
 */
#pragma once

#include "box-recording.h"
#include "box-upload.h"

G_BEGIN_DECLS

/* Like box_upload_new(); @settings.source is set here. The upload keeps @recording. */
BoxUpload *box_delivery_new (BoxRecording *recording, const BoxUploadSettings *settings,
                             const BoxUploadEvents *events, gpointer user_data,
                             GDestroyNotify destroy, GError **error);

G_END_DECLS
