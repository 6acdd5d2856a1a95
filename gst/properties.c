/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "properties.h"

#include "api/metadata.h"
#include "base/secret.h"

/* Ids are FIRST_ID + the index in the table. */
#define FIRST_ID (SINK_PROP_UPLOAD_STATS + 1)

static const SinkProperty *
property_of_id (guint id)
{
  return id >= FIRST_ID && id - FIRST_ID < sink_property_table_size
             ? &sink_property_table[id - FIRST_ID]
             : NULL;
}

static char **
string_at (SinkValues *values, const SinkProperty *property)
{
  return G_STRUCT_MEMBER_P (values, property->offset);
}

static gboolean
is_string (const SinkProperty *property)
{
  return property->kind == SINK_KIND_STRING || property->kind == SINK_KIND_SECRET
         || property->kind == SINK_KIND_PROXY;
}

static void
replace_string (SinkValues *values, const SinkProperty *property, char *string)
{
  char **place = string_at (values, property);

  if (property->kind == SINK_KIND_SECRET || property->kind == SINK_KIND_PROXY)
    box_credentials_free_token (*place);
  else
    g_free (*place);
  *place = string;
}

static void
replace_structure (SinkValues *values, const SinkProperty *property, const GstStructure *structure)
{
  GstStructure **place = G_STRUCT_MEMBER_P (values, property->offset);

  g_clear_pointer (place, gst_structure_free);
  *place = structure != NULL ? gst_structure_copy (structure) : NULL;
}

static GParamFlags
flags_of (const SinkProperty *property)
{
  GParamFlags flags = G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS;

  if (property->kind != SINK_KIND_SECRET)
    flags |= G_PARAM_READABLE;
  return flags | (property->playing ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY);
}

static GParamSpec *
param_spec_new (const SinkProperty *property)
{
  const char *name = property->name;
  const char *blurb = property->blurb;
  GParamFlags flags = flags_of (property);

  switch (property->kind)
    {
    case SINK_KIND_BOOLEAN:
      return g_param_spec_boolean (name, NULL, blurb, property->fallback != 0, flags);
    case SINK_KIND_UINT:
      return g_param_spec_uint (name, NULL, blurb, property->minimum, property->maximum,
                                property->fallback, flags);
    case SINK_KIND_UINT64:
      return g_param_spec_uint64 (name, NULL, blurb, 0, G_MAXUINT64, property->fallback, flags);
    case SINK_KIND_ENUM:
      gst_type_mark_as_plugin_api (property->get_type (), 0);
      return g_param_spec_enum (name, NULL, blurb, property->get_type (), (gint) property->fallback,
                                flags);
    case SINK_KIND_STRUCTURE:
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

  for (guint i = 0; i < sink_property_table_size; i++)
    g_object_class_install_property (klass, FIRST_ID + i, param_spec_new (&sink_property_table[i]));
}

void
sink_properties_init (SinkProperties *self)
{
  g_mutex_init (&self->lock);
  for (guint i = 0; i < sink_property_table_size; i++)
    {
      gpointer place = G_STRUCT_MEMBER_P (&self->values, sink_property_table[i].offset);

      if (sink_property_table[i].kind == SINK_KIND_UINT64)
        *(guint64 *) place = sink_property_table[i].fallback;
      else if (!is_string (&sink_property_table[i])
               && sink_property_table[i].kind != SINK_KIND_STRUCTURE)
        *(guint *) place = sink_property_table[i].fallback;
    }
}

void
sink_values_clear (SinkValues *values)
{
  for (guint i = 0; i < sink_property_table_size; i++)
    if (is_string (&sink_property_table[i]))
      replace_string (values, &sink_property_table[i], NULL);
    else if (sink_property_table[i].kind == SINK_KIND_STRUCTURE)
      replace_structure (values, &sink_property_table[i], NULL);
}

void
sink_properties_clear (SinkProperties *self)
{
  sink_values_clear (&self->values);
  g_mutex_clear (&self->lock);
}

static void
set_value_locked (SinkProperties *self, const SinkProperty *property, const GValue *value)
{
  gpointer place = G_STRUCT_MEMBER_P (&self->values, property->offset);

  switch (property->kind)
    {
    case SINK_KIND_STRING:
    case SINK_KIND_SECRET:
    case SINK_KIND_PROXY:
      replace_string (&self->values, property, g_value_dup_string (value));
      break;
    case SINK_KIND_BOOLEAN:
      *(gboolean *) place = g_value_get_boolean (value);
      break;
    case SINK_KIND_UINT:
      *(guint *) place = g_value_get_uint (value);
      break;
    case SINK_KIND_UINT64:
      *(guint64 *) place = g_value_get_uint64 (value);
      break;
    case SINK_KIND_ENUM:
      *(gint *) place = g_value_get_enum (value);
      break;
    case SINK_KIND_STRUCTURE:
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
  const SinkProperty *property = property_of_id (id);
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
fallback_string (const SinkProperty *property)
{
  const char *string = property->variable != NULL ? g_getenv (property->variable) : NULL;

  return string != NULL && *string != '\0' ? string : property->text;
}

static void
get_value_locked (SinkProperties *self, const SinkProperty *property, GValue *value)
{
  gconstpointer place = G_STRUCT_MEMBER_P (&self->values, property->offset);
  const char *string;

  switch (property->kind)
    {
    case SINK_KIND_STRING:
      string = *(char *const *) place;
      g_value_set_string (value, string != NULL ? string : fallback_string (property));
      break;
    case SINK_KIND_PROXY:
      string = *(char *const *) place;
      g_value_take_string (value, string != NULL ? box_secret_hide_password (string) : NULL);
      break;
    case SINK_KIND_SECRET:
      break;
    case SINK_KIND_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) place);
      break;
    case SINK_KIND_UINT:
      g_value_set_uint (value, *(const guint *) place);
      break;
    case SINK_KIND_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) place);
      break;
    case SINK_KIND_ENUM:
      g_value_set_enum (value, *(const gint *) place);
      break;
    case SINK_KIND_STRUCTURE:
      g_value_set_boxed (value, *(GstStructure *const *) place);
      break;
    }
}

void
sink_properties_get (SinkProperties *self, GObject *object, guint id, GValue *value,
                     GParamSpec *pspec)
{
  const SinkProperty *property = property_of_id (id);

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
  for (guint i = 0; i < sink_property_table_size; i++)
    if (is_string (&sink_property_table[i]))
      {
        char **place = string_at (values, &sink_property_table[i]);

        *place = g_strdup (*place);
      }
  values->metadata =
      self->values.metadata != NULL ? gst_structure_copy (self->values.metadata) : NULL;
  g_mutex_unlock (&self->lock);
}
