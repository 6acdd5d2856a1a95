/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box-emulator.h"

#include "emulator/base/json.h"
#include "emulator/http/certificate.h"
#include "emulator/http/server.h"
#include "emulator/routes/exchange.h"
#include "emulator/routes/late.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>

#define DEFAULT_PART_SIZE        8388608
#define DEFAULT_MIN_SIZE         20000000
#define DEFAULT_SESSION_LIFETIME (7 * 86400)
#define DEFAULT_TOKEN_LIFETIME   3600
#define DEFAULT_PAGE_LIMIT       1000

/* The addresses of one listener. */
typedef struct
{
  char *origin;
  char *endpoint;
  char *api_endpoint;
} Address;

/* Immutable once it runs, but for the world's members, which lock themselves. */
struct _BoxEmulator
{
  EmuWorld world;
  guint plan_delay;
  gboolean temporary; /* the directory goes with the emulator */
  char *ca_file;
  Address plain;
  Address tls;
  GTlsCertificate *certificate;
  EmuServer *server;
};

/* --- life --------------------------------------------------------------------------------------
 */

static gboolean
make_dir (BoxEmulator *emulator, const char *dir, GError **error)
{
  emulator->temporary = dir == NULL;
  if (dir == NULL)
    emulator->world.dir = g_dir_make_tmp ("box-emulator-XXXXXX", error);
  else if (g_mkdir_with_parents (dir, 0700) == 0)
    emulator->world.dir = g_strdup (dir);
  else
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "Cannot create %s: %s", dir,
                 g_strerror (errno));
  return emulator->world.dir != NULL;
}

static gboolean
make_world (BoxEmulator *emulator, const BoxEmulatorOptions *options, GError **error)
{
  EmuWorld *world = &emulator->world;
  EmuSessionRules rules = {
    .part_size = options->part_size != 0 ? options->part_size : DEFAULT_PART_SIZE,
    .min_size = options->min_size != 0 ? options->min_size : DEFAULT_MIN_SIZE,
    .lifetime =
        options->session_lifetime != 0 ? options->session_lifetime : DEFAULT_SESSION_LIFETIME,
    .processing = options->processing,
    .page_limit = options->page_limit != 0 ? options->page_limit : DEFAULT_PAGE_LIMIT,
  };

  g_autofree char *path = g_build_filename (world->dir, "tokens", NULL);
  BoxEmulatorPlan plan = options->plan;

  world->profile = emu_profile_new (options->profile, error);
  if (world->profile == NULL)
    return FALSE;
  rules.profile = world->profile;
  emulator->plan_delay = options->plan_delay;
  emu_profile_get_plan (world->profile, &plan, &emulator->plan_delay);

  world->key = g_uuid_string_random ();
  world->part_size = rules.part_size;
  world->max_size = options->max_size;
  world->quota = options->quota;
  world->retry_after = options->retry_after != 0 ? options->retry_after : 1;
  world->late_expiry = options->late_expiry;
  world->session_conflicts = options->session_conflicts;
  world->upload_host = g_strdup (options->upload_host);
  world->tokens = emu_tokens_new (&world->clock, options->tokens,
                                  options->token_lifetime != 0 ? options->token_lifetime
                                                               : DEFAULT_TOKEN_LIFETIME,
                                  options->strict_clients, emulator->temporary ? NULL : path);
  world->store =
      emu_store_new (world->dir, &world->clock, options->max_size, options->quota, error);
  if (world->store != NULL)
    world->sessions = emu_sessions_new (world->dir, &rules, world->store, &world->clock, error);
  if (world->sessions != NULL)
    emu_sessions_set_plan (world->sessions, plan, emulator->plan_delay, 0);
  return world->sessions != NULL;
}

static gboolean
listen_at (BoxEmulator *emulator, guint16 port, gboolean tls, Address *address, GError **error)
{
  port = emu_server_listen (emulator->server, port, tls, error);
  if (port == 0)
    return FALSE;
  address->origin = g_strdup_printf ("%s://127.0.0.1:%u", tls ? "https" : "http", port);
  address->endpoint = g_strconcat (address->origin, "/api/2.0", NULL);
  address->api_endpoint = g_strconcat (address->origin, "/2.0", NULL);
  return TRUE;
}

static void
serve (EmuConnection *connection, gpointer world)
{
  emu_exchange_serve (world, connection);
}

