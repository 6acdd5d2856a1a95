/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "properties.h"

#include "api/metadata.h"
#include "base/secret.h"

typedef enum
{
  KIND_STRING,
  KIND_SECRET, /* a string that is never readable */
  KIND_PROXY,  /* a URI that is read without its password */
  KIND_BOOLEAN,
  KIND_UINT,
  KIND_UINT64,
  KIND_ENUM,
  KIND_STRUCTURE,
} Kind;

/* One property that is kept in SinkValues. */
typedef struct
{
  const char *name;
  Kind kind;
  gsize offset;             /* in SinkValues */
  GType (*get_type) (void); /* ENUM */
  guint minimum, maximum;   /* UINT only; UINT64 has the full range */
  guint fallback;           /* numbers: the default */
  const char *text;         /* STRING: the default; may be NULL */
  const char *variable;     /* STRING: of the environment, before the default; may be NULL */
  gboolean playing;         /* can be changed while an upload runs */
  SinkChanged changed;
  const char *blurb;
} Property;

#define AT(field) G_STRUCT_OFFSET (SinkValues, field)

/* Ids are FIRST_ID + the index here. */
#define FIRST_ID (SINK_PROP_UPLOAD_STATS + 1)

static const Property properties[] = {
  {
      .name = "session",
      .kind = KIND_STRING,
      .offset = AT (session),
      .blurb =
          "ID of an existing upload session, for example from \"boxupload create\". Set exactly "
          "one of session, location, file-name and file-id",
  },
  {
      .name = "location",
      .kind = KIND_STRING,
      .offset = AT (location),
      .blurb =
          "URI of a new file, box://FOLDER_ID/PATH: percent-encoded names of folders and, last, "
          "of the file (folder 0 is the root)",
  },
  {
      .name = "folder-id",
      .kind = KIND_STRING,
      .offset = AT (folder_id),
      .text = "0",
      .blurb = "ID of the folder for file-name (0 is the root)",
  },
  {
      .name = "folder-path",
      .kind = KIND_STRING,
      .offset = AT (folder_path),
      .blurb = "Path of the folder for file-name below folder-id, without escapes, for example "
               "Archive/2026",
  },
  {
      .name = "create-folders",
      .kind = KIND_BOOLEAN,
      .offset = AT (create_folders),
      .fallback = TRUE,
      .blurb = "Whether missing folders of location and folder-path are made when the upload opens",
  },
  {
      .name = "file-name",
      .kind = KIND_STRING,
      .offset = AT (file_name),
      .blurb = "Name of a new file in folder-id, without escapes",
  },
  {
      .name = "file-id",
      .kind = KIND_STRING,
      .offset = AT (file_id),
      .blurb = "ID of a file that gets a new version",
  },
  {
      .name = "total-size",
      .kind = KIND_UINT64,
      .offset = AT (total_size),
      .blurb =
          "Exact size of the stream in bytes; a shorter or longer stream is an error. 0: the size "
          "saved by \"boxupload create\" for the session, or the size of a file source",
  },
  {
      .name = "unknown-size",
      .kind = KIND_ENUM,
      .offset = AT (unknown_size),
      .get_type = gst_box_upload_sink_unknown_size_get_type,
      .fallback = SINK_UNKNOWN_SIZE_SPOOL,
      .blurb = "Treatment of a stream whose size is not known when it begins",
  },
  {
      .name = "reserve-size",
      .kind = KIND_UINT64,
      .offset = AT (reserve_size),
      .blurb = "Size in bytes declared with unknown-size=reserve; a shorter stream is padded",
  },
  {
      .name = "ahead",
      .kind = KIND_BOOLEAN,
      .offset = AT (ahead),
      .blurb = "Whether parts leave while a stream of unknown size is recorded to the spool",
  },
  {
      .name = "expected-size",
      .kind = KIND_UINT64,
      .offset = AT (expected_size),
      .blurb = "Approximate size in bytes of the recording, with ahead. 0: the size of the last "
               "one to the same folder, otherwise 1 GiB",
  },
  {
      .name = "padding",
      .kind = KIND_ENUM,
      .offset = AT (padding),
      .get_type = gst_box_upload_sink_padding_get_type,
      .fallback = BOX_PADDING_AUTO,
      .blurb = "Filler after a stream that is shorter than reserve-size, or than the size saved by "
               "\"boxupload create\" for the session",
  },
  {
      .name = "if-exists",
      .kind = KIND_ENUM,
      .offset = AT (if_exists),
      .get_type = gst_box_upload_sink_if_exists_get_type,
      .fallback = BOX_IF_EXISTS_ERROR,
      .blurb = "Action if the name already exists",
  },
  {
      .name = "commit",
      .kind = KIND_BOOLEAN,
      .offset = AT (commit),
      .fallback = TRUE,
      .blurb = "Whether the file is committed at EOS. false: the session is filled, and the "
               "application commits it",
  },
  {
      .name = "eos-mode",
      .kind = KIND_ENUM,
      .offset = AT (eos_mode),
      .get_type = gst_box_upload_sink_eos_mode_get_type,
      .fallback = SINK_EOS_MODE_COMMIT,
      .blurb = "Meaning of EOS for the application",
  },
  {
      .name = "errors-fatal",
      .kind = KIND_BOOLEAN,
      .offset = AT (errors_fatal),
      .fallback = TRUE,
      .blurb =
          "Whether a failed upload is an ERROR. false: a WARNING, so that a failed fragment does "
          "not end the recording of splitmuxsink",
  },
  {
      .name = "spool-dir",
      .kind = KIND_STRING,
      .offset = AT (spool_dir),
      .blurb =
          "Directory that keeps recordings until they are committed. Unset: memory if the size "
          "is known, otherwise $XDG_STATE_HOME/boxupload/spool",
  },
  {
      .name = "max-spool",
      .kind = KIND_UINT64,
      .offset = AT (max_spool),
      .blurb = "Maximum size in bytes of all recordings in the spool together. 0: the size of the "
               "disk",
  },
  {
      .name = "on-error",
      .kind = KIND_ENUM,
      .offset = AT (on_error),
      .get_type = gst_box_upload_sink_on_error_get_type,
      .fallback = BOX_ON_ERROR_KEEP,
      .blurb = "Action on the upload session after a fatal error; a session given by the property "
               "session is never aborted",
  },
  {
      .name = "parallel",
      .kind = KIND_UINT,
      .offset = AT (parallel),
      .maximum = 16,
      .blurb =
          "Maximum number of parts in flight. 0: as many as make the upload fastest, up to 16, "
          "and up to 4 if their bytes are only in memory",
  },
  {
      .name = "max-memory",
      .kind = KIND_UINT64,
      .offset = AT (max_memory),
      .blurb = "Maximum bytes of parts in memory, at least two parts; the stream waits when it is "
               "reached. 0: parallel + 1 parts, or 5",
  },
  {
      .name = "upload-rate",
      .kind = KIND_UINT64,
      .offset = AT (upload_rate),
      .playing = TRUE,
      .changed = SINK_CHANGED_UPLOAD_RATE,
      .blurb = "Maximum number of bytes sent per second. 0: no limit",
  },
  {
      .name = "retry-timeout",
      .kind = KIND_UINT,
      .offset = AT (retry_timeout),
      .maximum = G_MAXUINT,
      .fallback = 600,
      .blurb = "Seconds of retries without progress before the upload fails; with a spool, counted "
               "from EOS. 0: until the session expires",
  },
  {
      .name = "timeout",
      .kind = KIND_UINT,
      .offset = AT (timeout),
      .minimum = 1,
      .maximum = 3600,
      .fallback = 60,
      .blurb =
          "Seconds without progress before a connection fails; retry-timeout limits the retries",
  },
  {
      .name = "access-token",
      .kind = KIND_SECRET,
      .offset = AT (access_token),
      .playing = TRUE,
      .changed = SINK_CHANGED_ACCESS_TOKEN,
      .blurb = "Access token, write-only, used from the next request on. Takes precedence over "
               "token-file, auth-config, $BOX_ACCESS_TOKEN, $BOX_TOKEN_FILE and $BOX_AUTH_CONFIG. "
               "Command lines are visible to other users: use token-file there",
  },
  {
      .name = "token-file",
      .kind = KIND_STRING,
      .offset = AT (token_file),
      .blurb = "File whose first line is an access token; read again when it changes and when the "
               "token is refused",
  },
  {
      .name = "auth-config",
      .kind = KIND_STRING,
      .offset = AT (auth_config),
      .blurb = "JSON file to obtain and renew access tokens with: Box's app configuration (JWT), "
               "client credentials, or a refresh token",
  },
  {
      .name = "as-user",
      .kind = KIND_STRING,
      .offset = AT (as_user),
      .blurb = "ID of the user to act as (As-User header)",
  },
  {
      .name = "digest-engine",
      .kind = KIND_ENUM,
      .offset = AT (digest_engine),
      .get_type = gst_box_upload_sink_digest_engine_get_type,
      .fallback = BOX_DIGEST_ENGINE_GLIB,
      .blurb = "Library that computes the SHA-1 of the parts",
  },
  {
      .name = "endpoint",
      .kind = KIND_STRING,
      .offset = AT (endpoint),
      .text = BOX_DEFAULT_ENDPOINT,
      .variable = "BOX_ENDPOINT",
      .blurb = "Base URL of the upload API: https, or http to a loopback address. Unset: "
               "$BOX_ENDPOINT, then Box",
  },
  {
      .name = "api-endpoint",
      .kind = KIND_STRING,
      .offset = AT (api_endpoint),
      .text = BOX_DEFAULT_API_ENDPOINT,
      .variable = "BOX_API_ENDPOINT",
      .blurb = "Base URL of the other API calls; tokens come from /oauth2/token at its origin. "
               "Unset: $BOX_API_ENDPOINT, then the server of a loopback endpoint, then Box",
  },
  {
      .name = "ca-file",
      .kind = KIND_STRING,
      .offset = AT (ca_file),
      .variable = "BOX_CA_FILE",
      .blurb = "PEM file of certificate authorities to trust in addition to the system's. Unset: "
               "$BOX_CA_FILE",
  },
  {
      .name = "proxy",
      .kind = KIND_PROXY,
      .offset = AT (proxy),
      .blurb =
          "URI of the proxy, readable without its password. Unset: the proxy of the environment",
  },
  {
      .name = "description",
      .kind = KIND_STRING,
      .offset = AT (description),
      .blurb = "Description of the file at Box",
  },
  {
      .name = "content-created-at",
      .kind = KIND_STRING,
      .offset = AT (content_created_at),
      .blurb =
          "Creation time of the content (RFC 3339, for example 2024-05-01T12:00:00Z). Unset: the "
          "wall clock at the first buffer",
  },
  {
      .name = "content-modified-at",
      .kind = KIND_STRING,
      .offset = AT (content_modified_at),
      .blurb = "Modification time of the content (RFC 3339, for example 2024-05-01T12:00:00Z)",
  },
  {
      .name = "metadata",
      .kind = KIND_STRUCTURE,
      .offset = AT (metadata),
      .blurb = "Metadata of the file at Box, set after the commit: each field is a key",
  },
  {
      .name = "metadata-template",
      .kind = KIND_STRING,
      .offset = AT (metadata_template),
      .text = BOX_METADATA_DEFAULT_TEMPLATE,
      .blurb = "Template of metadata, SCOPE.TEMPLATE",
  },
};

