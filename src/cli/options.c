/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/options.h"

#include "api/account.h"
#include "base/text.h"

#include <string.h>

#define MAX_PARALLEL 16

void
cli_options_init (CliOptions *options)
{
  memset (options, 0, sizeof *options);
  options->retry_timeout = -1;
  options->keep = BOX_KEEP_UNPLAYABLE;
  options->account_file = box_account_default_path ();
}

void
cli_options_clear (CliOptions *options)
{
  g_free (options->spool_dir);
  g_free (options->account_file);
  g_free (options->endpoint);
  g_free (options->api_endpoint);
  g_free (options->token_file);
  g_free (options->auth_config);
  g_free (options->as_user);
  g_free (options->ca_file);
  g_free (options->proxy);
  g_free (options->upload_rate);
  g_free (options->max_memory);
  g_free (options->digest_engine);
  g_free (options->if_exists);
  g_free (options->on_error);
  g_free (options->description);
  g_free (options->content_created_at);
  g_free (options->content_modified_at);
  g_strfreev (options->metadata);
  g_free (options->metadata_template);
  g_clear_pointer (&options->parsed_metadata, box_metadata_unref);
  memset (options, 0, sizeof *options);
}

/* The position of @value in @values; 0 for NULL. */
static gboolean
parse_choice (const char *value, const char *const *values, const char *what, guint *choice,
              GError **error)
{
  g_autofree char *known = NULL;

  *choice = 0;
  if (value == NULL)
    return TRUE;
  for (guint i = 0; values[i] != NULL; i++)
    if (g_str_equal (value, values[i]))
      {
        *choice = i;
        return TRUE;
      }
  known = g_strjoinv (", ", (char **) values);
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "%s takes one of %s, not “%s”", what, known,
               value);
  return FALSE;
}

/* --keep-interrupted[=WHICH]. */
static gboolean
parse_keep (const char *name, const char *value, gpointer data, GError **error)
{
  static const char *const names[] = { "none", "unplayable", "all", NULL };
  CliOptions *options = data;
  guint keep = BOX_KEEP_CUT;

  if (value != NULL && !parse_choice (value, names, "--keep-interrupted", &keep, error))
    return FALSE;
  options->keep = (BoxKeep) keep;
  return TRUE;
}

GOptionGroup *
cli_options_new_spool_group (CliOptions *options, gboolean finishes)
{
  const GOptionEntry entries[] = {
    { "spool-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->spool_dir,
      "The element's name for the argument DIR", "DIR" },
    { NULL },
  };
  const GOptionEntry more_entries[] = {
    { "keep-interrupted", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK,
      (gpointer) parse_keep, "Keep recordings that were cut short: none, unplayable (default), all",
      "WHICH" },
    { NULL },
  };
  GOptionGroup *group =
      g_option_group_new ("spool", "Spool:", "Show the spool's options", options, NULL);

  g_option_group_add_entries (group, entries);
  if (finishes)
    g_option_group_add_entries (group, more_entries);
  return group;
}

GOptionGroup *
cli_options_new_connection_group (CliOptions *options)
{
  const GOptionEntry entries[] = {
    { "token-file", 0, 0, G_OPTION_ARG_FILENAME, &options->token_file,
      "File with an access token, read again when it is refused", "FILE" },
    { "auth-config", 0, 0, G_OPTION_ARG_FILENAME, &options->auth_config,
      "JSON: app configuration (JWT), client credentials or refresh token", "FILE" },
    { "as-user", 0, 0, G_OPTION_ARG_STRING, &options->as_user, "Act as this user", "ID" },
    { "endpoint", 0, 0, G_OPTION_ARG_STRING, &options->endpoint,
      "Base URL of uploads (default: $BOX_ENDPOINT, " BOX_DEFAULT_ENDPOINT ")", "URL" },
    { "api-endpoint", 0, 0, G_OPTION_ARG_STRING, &options->api_endpoint,
      "Base URL of other calls (default: $BOX_API_ENDPOINT, " BOX_DEFAULT_API_ENDPOINT ")", "URL" },
    { "ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file,
      "Authorities to trust besides the system's (PEM; default: $BOX_CA_FILE)", "FILE" },
    { "proxy", 0, 0, G_OPTION_ARG_STRING, &options->proxy,
      "Proxy (default: the proxy of the environment)", "URI" },
    { "timeout", 0, 0, G_OPTION_ARG_INT, &options->timeout,
      "Time without progress before a connection fails (default: 60)", "SECONDS" },
    { "retry-timeout", 0, 0, G_OPTION_ARG_INT, &options->retry_timeout,
      "Time to retry temporary failures; 0: forever (default: 600, short calls 60)", "SECONDS" },
    { NULL },
  };
  GOptionGroup *group =
      g_option_group_new ("connection", "Connection:", "Show the connection options", NULL, NULL);

  g_option_group_add_entries (group, entries);
  return group;
}

