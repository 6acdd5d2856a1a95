/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkConfig: what the properties say, checked and made into what an upload needs: where
 * the file goes, the client, and what is noted of a session. Made without the network. Immutable.
 */
#pragma once

#include "delivery/attempt.h"
#include "delivery/policy.h"
#include "properties.h"
#include "spool/note.h"

G_BEGIN_DECLS

typedef struct
{
  SinkValues values;
  BoxDestination *destination;
  BoxClient *client;
  BoxNote *note; /* of a session that "boxupload create" made, else NULL */
} SinkConfig;

/* BOX_ERROR_SETTINGS names the property, other codes the file, that has to be mended. */
SinkConfig *sink_config_new (SinkProperties *properties, GError **error);
void sink_config_free (SinkConfig *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SinkConfig, sink_config_free)

/* An upload of @size bytes as planned, not yet started; see box_upload_new(). */
BoxUpload *
sink_config_make_upload (const SinkConfig *plan, guint64 size, const BoxUploadEvents *events,
                         gpointer user_data, GDestroyNotify destroy, GError **error);

/* The same of a recording, see box_attempt_new(). */
BoxAttempt *
sink_config_make_delivery (const SinkConfig *plan, BoxRecording *recording, guint64 size,
                           const BoxUploadEvents *events, gpointer user_data, GError **error);

/* The destination for people: a box:// URI, "session ID" or "file ID". Free with g_free(). */
char *sink_config_describe_destination (const SinkConfig *plan);

/* Whether a spool is asked for, also where the size is known. */
gboolean sink_config_wants_spool (const SinkConfig *plan);

/* What the plan says of an upload that fails beside its recording. */
BoxTerms sink_config_get_terms (const SinkConfig *plan);

/* Whether an upload of @size bytes uses a session, rather than one request for the whole file. */
gboolean sink_config_uses_session (const SinkConfig *plan, guint64 size);

G_END_DECLS