BoxEmulator *
box_emulator_new (const BoxEmulatorOptions *options, GError **error)
{
  static const BoxEmulatorOptions defaults = { 0 };
  g_autoptr (BoxEmulator) emulator = g_new0 (BoxEmulator, 1);
  EmuWorld *world = &emulator->world;

  if (options == NULL)
    options = &defaults;
  emu_clock_init (&world->clock, options->clock_offset);
  emu_rate_init (&world->rate, options->rate);
  emu_limits_init (&world->limits, options->calls_per_minute, options->uploads_per_minute);
  world->log = emu_request_log_new ();
  world->scenario = emu_scenario_new ();
  world->late = emu_late_calls_new ();
  if (!make_dir (emulator, options->dir, error) || !make_world (emulator, options, error))
    return NULL;
  emulator->ca_file = g_build_filename (world->dir, "ca.pem", NULL);
  emulator->certificate = emu_certificate_make (world->dir, error);
  if (emulator->certificate == NULL)
    return NULL;
  emulator->server = emu_server_new (emulator->certificate, serve, world);
  emu_server_set_slow (emulator->server, options->rate != 0);
  if (!listen_at (emulator, options->port, FALSE, &emulator->plain, error)
      || !listen_at (emulator, options->tls_port, TRUE, &emulator->tls, error))
    return NULL;
  return g_steal_pointer (&emulator);
}

static void
address_clear (Address *address)
{
  g_free (address->origin);
  g_free (address->endpoint);
  g_free (address->api_endpoint);
}

static int
remove_entry (const char *path, const struct stat *status, int flag, struct FTW *where)
{
  return remove (path);
}

