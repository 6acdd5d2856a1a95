/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "api/account.h"
#include "base/text.h"

static void
note_if_set (const char *value, const char *name, const char *set[], guint *n)
{
  if (value != NULL && *value != '\0' && *n < 2)
    set[(*n)++] = name;
}

static BoxDestination *
new_named (const SinkValues *values, GError **error)
{
  g_auto (GStrv) path = NULL;

  if (values->folder_path != NULL && *values->folder_path != '\0'
      && (path = box_destination_parse_path (values->folder_path, error)) == NULL)
    return NULL;
  return box_destination_new_in_path (values->folder_id, (const char *const *) path,
                                      values->create_folders, values->file_name, error);
}

static BoxDestination *
new_located (const SinkValues *values, GError **error)
{
  BoxDestination *destination = box_destination_new_from_uri (values->location, error);

  if (destination != NULL)
    destination->no_create = destination->path != NULL && !values->create_folders;
  return destination;
}

BoxDestination *
sink_config_new_destination (const SinkValues *values, GError **error)
{
  if (values->location != NULL && *values->location != '\0')
    return new_located (values, error);
  return new_named (values, error);
}

static BoxDestination *
find_destination (const SinkValues *values, GError **error)
{
  const char *set[2] = { NULL, NULL };
  guint n = 0;

  note_if_set (values->session, "session", set, &n);
  note_if_set (values->location, "location", set, &n);
  note_if_set (values->file_name, "file-name", set, &n);
  note_if_set (values->file_id, "file-id", set, &n);

  if (n == 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "No destination: set one of the properties session, location "
                   "(box://FOLDER_ID/NAME), file-name%s and file-id",
                   values->folder_id != NULL ? " (folder-id alone is not enough)"
                                             : " (with folder-id)");
      return NULL;
    }
  if (n > 1)
    {
      g_set_error (
          error, BOX_ERROR, BOX_ERROR_SETTINGS,
          "Two destinations: the properties %s and %s are both set; a recording goes to one "
          "of them",
          set[0], set[1]);
      return NULL;
    }

  if (values->session != NULL && *values->session != '\0')
    return box_destination_new_session (values->session, error);
  if (values->file_id != NULL && *values->file_id != '\0')
    return box_destination_new_file (values->file_id, error);
  return sink_config_new_destination (values, error);
}

static gboolean
check_time (const char *name, const char *time, GError **error)
{
  if (time == NULL || box_text_is_time (time))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "The property %s must be a time with its zone, for example 2024-05-01T12:00:00Z",
               name);
  return FALSE;
}

static gboolean
check_size (const char *name, guint64 size, GError **error)
{
  if (size <= BOX_SESSION_MAX_SIZE)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "The property %s says %" G_GUINT64_FORMAT " bytes, but no file at Box can have more "
               "than %" G_GUINT64_FORMAT,
               name, size, BOX_SESSION_MAX_SIZE);
  return FALSE;
}

static gboolean
check_reserve (const SinkValues *values, GError **error)
{
  if (values->unknown_size != SINK_UNKNOWN_SIZE_RESERVE
      || values->reserve_size >= BOX_SESSION_MIN_SIZE)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "With unknown-size=reserve the property reserve-size must say how many bytes to "
               "reserve, at least %" G_GUINT64_FORMAT " (Box takes no smaller upload session)",
               BOX_SESSION_MIN_SIZE);
  return FALSE;
}

/* What one request cannot do. */
static gboolean
check_live (const SinkConfig *config, GError **error)
{
  const SinkValues *values = &config->values;
  const char *reason = NULL;

  if (values->unknown_size != SINK_UNKNOWN_SIZE_LIVE || values->total_size > 0
      || config->note != NULL)
    return TRUE;
  if (config->destination->kind == BOX_DESTINATION_SESSION)
    reason = "a session takes parts only: name the destination by location, file-name or file-id";
  else if (!values->commit)
    reason = "what one request carries needs no commit: leave commit at true";
  else if (values->eos_mode == SINK_EOS_MODE_SPOOL)
    reason = "eos-mode=spool leaves the upload to others: use unknown-size=spool with it";
  if (reason == NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "unknown-size=live cannot be used here: %s",
               reason);
  return FALSE;
}

static BoxClient *
make_client (const SinkValues *values, GError **error)
{
  BoxClientSettings settings = {
    .endpoint = values->endpoint,
    .api_endpoint = values->api_endpoint,
    .as_user = values->as_user,
    .ca_file = values->ca_file,
    .proxy = values->proxy,
    .timeout = values->timeout,
    .access_token = values->access_token,
    .token_file = values->token_file,
    .auth_config = values->auth_config,
  };

  return box_client_new (&settings, error);
}

