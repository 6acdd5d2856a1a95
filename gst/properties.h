/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkProperties: the element's properties: their descriptions, and their values behind
 * a lock. Any thread.
 */
#pragma once

#include <gst/gst.h>

#include "enums.h"

G_BEGIN_DECLS

/* The values. Strings are NULL where not set; what then holds is documented with the property. */
typedef struct
{
  char *session;
  char *location;
  char *folder_id;
  char *file_name;
  char *file_id;
  char *access_token;
  char *token_file;
  char *auth_config;
  char *as_user;
  char *endpoint;
  char *api_endpoint;
  char *ca_file;
  char *proxy;
  char *description;
  char *content_created_at;
  char *content_modified_at;
  char *spool_dir;
  guint64 total_size;
  guint64 reserve_size;
  guint64 max_spool;
  guint64 max_memory;
  guint64 upload_rate;
  guint parallel;
  guint retry_timeout;
  guint timeout;
  gboolean commit;
  gboolean errors_fatal;
  GstBoxUploadSinkUnknownSize unknown_size;
  GstBoxUploadSinkEosMode eos_mode;
  BoxIfExists if_exists;
  BoxOnError on_error;
  BoxDigestEngine digest_engine;
  BoxPaddingKind padding;
} GstBoxUploadSinkValues;

void gst_box_upload_sink_values_clear (GstBoxUploadSinkValues *values);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (GstBoxUploadSinkValues, gst_box_upload_sink_values_clear)

typedef struct
{
  GMutex lock;

  /* with lock */
  GstBoxUploadSinkValues values;
  gboolean in_use; /* an upload runs with a copy of the values */
} GstBoxUploadSinkProperties;

/* The properties that an application may set while an upload runs, for
 * gst_box_upload_sink_properties_set(). */
typedef enum
{
  GST_BOX_UPLOAD_SINK_CHANGED_NOTHING, /* or nothing that a running upload has to know */
  GST_BOX_UPLOAD_SINK_CHANGED_ACCESS_TOKEN,
  GST_BOX_UPLOAD_SINK_CHANGED_UPLOAD_RATE,
} GstBoxUploadSinkChanged;

/* The id of the one property that is not a value, "upload-stats": it belongs to the element. */
#define GST_BOX_UPLOAD_SINK_PROP_UPLOAD_STATS 1

/* Installs all properties; then a set of values, defaults first, and its end. */
void gst_box_upload_sink_properties_install (GObjectClass *klass);
void gst_box_upload_sink_properties_init (GstBoxUploadSinkProperties *self);
void gst_box_upload_sink_properties_clear (GstBoxUploadSinkProperties *self);

/* @object is named in the warning about a property that cannot be changed now. */
GstBoxUploadSinkChanged
gst_box_upload_sink_properties_set (GstBoxUploadSinkProperties *self, GObject *object, guint id,
                                    const GValue *value, GParamSpec *pspec);
void gst_box_upload_sink_properties_get (GstBoxUploadSinkProperties *self, GObject *object,
                                         guint id, GValue *value, GParamSpec *pspec);

/* Sets "location", as the URI handler does. FALSE while an upload runs. */
gboolean gst_box_upload_sink_properties_set_location (GstBoxUploadSinkProperties *self,
                                                      const char *location);

/* While TRUE, only the properties that are mutable in PLAYING can be set. */
void gst_box_upload_sink_properties_set_in_use (GstBoxUploadSinkProperties *self, gboolean in_use);

/* As they are now: for a client, or an upload, that was made when they may have been different. The
 * token (NULL: none) is freed with box_credentials_free_token(). */
char *gst_box_upload_sink_properties_dup_access_token (GstBoxUploadSinkProperties *self);
guint64 gst_box_upload_sink_properties_get_upload_rate (GstBoxUploadSinkProperties *self);

/* A deep copy to @values. */
void gst_box_upload_sink_properties_copy (GstBoxUploadSinkProperties *self,
                                          GstBoxUploadSinkValues *values);

G_END_DECLS