static const Property *
property_of_id (guint id)
{
  return id >= FIRST_ID && id - FIRST_ID < G_N_ELEMENTS (properties) ? &properties[id - FIRST_ID]
                                                                     : NULL;
}

static char **
string_at (SinkValues *values, const Property *property)
{
  return G_STRUCT_MEMBER_P (values, property->offset);
}

static gboolean
is_string (const Property *property)
{
  return property->kind == KIND_STRING || property->kind == KIND_SECRET
         || property->kind == KIND_PROXY;
}

static void
replace_string (SinkValues *values, const Property *property, char *string)
{
  char **place = string_at (values, property);

  if (property->kind == KIND_SECRET || property->kind == KIND_PROXY)
    box_credentials_free_token (*place);
  else
    g_free (*place);
  *place = string;
}

static void
replace_structure (SinkValues *values, const Property *property, const GstStructure *structure)
{
  GstStructure **place = G_STRUCT_MEMBER_P (values, property->offset);

  g_clear_pointer (place, gst_structure_free);
  *place = structure != NULL ? gst_structure_copy (structure) : NULL;
}

static GParamFlags
flags_of (const Property *property)
{
  GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

  if (property->kind != KIND_SECRET)
    flags |= G_PARAM_READABLE;
  return flags | (property->playing ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY);
}

