/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkConfig: the checked values of the properties, as an upload needs them: the destination of
 * the file, the client, and the note of a session. Made without the network. Immutable.
 */
#pragma once

#include "properties.h"
#include "spool/note.h"
#include "spool/spool.h"
#include "upload/upload.h"

G_BEGIN_DECLS

typedef struct
{
  SinkValues values;
  BoxDestination *destination;
  BoxClient *client;
  BoxMetadata *metadata; /* nullable */
  char *account_file;    /* what is known of its account */
  BoxNote *note;         /* of a session that "boxupload create" made, else NULL */
} SinkConfig;

/* BOX_ERROR_SETTINGS names the wrong property, other codes the wrong file. */
SinkConfig *sink_config_new (SinkProperties *properties, GError **error);
void sink_config_free (SinkConfig *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SinkConfig, sink_config_free)

/* The destination that location, or file-name with its folder, says. BOX_ERROR_SETTINGS. */
BoxDestination *sink_config_new_destination (const SinkValues *values, GError **error);

/* The settings of an upload of @size bytes; what they point to is owned by @plan. */
BoxUploadSettings sink_config_get_upload (const SinkConfig *plan, guint64 size);

/* The destination for people: a box:// URI, "session ID" or "file ID". Free with g_free(). */
char *sink_config_describe_destination (const SinkConfig *plan);

/* Whether the settings ask for a spool, even if the size is known. */
gboolean sink_config_wants_spool (const SinkConfig *plan);

/* Opens the spool. BOX_ERROR_STORAGE. */
BoxSpool *sink_config_open_spool (const SinkConfig *plan, GError **error);

/* Whether an upload of @size bytes uses a session, rather than one request for the whole file. */
gboolean sink_config_uses_session (const SinkConfig *plan, guint64 size);

G_END_DECLS