/* An unreadable note matters only if no other setting gives the size. @error is not NULL. */
static gboolean
load_note (SinkConfig *config, GError **error)
{
  guint64 total_size = config->values.total_size;

  if (config->destination->kind != BOX_DESTINATION_SESSION)
    return TRUE;

  config->note = box_note_load (config->destination->session_id, total_size == 0 ? error : NULL);
  if (config->note == NULL)
    return *error == NULL;
  if (total_size == 0 || total_size == config->note->size)
    return TRUE;

  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "The property total-size says %" G_GUINT64_FORMAT
               " bytes, but session %s was created "
               "for %" G_GUINT64_FORMAT,
               total_size, config->note->session_id, config->note->size);
  return FALSE;
}

SinkConfig *
sink_config_new (SinkProperties *properties, GError **error)
{
  g_autoptr (SinkConfig) config = g_new0 (SinkConfig, 1);
  GError *local_error = NULL;

  sink_properties_copy (properties, &config->values);
  config->destination = find_destination (&config->values, error);
  if (config->destination == NULL)
    return NULL;
  if (!check_time ("content-created-at", config->values.content_created_at, error)
      || !check_time ("content-modified-at", config->values.content_modified_at, error)
      || !check_size ("total-size", config->values.total_size, error)
      || !check_size ("reserve-size", config->values.reserve_size, error)
      || !check_size ("expected-size", config->values.expected_size, error)
      || !check_reserve (&config->values, error))
    return NULL;
  if (!load_note (config, &local_error))
    {
      g_propagate_error (error, local_error);
      return NULL;
    }
  if (!check_live (config, error))
    return NULL;
  if (config->values.metadata != NULL && gst_structure_n_fields (config->values.metadata) > 0
      && (config->metadata =
              sink_metadata_new (config->values.metadata, config->values.metadata_template, error))
             == NULL)
    return NULL;
  config->client = make_client (&config->values, error);
  if (config->client == NULL)
    return NULL;
  config->account_file = box_account_default_path ();
  return g_steal_pointer (&config);
}

void
sink_config_free (SinkConfig *config)
{
  sink_values_clear (&config->values);
  g_clear_pointer (&config->destination, box_destination_free);
  g_clear_pointer (&config->client, box_client_unref);
  g_clear_pointer (&config->metadata, box_metadata_unref);
  g_free (config->account_file);
  g_clear_pointer (&config->note, box_note_free);
  g_free (config);
}

BoxUploadSettings
sink_config_get_upload (const SinkConfig *config, guint64 size)
{
  const SinkValues *values = &config->values;

  return (BoxUploadSettings){
    .client = config->client,
    .destination = config->destination,
    .session_target = config->note != NULL ? config->note->destination : NULL,
    .size = size,
    .if_exists = values->if_exists,
    .on_error = values->on_error,
    .commit = values->commit,
    .parallel = values->parallel,
    .max_memory = values->max_memory,
    .upload_rate = values->upload_rate,
    .retry_timeout = values->retry_timeout,
    .digest_engine = values->digest_engine,
    .attributes = {
      .description = values->description,
      .content_created_at = values->content_created_at,
      .content_modified_at = values->content_modified_at,
    },
    .metadata = config->metadata,
  };
}

char *
sink_config_describe_destination (const SinkConfig *config)
{
  const BoxDestination *destination = config->destination;

  switch (destination->kind)
    {
    case BOX_DESTINATION_SESSION:
      return g_strdup_printf ("session %s", destination->session_id);
    case BOX_DESTINATION_FILE:
      return g_strdup_printf ("file %s", destination->file_id);
    case BOX_DESTINATION_FOLDER:
      break;
    }
  return box_destination_to_uri (destination);
}

gboolean
sink_config_wants_spool (const SinkConfig *config)
{
  const SinkValues *values = &config->values;

  return (values->spool_dir != NULL && *values->spool_dir != '\0')
         || values->eos_mode == SINK_EOS_MODE_SPOOL;
}

BoxSpool *
sink_config_open_spool (const SinkConfig *config, GError **error)
{
  const char *dir = config->values.spool_dir;

  return box_spool_open (dir != NULL && *dir != '\0' ? dir : NULL, config->values.max_spool, error);
}

gboolean
sink_config_uses_session (const SinkConfig *config, guint64 size)
{
  return config->destination->kind == BOX_DESTINATION_SESSION || size >= BOX_SESSION_MIN_SIZE;
}