static GParamSpec *
param_spec_new (const Property *property)
{
  const char *name = property->name;
  const char *blurb = property->blurb;
  GParamFlags flags = flags_of (property);

  switch (property->kind)
    {
    case KIND_BOOLEAN:
      return g_param_spec_boolean (name, NULL, blurb, property->fallback != 0, flags);
    case KIND_UINT:
      return g_param_spec_uint (name, NULL, blurb, property->minimum, property->maximum,
                                property->fallback, flags);
    case KIND_UINT64:
      return g_param_spec_uint64 (name, NULL, blurb, 0, G_MAXUINT64, property->fallback, flags);
    case KIND_ENUM:
      gst_type_mark_as_plugin_api (property->get_type (), 0);
      return g_param_spec_enum (name, NULL, blurb, property->get_type (), (gint) property->fallback,
                                flags);
    case KIND_STRUCTURE:
      return g_param_spec_boxed (name, NULL, blurb, GST_TYPE_STRUCTURE, flags);
    default:
      return g_param_spec_string (name, NULL, blurb, property->text, flags);
    }
}

void
sink_properties_install (GObjectClass *klass)
{
  /**
   * GstBoxUploadSink:upload-stats:
   *
   * How the upload stands; see the page of the element for the fields.
   *
   * Since: 0.1
   */
  g_object_class_install_property (
      klass, SINK_PROP_UPLOAD_STATS,
      g_param_spec_boxed ("upload-stats", NULL,
                          "Statistics of the upload: bytes-received, bytes-uploaded, bytes-total, "
                          "parts-uploaded, parts-total, parts-in-flight, parts-waiting, "
                          "parts-adopted, parallel, retries, memory, spooled, bytes-ahead, rate, "
                          "bytes-safe, running-time-safe, backlog-bytes, oldest-unsafe-age, "
                          "fill-rate, drain-rate, full-in, session-id, file-id",
                          GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    g_object_class_install_property (klass, FIRST_ID + i, param_spec_new (&properties[i]));
}

void
sink_properties_init (SinkProperties *self)
{
  g_mutex_init (&self->lock);
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    {
      gpointer place = G_STRUCT_MEMBER_P (&self->values, properties[i].offset);

      if (properties[i].kind == KIND_UINT64)
        *(guint64 *) place = properties[i].fallback;
      else if (!is_string (&properties[i]) && properties[i].kind != KIND_STRUCTURE)
        *(guint *) place = properties[i].fallback;
    }
}

void
sink_values_clear (SinkValues *values)
{
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (is_string (&properties[i]))
      replace_string (values, &properties[i], NULL);
    else if (properties[i].kind == KIND_STRUCTURE)
      replace_structure (values, &properties[i], NULL);
}

void
sink_properties_clear (SinkProperties *self)
{
  sink_values_clear (&self->values);
  g_mutex_clear (&self->lock);
}

static void
set_value_locked (SinkProperties *self, const Property *property, const GValue *value)
{
  gpointer place = G_STRUCT_MEMBER_P (&self->values, property->offset);

  switch (property->kind)
    {
    case KIND_STRING:
    case KIND_SECRET:
    case KIND_PROXY:
      replace_string (&self->values, property, g_value_dup_string (value));
      break;
    case KIND_BOOLEAN:
      *(gboolean *) place = g_value_get_boolean (value);
      break;
    case KIND_UINT:
      *(guint *) place = g_value_get_uint (value);
      break;
    case KIND_UINT64:
      *(guint64 *) place = g_value_get_uint64 (value);
      break;
    case KIND_ENUM:
      *(gint *) place = g_value_get_enum (value);
      break;
    case KIND_STRUCTURE:
      replace_structure (&self->values, property, gst_value_get_structure (value));
      break;
    }
  if (place == (gpointer) &self->values.unknown_size)
    self->values.unknown_size_is_set = TRUE;
}

SinkChanged
sink_properties_set (SinkProperties *self, GObject *object, guint id, const GValue *value,
                     GParamSpec *pspec)
{
  const Property *property = property_of_id (id);
  gboolean refused;

  if (property == NULL)
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return SINK_CHANGED_NOTHING;
    }

  g_mutex_lock (&self->lock);
  refused = self->in_use && !property->playing;
  if (!refused)
    set_value_locked (self, property, value);
  g_mutex_unlock (&self->lock);

  if (refused)
    {
      /* On standard error, as from filesink: the application has a fault. */
      g_warning ("%s: the property '%s' can only be changed in NULL and READY; ignored",
                 GST_OBJECT_NAME (object), property->name);
      return SINK_CHANGED_NOTHING;
    }
  return property->changed;
}

/* What holds if the property is not set. */
static const char *
fallback_string (const Property *property)
{
  const char *string = property->variable != NULL ? g_getenv (property->variable) : NULL;

  return string != NULL && *string != '\0' ? string : property->text;
}

static void
get_value_locked (SinkProperties *self, const Property *property, GValue *value)
{
  gconstpointer place = G_STRUCT_MEMBER_P (&self->values, property->offset);
  const char *string;

  switch (property->kind)
    {
    case KIND_STRING:
      string = *(char *const *) place;
      g_value_set_string (value, string != NULL ? string : fallback_string (property));
      break;
    case KIND_PROXY:
      string = *(char *const *) place;
      g_value_take_string (value, string != NULL ? box_secret_hide_password (string) : NULL);
      break;
    case KIND_SECRET:
      break;
    case KIND_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) place);
      break;
    case KIND_UINT:
      g_value_set_uint (value, *(const guint *) place);
      break;
    case KIND_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) place);
      break;
    case KIND_ENUM:
      g_value_set_enum (value, *(const gint *) place);
      break;
    case KIND_STRUCTURE:
      g_value_set_boxed (value, *(GstStructure *const *) place);
      break;
    }
}

