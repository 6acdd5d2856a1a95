/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkProperties: the element's properties: their descriptions, and their values behind a lock. Any
 * thread. Their enumerations are GTypes, with the nicknames that launch lines use (enums.c).
 */
#pragma once

#include <gst/gst.h>

#include "base/padding.h"
#include "upload/upload.h"

G_BEGIN_DECLS

typedef enum
{
  SINK_UNKNOWN_SIZE_SPOOL,
  SINK_UNKNOWN_SIZE_LIVE,
  SINK_UNKNOWN_SIZE_RESERVE,
  SINK_UNKNOWN_SIZE_ERROR,
} SinkUnknownSize;

typedef enum
{
  SINK_EOS_MODE_COMMIT,
  SINK_EOS_MODE_SPOOL,
} SinkEosMode;

#define GST_TYPE_BOX_UPLOAD_SINK_IF_EXISTS (gst_box_upload_sink_if_exists_get_type ())
GType gst_box_upload_sink_if_exists_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_ON_ERROR (gst_box_upload_sink_on_error_get_type ())
GType gst_box_upload_sink_on_error_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_DIGEST_ENGINE (gst_box_upload_sink_digest_engine_get_type ())
GType gst_box_upload_sink_digest_engine_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_PADDING (gst_box_upload_sink_padding_get_type ())
GType gst_box_upload_sink_padding_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_UNKNOWN_SIZE (gst_box_upload_sink_unknown_size_get_type ())
GType gst_box_upload_sink_unknown_size_get_type (void);

#define GST_TYPE_BOX_UPLOAD_SINK_EOS_MODE (gst_box_upload_sink_eos_mode_get_type ())
GType gst_box_upload_sink_eos_mode_get_type (void);

/* The values. Strings are NULL if not set; the property's documentation has the default. */
typedef struct
{
  char *session;
  char *location;
  char *folder_id;
  char *folder_path;
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
  char *metadata_template;
  GstStructure *metadata;
  char *spool_dir;
  guint64 total_size;
  guint64 reserve_size;
  guint64 expected_size;
  guint64 max_spool;
  guint64 max_memory;
  guint64 upload_rate;
  guint parallel;
  guint retry_timeout;
  guint timeout;
  gboolean create_folders;
  gboolean commit;
  gboolean ahead;
  gboolean errors_fatal;
  SinkUnknownSize unknown_size;
  gboolean unknown_size_is_set; /* by the application, perhaps to the default */
  SinkEosMode eos_mode;
  BoxIfExists if_exists;
  BoxOnError on_error;
  BoxDigestEngine digest_engine;
  BoxPaddingKind padding;
} SinkValues;

void sink_values_clear (SinkValues *values);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SinkValues, sink_values_clear)

typedef struct
{
  GMutex lock;

  /* with lock */
  SinkValues values;
  gboolean in_use; /* an upload runs with a copy of the values */
} SinkProperties;

/* The properties that an application may set while an upload runs, for sink_properties_set(). */
typedef enum
{
  SINK_CHANGED_NOTHING, /* or nothing that a running upload has to know */
  SINK_CHANGED_ACCESS_TOKEN,
  SINK_CHANGED_UPLOAD_RATE,
} SinkChanged;

/* The id of the one property that is not a value, "upload-stats": it belongs to the element. */
#define SINK_PROP_UPLOAD_STATS 1

/* Installs all properties; then a set of values, defaults first, and its end. */
void sink_properties_install (GObjectClass *klass);
void sink_properties_init (SinkProperties *self);
void sink_properties_clear (SinkProperties *self);

/* @object is named in the warning about a property that cannot be changed now. */
SinkChanged sink_properties_set (SinkProperties *self, GObject *object, guint id,
                                 const GValue *value, GParamSpec *pspec);
void sink_properties_get (SinkProperties *self, GObject *object, guint id, GValue *value,
                          GParamSpec *pspec);

/* Sets "location", as the URI handler does. FALSE while an upload runs. */
gboolean sink_properties_set_location (SinkProperties *self, const char *location);

/* While TRUE, only the properties that are mutable in PLAYING can be set. */
void sink_properties_set_in_use (SinkProperties *self, gboolean in_use);

/* The present values, for a client or an upload that was made with earlier ones. The token (NULL:
 * none) is freed with box_credentials_free_token(). */
char *sink_properties_dup_access_token (SinkProperties *self);
guint64 sink_properties_get_upload_rate (SinkProperties *self);

/* A deep copy to @values. */
void sink_properties_copy (SinkProperties *self, SinkValues *values);

/*
 * The table of the properties that are kept in SinkValues, upload-stats is not: what each is, where
 * its value is, and its documentation (property-table.c).
 */

typedef enum
{
  SINK_KIND_STRING,
  SINK_KIND_SECRET, /* a string that is never readable */
  SINK_KIND_PROXY,  /* a URI that is read without its password */
  SINK_KIND_BOOLEAN,
  SINK_KIND_UINT,
  SINK_KIND_UINT64,
  SINK_KIND_ENUM,
  SINK_KIND_STRUCTURE,
} SinkPropertyKind;

/* One property that is kept in SinkValues. */
typedef struct
{
  const char *name;
  SinkPropertyKind kind;
  gsize offset;             /* in SinkValues */
  GType (*get_type) (void); /* ENUM */
  guint minimum, maximum;   /* UINT only; UINT64 has the full range */
  guint fallback;           /* numbers: the default */
  const char *text;         /* STRING: the default; may be NULL */
  const char *variable;     /* STRING: of the environment, before the default; may be NULL */
  gboolean playing;         /* can be changed while an upload runs */
  SinkChanged changed;
  const char *blurb;
} SinkProperty;

/* In the order of their ids. */
extern const SinkProperty sink_property_table[];
extern const guint sink_property_table_size;

G_END_DECLS