GOptionGroup *
cli_options_new_transfer_group (CliOptions *options)
{
  const GOptionEntry entries[] = {
    { "parallel", 0, 0, G_OPTION_ARG_INT, &options->parallel,
      "Parts of a file in flight, 1 to 16 (default: 0, as many as make it fastest)", "N" },
    { "upload-rate", 0, 0, G_OPTION_ARG_STRING, &options->upload_rate,
      "Bytes per second of all files together, such as 20MB, a timetable such as \"08:00-18:00 "
      "2MB, "
      "off\", or @FILE with one, which may change (default: no limit)",
      "RATE" },
    { "digest-engine", 0, 0, G_OPTION_ARG_STRING, &options->digest_engine,
      "Library for the digests of parts: glib (default), gnutls", "NAME" },
    { NULL },
  };
  GOptionGroup *group =
      g_option_group_new ("transfer", "Transfer:", "Show the transfer options", NULL, NULL);

  g_option_group_add_entries (group, entries);
  return group;
}

/* Makes the metadata of its pairs. */
static gboolean
parse_metadata (GOptionContext *context, GOptionGroup *group, gpointer data, GError **error)
{
  CliOptions *options = data;

  if (options->metadata == NULL)
    return TRUE;
  options->parsed_metadata = box_metadata_new_from_pairs (
      options->metadata_template, (const char *const *) options->metadata, error);
  return options->parsed_metadata != NULL;
}

GOptionGroup *
cli_options_new_upload_group (CliOptions *options)
{
  const GOptionEntry entries[] = {
    { "if-exists", 0, 0, G_OPTION_ARG_STRING, &options->if_exists,
      "If the name exists: error (default), version, rename, skip", "POLICY" },
    { "on-error", 0, 0, G_OPTION_ARG_STRING, &options->on_error,
      "The session of a failed upload: keep (default), abort", "POLICY" },
    { "max-memory", 0, 0, G_OPTION_ARG_STRING, &options->max_memory,
      "Bytes of a file's parts in memory (default: --parallel + 1 parts, or 4)", "SIZE" },
    { "description", 0, 0, G_OPTION_ARG_STRING, &options->description,
      "Description of the file at Box", "TEXT" },
    { "content-created-at", 0, 0, G_OPTION_ARG_STRING, &options->content_created_at,
      "Creation time of the content (RFC 3339)", "TIME" },
    { "content-modified-at", 0, 0, G_OPTION_ARG_STRING, &options->content_modified_at,
      "Modification time (RFC 3339; default: the local file's)", "TIME" },
    { "metadata", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->metadata,
      "Metadata of the file, may be repeated; KEY:=JSON for numbers and lists", "KEY=VALUE" },
    { "metadata-template", 0, 0, G_OPTION_ARG_STRING, &options->metadata_template,
      "Template of the metadata (default: " BOX_METADATA_DEFAULT_TEMPLATE ")", "SCOPE.TEMPLATE" },
    { NULL },
  };
  GOptionGroup *group = g_option_group_new (
      "file", "File at Box:", "Show the options of the file at Box", options, NULL);

  g_option_group_add_entries (group, entries);
  g_option_group_set_parse_hooks (group, NULL, parse_metadata);
  return group;
}