void
sink_properties_get (SinkProperties *self, GObject *object, guint id, GValue *value,
                     GParamSpec *pspec)
{
  const Property *property = property_of_id (id);

  if (property == NULL)
    {
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      return;
    }
  g_mutex_lock (&self->lock);
  get_value_locked (self, property, value);
  g_mutex_unlock (&self->lock);
}

gboolean
sink_properties_set_location (SinkProperties *self, const char *location)
{
  gboolean refused;

  g_mutex_lock (&self->lock);
  refused = self->in_use;
  if (!refused)
    {
      g_free (self->values.location);
      self->values.location = g_strdup (location);
    }
  g_mutex_unlock (&self->lock);
  return !refused;
}

void
sink_properties_set_in_use (SinkProperties *self, gboolean in_use)
{
  g_mutex_lock (&self->lock);
  self->in_use = in_use;
  g_mutex_unlock (&self->lock);
}

char *
sink_properties_dup_access_token (SinkProperties *self)
{
  char *token;

  g_mutex_lock (&self->lock);
  token = g_strdup (self->values.access_token);
  g_mutex_unlock (&self->lock);
  return token;
}

guint64
sink_properties_get_upload_rate (SinkProperties *self)
{
  guint64 rate;

  g_mutex_lock (&self->lock);
  rate = self->values.upload_rate;
  g_mutex_unlock (&self->lock);
  return rate;
}

void
sink_properties_copy (SinkProperties *self, SinkValues *values)
{
  g_mutex_lock (&self->lock);
  *values = self->values;
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (is_string (&properties[i]))
      {
        char **place = string_at (values, &properties[i]);

        *place = g_strdup (*place);
      }
  values->metadata =
      self->values.metadata != NULL ? gst_structure_copy (self->values.metadata) : NULL;
  g_mutex_unlock (&self->lock);
}
