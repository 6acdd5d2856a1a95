/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/sessions-state.h"

#include "emulator/box/item.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#define MAX_LIST_OFFSET 10000
#define MAX_PARTS       1000000

/* --- loading -----------------------------------------------------------------------------------
 */

static gint
compare_created (gconstpointer a, gconstpointer b)
{
  const EmuSession *left = *(const EmuSession *const *) a;
  const EmuSession *right = *(const EmuSession *const *) b;

  return (left->created > right->created) - (left->created < right->created);
}

static gboolean
load_all (EmuSessions *sessions, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (sessions->dir, 0, error);
  g_autoptr (GPtrArray) loaded = g_ptr_array_new ();
  const char *name;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      EmuSession *session = emu_session_load (sessions->dir, name);

      if (session != NULL)
        g_ptr_array_add (loaded, session);
    }
  g_ptr_array_sort (loaded, compare_created);
  for (guint i = 0; i < loaded->len; i++)
    {
      EmuSession *session = g_ptr_array_index (loaded, i);

      g_hash_table_insert (sessions->by_id, session->id, session);
      g_ptr_array_add (sessions->ids, g_strdup (session->id));
    }
  return TRUE;
}

EmuSessions *
emu_sessions_new (const char *dir, const EmuSessionRules *rules, EmuStore *store, EmuClock *clock,
                  GError **error)
{
  g_autoptr (EmuSessions) sessions = g_new0 (EmuSessions, 1);

  g_mutex_init (&sessions->lock);
  sessions->dir = g_build_filename (dir, "sessions", NULL);
  sessions->rules = *rules;
  sessions->store = store;
  sessions->clock = clock;
  sessions->by_id =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) emu_session_unref);
  sessions->ids = g_ptr_array_new_with_free_func (g_free);
  sessions->gone = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (g_mkdir_with_parents (sessions->dir, 0700) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "Cannot store sessions in %s: %s", sessions->dir, g_strerror (errno));
      return NULL;
    }
  return load_all (sessions, error) ? g_steal_pointer (&sessions) : NULL;
}

void
emu_sessions_free (EmuSessions *sessions)
{
  g_hash_table_unref (sessions->by_id);
  g_hash_table_unref (sessions->gone);
  g_ptr_array_unref (sessions->ids);
  g_free (sessions->dir);
  g_mutex_clear (&sessions->lock);
  g_free (sessions);
}

/* --- creating ----------------------------------------------------------------------------------
 */

static gboolean
check_new (EmuSessions *sessions, const EmuPut *put, gint64 size, EmuProblem *problem)
{
  if (put->file_id == NULL && put->folder_id == NULL)
    return emu_problem_set (problem, 400, "missing_destination", "No folder ID or file ID given");
  if (put->file_id == NULL && put->name == NULL)
    return emu_problem_set (problem, 400, "missing_file_name", "No file name given");
  if (put->folder_id != NULL && strspn (put->folder_id, "0123456789") != strlen (put->folder_id))
    return emu_problem_set (problem, 400, "invalid_folder_id", "Invalid folder ID '%s'",
                            put->folder_id);
  if (size == -1)
    return emu_problem_set (problem, 400, "missing_file_size", "No file size given");
  if (size < 0 || size / sessions->rules.part_size >= MAX_PARTS)
    return emu_problem_set (problem, 400, "invalid_file_size", "The file size is out of range");
  if ((guint64) size < sessions->rules.min_size)
    return emu_problem_set (problem, 400, "file_size_too_small",
                            "The file size is below the minimum of %" G_GUINT64_FORMAT
                            " bytes for upload sessions",
                            sessions->rules.min_size);
  if (emu_store_check (sessions->store, put, problem))
    return TRUE;
  if (problem->status == 404 && put->file_id == NULL)
    problem->code = "invalid_parameter";
  return FALSE;
}

EmuSession *
emu_sessions_create (EmuSessions *sessions, const char *owner, const char *folder_id,
                     const char *file_id, const char *name, gint64 size, EmuProblem *problem)
{
  EmuPut put = { .folder_id = folder_id, .file_id = file_id, .name = name, .size = MAX (size, 0) };
  g_autofree char *id = g_strdup_printf ("%08X%08X%08X%08X", g_random_int (), g_random_int (),
                                         g_random_int (), g_random_int ());
  g_autoptr (GError) error = NULL;
  EmuSession *session;

  if (!check_new (sessions, &put, size, problem))
    return NULL;
  session = emu_session_new (sessions->dir, id, owner, folder_id, file_id, name, size,
                             emu_profile_get_part_size (sessions->rules.profile, (guint64) size,
                                                        sessions->rules.part_size));
  session->created = emu_clock_now (sessions->clock);
  session->expires = session->created + sessions->rules.lifetime * (gint64) G_USEC_PER_SEC;
  if (!emu_session_save (session, &error))
    {
      emu_problem_set (problem, 500, "internal_server_error", "%s", error->message);
      emu_session_unref (session);
      return NULL;
    }
  g_mutex_lock (&sessions->lock);
  g_hash_table_insert (sessions->by_id, session->id, emu_session_ref (session));
  g_ptr_array_add (sessions->ids, g_strdup (session->id));
  g_mutex_unlock (&sessions->lock);
  return session;
}