BoxDestination *
cli_options_new_destination_below (const CliPlace *place, char *const *folders, const char *name,
                                   GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) above = NULL;
  g_auto (GStrv) path = NULL;

  if (place->folder_path != NULL
      && (above = box_destination_parse_path (place->folder_path, error)) == NULL)
    return NULL;
  if (above != NULL)
    g_strv_builder_addv (builder, (const char **) above);
  if (folders != NULL)
    g_strv_builder_addv (builder, (const char **) folders);
  path = g_strv_builder_end (builder);
  return box_destination_new_in_path (place->folder, (const char *const *) path, !place->no_create,
                                      name, error);
}

BoxDestination *
cli_options_new_destination (const CliPlace *place, const char *name, GError **error)
{
  return cli_options_new_destination_below (place, NULL, name, error);
}

gboolean
cli_options_has_place (const CliPlace *place)
{
  return place->folder != NULL || place->folder_path != NULL || place->no_create;
}

gboolean
cli_options_get_recovery_settings (const CliOptions *options, BoxClient *client,
                                   BoxRecoverySettings *settings, GError **error)
{
  BoxUploadSettings upload;

  if (!cli_options_get_upload_settings (options, &upload, error))
    return FALSE;
  *settings = (BoxRecoverySettings){
    .client = client,
    .parallel = upload.parallel,
    .upload_rate = upload.upload_rate,
    .retry_timeout = upload.retry_timeout,
    .digest_engine = upload.digest_engine,
    .keep = options->keep,
    .account_file = options->account_file,
  };
  return TRUE;
}

static void
append_option (GString *text, const char *name, const char *value)
{
  g_autofree char *quoted = value != NULL ? g_shell_quote (value) : NULL;

  if (value != NULL)
    g_string_append_printf (text, " --%s %s", name, quoted);
}

char *
cli_options_format_connection (const CliOptions *options)
{
  GString *text = g_string_new (NULL);

  append_option (text, "token-file", options->token_file);
  append_option (text, "auth-config", options->auth_config);
  append_option (text, "as-user", options->as_user);
  append_option (text, "endpoint", options->endpoint);
  append_option (text, "api-endpoint", options->api_endpoint);
  append_option (text, "ca-file", options->ca_file);
  /* It may hold a password. */
  if (options->proxy != NULL && strchr (options->proxy, '@') == NULL)
    append_option (text, "proxy", options->proxy);
  if (options->timeout > 0)
    g_string_append_printf (text, " --timeout %d", options->timeout);
  if (options->retry_timeout >= 0)
    g_string_append_printf (text, " --retry-timeout %d", options->retry_timeout);
  return g_string_free (text, FALSE);
}

char *
cli_options_format_transfer (const CliOptions *options)
{
  GString *text = g_string_new (NULL);

  if (options->parallel > 0)
    g_string_append_printf (text, " --parallel %d", options->parallel);
  append_option (text, "upload-rate", options->upload_rate);
  append_option (text, "digest-engine", options->digest_engine);
  append_option (text, "max-memory", options->max_memory);
  append_option (text, "description", options->description);
  append_option (text, "content-created-at", options->content_created_at);
  append_option (text, "content-modified-at", options->content_modified_at);
  for (gsize i = 0; options->metadata != NULL && options->metadata[i] != NULL; i++)
    append_option (text, "metadata", options->metadata[i]);
  append_option (text, "metadata-template", options->metadata_template);
  return g_string_free (text, FALSE);
}

char *
cli_options_get_spool_dir (const CliOptions *options, const char *argument, GError **error)
{
  if (argument != NULL && options->spool_dir != NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "Name one directory: the argument DIR or --spool-dir");
      return NULL;
    }
  if (argument == NULL && options->spool_dir == NULL)
    return box_spool_default_path ();
  return g_strdup (argument != NULL ? argument : options->spool_dir);
}

gboolean
cli_options_open_spool (const CliOptions *options, const char *argument, const char *dir,
                        BoxSpool **spool, GError **error)
{
  *spool = NULL;
  if (g_file_test (dir, G_FILE_TEST_EXISTS))
    {
      *spool = box_spool_open (dir, 0, error);
      return *spool != NULL;
    }
  if (argument == NULL && options->spool_dir == NULL)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
               "There is no spool “%s”: check the path; a recorder makes the directory when it "
               "records into it for the first time",
               dir);
  return FALSE;
}

guint
cli_options_get_retry_timeout (const CliOptions *options, guint fallback)
{
  return options->retry_timeout >= 0 ? (guint) options->retry_timeout : fallback;
}

