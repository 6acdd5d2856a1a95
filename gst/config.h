/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkPlan: what the properties say, checked and made into what an upload needs: where
 * the file goes, the client, and what is noted of a session. Made without the network. Immutable.
 */
#pragma once

#include "delivery/attempt.h"
#include "properties.h"
#include "spool/note.h"
#include "terms.h"

G_BEGIN_DECLS

typedef struct
{
  GstBoxUploadSinkValues values;
  BoxDestination *destination;
  BoxClient *client;
  BoxNote *note; /* of a session that "boxupload create" made, else NULL */
} GstBoxUploadSinkPlan;

/* BOX_ERROR_SETTINGS names the property, other codes the file, that has to be mended. */
GstBoxUploadSinkPlan *
gst_box_upload_sink_plan_new (GstBoxUploadSinkProperties *properties, GError **error);
void gst_box_upload_sink_plan_free (GstBoxUploadSinkPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstBoxUploadSinkPlan, gst_box_upload_sink_plan_free)

/* An upload of @size bytes as planned, not yet started; see box_upload_new(). */
BoxUpload *gst_box_upload_sink_plan_make_upload (const GstBoxUploadSinkPlan *plan, guint64 size,
                                                 const BoxUploadEvents *events, gpointer user_data,
                                                 GDestroyNotify destroy, GError **error);

/* The same of a recording, see box_delivery_new(). */
BoxDelivery *
gst_box_upload_sink_plan_make_delivery (const GstBoxUploadSinkPlan *plan, BoxRecording *recording,
                                        guint64 size, const BoxUploadEvents *events,
                                        gpointer user_data, GError **error);

/* The destination for people: a box:// URI, "session ID" or "file ID". Free with g_free(). */
char *gst_box_upload_sink_plan_describe_destination (const GstBoxUploadSinkPlan *plan);

/* Whether a spool is asked for, also where the size is known. */
gboolean gst_box_upload_sink_plan_wants_spool (const GstBoxUploadSinkPlan *plan);

/* What the plan says of an upload that fails beside its recording; whether the size is a reserve it
 * does not. */
GstBoxUploadSinkTerms gst_box_upload_sink_plan_get_terms (const GstBoxUploadSinkPlan *plan);

/* Whether an upload of @size bytes uses a session, rather than one request for the whole file. */
gboolean gst_box_upload_sink_plan_uses_session (const GstBoxUploadSinkPlan *plan, guint64 size);

G_END_DECLS