/* --- looking -----------------------------------------------------------------------------------
 */

gboolean
emu_sessions_check_locked (EmuSessions *sessions, EmuSession *session, EmuProblem *problem)
{
  if (g_hash_table_lookup (sessions->by_id, session->id) != session)
    return emu_problem_set (problem, 404, "not_found", "The upload session was not found");
  if (session->expires <= emu_clock_now (sessions->clock))
    return emu_problem_set (problem, 410, "session_expired", "The upload session has expired");
  return TRUE;
}

static gboolean
is_session_id (const char *id)
{
  return strlen (id) == 32 && strspn (id, "0123456789ABCDEF") == 32;
}

EmuSession *
emu_sessions_get (EmuSessions *sessions, const char *id, const char *user, EmuProblem *problem)
{
  EmuSession *session;

  if (!is_session_id (id))
    {
      emu_problem_set (problem, 400, "invalid_upload_session_id",
                       "'%s' is not an upload session ID", id);
      return NULL;
    }
  g_mutex_lock (&sessions->lock);
  session = g_hash_table_lookup (sessions->by_id, id);
  if (session == NULL)
    emu_problem_set (problem, 404, "not_found", "The upload session was not found");
  else if (!g_str_equal (session->owner, user))
    {
      emu_problem_set (problem, 403, "forbidden",
                       "Only the user who initiated the upload session may upload to it");
      session = NULL;
    }
  else if (emu_sessions_check_locked (sessions, session, problem))
    emu_session_ref (session);
  else
    session = NULL;
  g_mutex_unlock (&sessions->lock);
  return session;
}

static gboolean
is_for_locked (EmuSession *session, const char *folder_id, const char *file_id, const char *name)
{
  g_autofree char *wanted = name != NULL ? emu_item_fold_name (name) : NULL;
  g_autofree char *own = session->name != NULL ? emu_item_fold_name (session->name) : NULL;

  return g_strcmp0 (session->folder_id, folder_id) == 0
         && g_strcmp0 (session->file_id, file_id) == 0 && g_strcmp0 (own, wanted) == 0;
}

EmuSession *
emu_sessions_find_open (EmuSessions *sessions, const char *owner, const char *folder_id,
                        const char *file_id, const char *name, gint64 size)
{
  EmuSession *found = NULL;
  GHashTableIter iter;
  gpointer value;

  g_mutex_lock (&sessions->lock);
  g_hash_table_iter_init (&iter, sessions->by_id);
  while (found == NULL && g_hash_table_iter_next (&iter, NULL, &value))
    {
      EmuSession *session = value;

      if (session->state == EMU_SESSION_OPEN && (gint64) session->size == size
          && session->expires > emu_clock_now (sessions->clock)
          && g_str_equal (session->owner, owner)
          && is_for_locked (session, folder_id, file_id, name))
        found = emu_session_ref (session);
    }
  g_mutex_unlock (&sessions->lock);
  return found;
}

/* Each commit that is answered with 202 finds one more part processed. */
static guint
count_processed_locked (EmuSessions *sessions, EmuSession *session)
{
  guint left = sessions->rules.processing - MIN (sessions->rules.processing, session->n_asked);

  return session->n_stored - MIN (session->n_stored, left);
}

JsonObject *
emu_sessions_describe (EmuSessions *sessions, EmuSession *session, const char *base)
{
  JsonObject *object;

  g_mutex_lock (&sessions->lock);
  object = emu_session_to_json (session, base, count_processed_locked (sessions, session),
                                sessions->plan.scope != BOX_EMULATOR_PLAN_ABSENT);
  g_mutex_unlock (&sessions->lock);
  return object;
}