gboolean
cli_options_get_client_settings (const CliOptions *options, BoxClientSettings *settings,
                                 GError **error)
{
  if (options->timeout < 0 || options->retry_timeout < -1)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "--timeout and --retry-timeout take seconds, which are not negative");
      return FALSE;
    }
  *settings = (BoxClientSettings){
    .endpoint = options->endpoint,
    .api_endpoint = options->api_endpoint,
    .as_user = options->as_user,
    .ca_file = options->ca_file,
    .proxy = options->proxy,
    .timeout = (guint) options->timeout,
    .token_file = options->token_file,
    .auth_config = options->auth_config,
  };
  return TRUE;
}

gboolean
cli_options_parse_if_exists (const char *text, BoxIfExists *if_exists, GError **error)
{
  static const char *const names[] = { "error", "version", "rename", NULL };
  guint choice;

  if (!parse_choice (text, names, "--if-exists", &choice, error))
    return FALSE;
  *if_exists = (BoxIfExists) choice;
  return TRUE;
}

gboolean
cli_options_parse_unknown_size (const char *text, CliUnknownSize *how, GError **error)
{
  static const char *const names[] = { "spool", "live", "ahead", NULL };
  guint choice;

  if (!parse_choice (text, names, "--unknown-size", &choice, error))
    return FALSE;
  *how = (CliUnknownSize) choice;
  return TRUE;
}

gboolean
cli_options_skips_same (const CliOptions *options)
{
  return g_strcmp0 (options->if_exists, "skip") == 0;
}

static gboolean
check_time (const char *option, const char *time, GError **error)
{
  if (time == NULL || box_text_is_time (time))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "%s takes a time with its zone, such as 2024-05-01T12:00:00Z, not “%s”", option,
               time);
  return FALSE;
}

gboolean
cli_options_check_attributes (const BoxAttributes *attributes, GError **error)
{
  return check_time ("--content-created-at", attributes->content_created_at, error)
         && check_time ("--content-modified-at", attributes->content_modified_at, error);
}

gboolean
cli_options_get_upload_settings (const CliOptions *options, BoxUploadSettings *settings,
                                 GError **error)
{
  static const char *const on_error_names[] = { "keep", "abort", NULL };
  static const char *const engine_names[] = { "glib", "gnutls", NULL };
  static const char *const if_exists_names[] = { "error", "version", "rename", "skip", NULL };
  guint on_error, engine, if_exists;

  *settings = (BoxUploadSettings){
    .commit = TRUE,
    .parallel = (guint) options->parallel,
    .retry_timeout = cli_options_get_retry_timeout (options, 600),
    .attributes = {
      .description = options->description,
      .content_created_at = options->content_created_at,
      .content_modified_at = options->content_modified_at,
    },
    .metadata = options->parsed_metadata,
  };
  if (options->parallel < 0 || options->parallel > MAX_PARALLEL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "--parallel takes 0 to %u, not %d",
                   MAX_PARALLEL, options->parallel);
      return FALSE;
    }
  if (!parse_choice (options->if_exists, if_exists_names, "--if-exists", &if_exists, error)
      || !parse_choice (options->on_error, on_error_names, "--on-error", &on_error, error)
      || !parse_choice (options->digest_engine, engine_names, "--digest-engine", &engine, error)
      || (options->upload_rate != NULL
          && !box_upload_set_process_rate (options->upload_rate, "--upload-rate", error))
      || !cli_options_parse_size (options->max_memory, "--max-memory", &settings->max_memory, error)
      || !cli_options_check_attributes (&settings->attributes, error))
    return FALSE;
  settings->if_exists =
      cli_options_skips_same (options) ? BOX_IF_EXISTS_ERROR : (BoxIfExists) if_exists;
  settings->on_error = (BoxOnError) on_error;
  settings->digest_engine = (BoxDigestEngine) engine;
  return TRUE;
}

gboolean
cli_options_parse_size (const char *text, const char *what, guint64 *size, GError **error)
{
  *size = 0;
  if (text == NULL || box_text_parse_size (text, size))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "%s takes a number of bytes such as 104857600, 100MB or 100MiB, not “%s”", what,
               text);
  return FALSE;
}