void
box_emulator_free (BoxEmulator *emulator)
{
  EmuWorld *world = &emulator->world;

  g_clear_pointer (&emulator->server, emu_server_free);
  emu_late_calls_free (world->late);
  g_clear_object (&emulator->certificate);
  g_clear_pointer (&world->sessions, emu_sessions_free);
  g_clear_pointer (&world->profile, emu_profile_free);
  g_clear_pointer (&world->store, emu_store_free);
  g_clear_pointer (&world->tokens, emu_tokens_free);
  emu_request_log_free (world->log);
  emu_scenario_free (world->scenario);
  emu_rate_clear (&world->rate);
  emu_limits_clear (&world->limits);
  emu_clock_clear (&world->clock);
  if (emulator->temporary && world->dir != NULL)
    nftw (world->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  address_clear (&emulator->plain);
  address_clear (&emulator->tls);
  g_free (emulator->ca_file);
  g_free (world->dir);
  g_free (world->key);
  g_free (world->upload_host);
  g_free (emulator);
}

const char *
box_emulator_get_endpoint (BoxEmulator *emulator, gboolean tls)
{
  return tls ? emulator->tls.endpoint : emulator->plain.endpoint;
}

const char *
box_emulator_get_api_endpoint (BoxEmulator *emulator, gboolean tls)
{
  return tls ? emulator->tls.api_endpoint : emulator->plain.api_endpoint;
}

const char *
box_emulator_get_origin (BoxEmulator *emulator, gboolean tls)
{
  return tls ? emulator->tls.origin : emulator->plain.origin;
}

const char *
box_emulator_get_ca_file (BoxEmulator *emulator)
{
  return emulator->ca_file;
}

const char *
box_emulator_get_dir (BoxEmulator *emulator)
{
  return emulator->world.dir;
}

/* --- faults ------------------------------------------------------------------------------------
 */

gboolean
box_emulator_load_scenario (BoxEmulator *emulator, const char *json, GError **error)
{
  return emu_scenario_load (emulator->world.scenario, json, error);
}

void
box_emulator_clear_scenario (BoxEmulator *emulator)
{
  emu_scenario_clear (emulator->world.scenario);
}

void
box_emulator_release (BoxEmulator *emulator, const char *name)
{
  emu_scenario_release (emulator->world.scenario, name);
  emu_late_calls_release (emulator->world.late, name);
}

void
box_emulator_set_down (BoxEmulator *emulator, gboolean down)
{
  g_autoptr (GError) error = NULL;

  if (!emu_server_set_down (emulator->server, down, &error))
    g_error ("The emulator cannot come up again: %s", error->message);
}

void
box_emulator_set_rate (BoxEmulator *emulator, guint64 rate)
{
  emu_server_set_slow (emulator->server, rate != 0);
  emu_rate_set (&emulator->world.rate, rate);
}

void
box_emulator_set_part_size (BoxEmulator *emulator, guint64 part_size)
{
  emu_sessions_set_part_size (emulator->world.sessions, part_size);
}

void
box_emulator_set_plan (BoxEmulator *emulator, BoxEmulatorPlan scope, guint late_requests)
{
  emu_sessions_set_plan (emulator->world.sessions, scope, emulator->plan_delay, late_requests);
}

void
box_emulator_advance_clock (BoxEmulator *emulator, gint64 seconds)
{
  emu_clock_advance (&emulator->world.clock, seconds);
}

/* --- the log of requests -----------------------------------------------------------------------
 */

GPtrArray *
box_emulator_get_requests (BoxEmulator *emulator, const char *route)
{
  return emu_request_log_get (emulator->world.log, route);
}

guint
box_emulator_count (BoxEmulator *emulator, const char *route)
{
  return emu_request_log_count (emulator->world.log, route, 0, FALSE);
}

guint
box_emulator_count_status (BoxEmulator *emulator, const char *route, guint status)
{
  return emu_request_log_count (emulator->world.log, route, status, FALSE);
}

guint
box_emulator_count_parallel (BoxEmulator *emulator, const char *route)
{
  return emu_request_log_count_parallel (emulator->world.log, route);
}

gboolean
box_emulator_wait_seen (BoxEmulator *emulator, const char *route, guint n, guint timeout_ms)
{
  return emu_request_log_wait (emulator->world.log, route, FALSE, n, timeout_ms);
}

gboolean
box_emulator_wait_done (BoxEmulator *emulator, const char *route, guint n, guint timeout_ms)
{
  return emu_request_log_wait (emulator->world.log, route, TRUE, n, timeout_ms);
}

gboolean
box_emulator_wait_held (BoxEmulator *emulator, const char *name, guint timeout_ms)
{
  return emu_scenario_wait_held (emulator->world.scenario, name, timeout_ms);
}

gboolean
box_emulator_wait_late (BoxEmulator *emulator, guint n, guint timeout_ms)
{
  return emu_late_calls_wait (emulator->world.late, n, timeout_ms);
}

gboolean
box_emulator_wait_bytes (BoxEmulator *emulator, guint64 bytes, guint timeout_ms)
{
  return emu_request_log_wait_bytes (emulator->world.log, bytes, timeout_ms);
}

/* --- what is stored ----------------------------------------------------------------------------
 */

void
box_emulator_file_free (BoxEmulatorFile *file)
{
  g_free (file->id);
  g_free (file->version_id);
  g_free (file->folder_id);
  g_free (file->name);
  g_free (file->sha1);
  g_free (file->etag);
  g_free (file->path);
  g_free (file->description);
  g_free (file->content_created_at);
  g_free (file->content_modified_at);
  g_free (file);
}

static char *
dup_member (JsonObject *object, const char *name)
{
  return g_strdup (emu_json_string (object, name));
}

BoxEmulatorFile *
box_emulator_get_file (BoxEmulator *emulator, const char *id)
{
  EmuStore *store = emulator->world.store;
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonObject) object = emu_store_get_file (store, id, &problem);
  g_autoptr (JsonArray) older = NULL;
  BoxEmulatorFile *file;

  if (object == NULL)
    return NULL;
  older = emu_store_get_versions (store, id, &problem);
  file = g_new0 (BoxEmulatorFile, 1);
  file->id = g_strdup (id);
  file->version_id = dup_member (emu_json_object (object, "file_version"), "id");
  file->folder_id = dup_member (emu_json_object (object, "parent"), "id");
  file->name = dup_member (object, "name");
  file->sha1 = dup_member (object, "sha1");
  file->etag = dup_member (object, "etag");
  file->path = emu_store_get_content (store, id, NULL, &problem);
  file->size = emu_json_int (object, "size", 0);
  file->n_versions = 1 + (older != NULL ? json_array_get_length (older) : 0);
  file->description = dup_member (object, "description");
  file->content_created_at = dup_member (object, "content_created_at");
  file->content_modified_at = dup_member (object, "content_modified_at");
  return file;
}

BoxEmulatorFile *
box_emulator_find_file (BoxEmulator *emulator, const char *folder_id, const char *name)
{
  g_autofree char *id = emu_store_find (emulator->world.store, folder_id, name);

  return id != NULL ? box_emulator_get_file (emulator, id) : NULL;
}

guint
box_emulator_count_files (BoxEmulator *emulator)
{
  return emu_store_count_files (emulator->world.store);
}

char *
box_emulator_add_file (BoxEmulator *emulator, const char *folder_id, const char *name,
                       gconstpointer data, gsize size)
{
  g_auto (EmuProblem) problem = { 0 };
  EmuPut put = { .folder_id = folder_id, .name = name };
  g_autoptr (JsonObject) file =
      emu_store_put_data (emulator->world.store, &put, data, size, &problem);

  return dup_member (file, "id");
}