JsonObject *
emu_sessions_list_parts (EmuSessions *sessions, EmuSession *session, gint64 offset, gint64 limit,
                         EmuProblem *problem)
{
  JsonObject *page;
  JsonArray *entries;
  gint64 index = 0;

  if (offset < 0 || offset > MAX_LIST_OFFSET || limit < 0)
    {
      emu_problem_set (problem, 400, "bad_request", "The offset must be 0 to %d", MAX_LIST_OFFSET);
      return NULL;
    }
  if (limit == 0 || limit > sessions->rules.page_limit)
    limit = sessions->rules.page_limit;
  page = json_object_new ();
  entries = json_array_new ();
  g_mutex_lock (&sessions->lock);
  for (guint i = 0; i < session->n_parts; i++)
    {
      if (session->parts[i].id[0] == '\0')
        continue;
      if (index >= offset && index < offset + limit)
        json_array_add_object_element (entries, emu_session_part_to_json (session, i, FALSE));
      index++;
    }
  g_mutex_unlock (&sessions->lock);
  json_object_set_array_member (page, "entries", entries);
  json_object_set_int_member (page, "offset", offset);
  json_object_set_int_member (page, "total_count", session->n_parts);
  json_object_set_int_member (page, "limit", limit);
  return page;
}

/* --- ending ------------------------------------------------------------------------------------
 */

gboolean
emu_sessions_abort (EmuSessions *sessions, EmuSession *session)
{
  gboolean there;

  g_mutex_lock (&sessions->lock);
  there = g_hash_table_lookup (sessions->by_id, session->id) == session;
  if (there)
    {
      g_hash_table_add (sessions->gone, g_strdup (session->id));
      g_hash_table_remove (sessions->by_id, session->id);
      emu_session_delete (session);
    }
  g_mutex_unlock (&sessions->lock);
  return there;
}

/* --- for tests ---------------------------------------------------------------------------------
 */

void
box_emulator_session_free (BoxEmulatorSession *session)
{
  g_free (session->id);
  g_free (session->folder_id);
  g_free (session->file_id);
  g_free (session->file_name);
  g_free (session->stored);
  g_free (session->received);
  g_free (session);
}

static BoxEmulatorSessionState
get_state_locked (EmuSessions *sessions, EmuSession *session)
{
  if (session->state == EMU_SESSION_COMMITTED)
    return BOX_EMULATOR_SESSION_COMMITTED;
  return session->expires <= emu_clock_now (sessions->clock) ? BOX_EMULATOR_SESSION_EXPIRED
                                                             : BOX_EMULATOR_SESSION_OPEN;
}

static void
look_locked (EmuSessions *sessions, EmuSession *session, BoxEmulatorSession *view)
{
  view->folder_id = g_strdup (session->folder_id);
  view->file_id = g_strdup (session->file_id);
  view->file_name = g_strdup (session->name);
  view->size = session->size;
  view->part_size = session->part_size;
  view->n_parts = session->n_parts;
  view->n_stored = session->n_stored;
  view->n_commits = session->n_commits;
  view->state = get_state_locked (sessions, session);
  view->stored = g_new0 (gboolean, session->n_parts);
  view->received = g_new0 (guint, session->n_parts);
  for (guint i = 0; i < session->n_parts; i++)
    {
      view->stored[i] = session->parts[i].id[0] != '\0';
      view->received[i] = session->parts[i].received;
      view->n_hits += session->parts[i].hit[0] != '\0' && !view->stored[i];
    }
}

BoxEmulatorSession *
emu_sessions_look (EmuSessions *sessions, const char *id)
{
  BoxEmulatorSession *view = NULL;
  EmuSession *session;

  g_mutex_lock (&sessions->lock);
  session = g_hash_table_lookup (sessions->by_id, id);
  if (session != NULL || g_hash_table_contains (sessions->gone, id))
    {
      view = g_new0 (BoxEmulatorSession, 1);
      view->id = g_strdup (id);
      view->state = BOX_EMULATOR_SESSION_ABORTED;
    }
  if (session != NULL)
    look_locked (sessions, session, view);
  g_mutex_unlock (&sessions->lock);
  return view;
}

GPtrArray *
emu_sessions_get_ids (EmuSessions *sessions)
{
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);

  g_mutex_lock (&sessions->lock);
  for (guint i = 0; i < sessions->ids->len; i++)
    g_ptr_array_add (ids, g_strdup (g_ptr_array_index (sessions->ids, i)));
  g_mutex_unlock (&sessions->lock);
  return ids;
}

void
emu_sessions_expire (EmuSessions *sessions, const char *id)
{
  EmuSession *session;

  g_mutex_lock (&sessions->lock);
  session = g_hash_table_lookup (sessions->by_id, id);
  if (session != NULL)
    {
      session->expires = emu_clock_now (sessions->clock) - G_USEC_PER_SEC;
      emu_session_save (session, NULL);
    }
  g_mutex_unlock (&sessions->lock);
}

void
emu_sessions_drop (EmuSessions *sessions, const char *id)
{
  EmuSession *session;

  g_mutex_lock (&sessions->lock);
  session = g_hash_table_lookup (sessions->by_id, id);
  if (session != NULL)
    emu_session_ref (session);
  g_mutex_unlock (&sessions->lock);
  if (session == NULL)
    return;
  emu_sessions_abort (sessions, session);
  emu_session_unref (session);
}