char *
box_emulator_find_folder (BoxEmulator *emulator, const char *path)
{
  g_auto (GStrv) names = g_strsplit (path, "/", -1);
  char *id = g_strdup (EMU_ROOT_FOLDER);

  for (guint i = 0; id != NULL && names[i] != NULL; i++)
    {
      g_autofree char *parent = id;

      id = emu_store_find_folder (emulator->world.store, parent, names[i]);
    }
  return id;
}

guint
box_emulator_count_folders (BoxEmulator *emulator)
{
  return emu_store_count_folders (emulator->world.store);
}

JsonObject *
box_emulator_get_metadata (BoxEmulator *emulator, const char *file_id, const char *name)
{
  g_auto (EmuProblem) problem = { 0 };

  return emu_store_get_metadata (emulator->world.store, file_id, name, &problem);
}

gboolean
box_emulator_add_version (BoxEmulator *emulator, const char *file_id, gconstpointer data,
                          gsize size)
{
  g_auto (EmuProblem) problem = { 0 };
  EmuPut put = { .file_id = file_id };
  g_autoptr (JsonObject) file =
      emu_store_put_data (emulator->world.store, &put, data, size, &problem);

  return file != NULL;
}

gboolean
box_emulator_move_file (BoxEmulator *emulator, const char *file_id, const char *folder_id,
                        const char *name)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonObject) changes = json_object_new ();
  g_autoptr (JsonObject) file = NULL;

  if (name != NULL)
    json_object_set_string_member (changes, "name", name);
  if (folder_id != NULL)
    {
      JsonObject *parent = json_object_new ();

      json_object_set_string_member (parent, "id", folder_id);
      json_object_set_object_member (changes, "parent", parent);
    }
  file = emu_store_update (emulator->world.store, file_id, FALSE, changes, NULL, &problem);
  return file != NULL;
}

gboolean
box_emulator_delete_file (BoxEmulator *emulator, const char *file_id)
{
  g_auto (EmuProblem) problem = { 0 };

  return emu_store_delete (emulator->world.store, file_id, FALSE, FALSE, NULL, &problem);
}

char *
box_emulator_add_folder (BoxEmulator *emulator, const char *folder_id, const char *name)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (JsonObject) folder =
      emu_store_add_folder (emulator->world.store, folder_id, name, &problem);

  return dup_member (folder, "id");
}

BoxEmulatorSession *
box_emulator_get_session (BoxEmulator *emulator, const char *id)
{
  return emu_sessions_look (emulator->world.sessions, id);
}

GPtrArray *
box_emulator_get_session_ids (BoxEmulator *emulator)
{
  return emu_sessions_get_ids (emulator->world.sessions);
}

char *
box_emulator_add_session (BoxEmulator *emulator, const char *folder_id, const char *name,
                          const char *file_id, guint64 size)
{
  g_auto (EmuProblem) problem = { 0 };
  g_autoptr (EmuSession) session = emu_sessions_create (emulator->world.sessions, EMU_DEFAULT_USER,
                                                        folder_id, file_id, name, size, &problem);

  return session != NULL ? g_strdup (session->id) : NULL;
}

gboolean
box_emulator_add_part (BoxEmulator *emulator, const char *session_id, guint64 offset,
                       gconstpointer data, gsize size)
{
  return emu_sessions_add_part (emulator->world.sessions, session_id, offset, data, size);
}

void
box_emulator_expire_session (BoxEmulator *emulator, const char *id)
{
  emu_sessions_expire (emulator->world.sessions, id);
}

void
box_emulator_drop_session (BoxEmulator *emulator, const char *id)
{
  emu_sessions_drop (emulator->world.sessions, id);
}

/* --- tokens ------------------------------------------------------------------------------------
 */

void
box_emulator_set_token (BoxEmulator *emulator, const char *token, guint expires_in)
{
  emu_tokens_set (emulator->world.tokens, token, expires_in);
}

void
box_emulator_revoke_token (BoxEmulator *emulator, const char *token)
{
  emu_tokens_revoke (emulator->world.tokens, token);
}

void
box_emulator_revoke_all_tokens (BoxEmulator *emulator)
{
  emu_tokens_revoke_all (emulator->world.tokens);
}

gboolean
box_emulator_load_accounts (BoxEmulator *emulator, const char *json, GError **error)
{
  return emu_tokens_load_accounts (emulator->world.tokens, json, error);
}
