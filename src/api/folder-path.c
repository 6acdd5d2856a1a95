/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/calls.h"
#include "api/folder.h"
#include "base/text.h"

/* Folders that are remembered; then all are forgotten, which costs a request each. */
#define MAX_REMEMBERED 4096

/* One folder that is, or was, looked for. */
typedef struct
{
  guint refs; /* with the_paths' lock, as all */
  gboolean done;
  gboolean create;
  char *id;      /* done: found */
  GError *error; /* done: or not */
} Search;

static struct
{
  GMutex lock;
  GCond changed;     /* a search is done, or a waiting thread was cancelled */
  GHashTable *table; /* with lock; key to Search: found, or not done */
} the_paths;

static void
search_unref_locked (gpointer data)
{
  Search *search = data;

  if (--search->refs > 0)
    return;
  g_free (search->id);
  g_clear_error (&search->error);
  g_free (search);
}

static char *
make_key (const char *owner, const char *parent_id, const char *name)
{
  g_autofree char *folded = box_item_fold_name (name);

  return g_strdup_printf ("%s %s/%s", owner, parent_id, folded);
}

/* ---- one folder ---- */

/* The error of one that is not there, or is no folder. */
static GError *
new_missing (const char *parent_id, const char *name)
{
  g_autofree char *shown = box_text_escape (name);

  return g_error_new (BOX_ERROR, BOX_ERROR_NOT_FOUND,
                      "there is no folder “%s” in folder %s: make it, or let it be made "
                      "(create-folders)",
                      shown, parent_id);
}

static GError *
new_taken (const char *parent_id, const char *name)
{
  g_autofree char *shown = box_text_escape (name);

  return g_error_new (BOX_ERROR, BOX_ERROR_NAME_IN_USE,
                      "“%s” in folder %s is not a folder: choose another path", shown, parent_id);
}

/* What a search for the item found. Takes @item (nullable). */
static char *
take_id (BoxItem *item, const char *parent_id, const char *name, GError **error)
{
  g_autoptr (BoxItem) owned = item;

  if (item == NULL)
    g_propagate_error (error, new_missing (parent_id, name));
  else if (item->kind != BOX_ITEM_FOLDER)
    g_propagate_error (error, new_taken (parent_id, name));
  else
    return g_strdup (item->id);
  return NULL;
}

static char *
find (BoxClient *client, BoxTransport *transport, const char *parent_id, const char *name,
      GCancellable *cancellable, GError **error)
{
  GError *failure = NULL;
  BoxItem *item = box_client_find_item (client, transport, parent_id, name, cancellable, &failure);

  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return NULL;
    }
  return take_id (item, parent_id, name, error);
}

/* It could not be made because of @refusal (taken): it may be there all the same. */
static char *
find_after_refusal (BoxClient *client, BoxTransport *transport, const char *parent_id,
                    const char *name, GError *refusal, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) reason = refusal;
  g_autoptr (GError) failure = NULL;
  g_autofree char *shown = box_text_escape (name);
  char *id = find (client, transport, parent_id, name, cancellable, &failure);

  if (id != NULL)
    return id;
  if (box_error_is_transient (failure) || g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED)
      || g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    g_propagate_prefixed_error (error, g_steal_pointer (&reason),
                                "the folder “%s” in folder %s is missing, or these credentials do "
                                "not see it: ",
                                shown, parent_id);
  return NULL;
}

/* Making it is the way to find it, too: one request, however much is in the parent. Only
 * credentials that may not make folders have to read the list. */
static char *
make (BoxClient *client, BoxTransport *transport, const char *parent_id, const char *name,
      GCancellable *cancellable, GError **error)
{
  GError *failure = NULL;
  BoxItem *conflict;
  char *id = box_client_create_folder (client, transport, parent_id, name, cancellable, &failure);

  if (id != NULL)
    return id;
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_NAME_IN_USE))
    {
      conflict = box_item_from_conflict (failure);
      if (conflict == NULL)
        return find_after_refusal (client, transport, parent_id, name, failure, cancellable, error);
      g_error_free (failure);
      return take_id (conflict, parent_id, name, error);
    }
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_FORBIDDEN))
    return find_after_refusal (client, transport, parent_id, name, failure, cancellable, error);
  g_propagate_error (error, failure);
  return NULL;
}

/* ---- one thread asks, the others wait ---- */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_mutex_lock (&the_paths.lock);
  g_cond_broadcast (&the_paths.changed);
  g_mutex_unlock (&the_paths.lock);
}

static gboolean
is_found (gpointer key, gpointer value, gpointer user_data)
{
  return ((Search *) value)->done;
}

/* The search for @key, begun by the caller if @ours. */
static Search *
join_locked (const char *key, gboolean create, gboolean *ours)
{
  Search *search;

  if (the_paths.table == NULL)
    the_paths.table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, search_unref_locked);
  search = g_hash_table_lookup (the_paths.table, key);
  *ours = search == NULL;
  if (search == NULL)
    {
      if (g_hash_table_size (the_paths.table) >= MAX_REMEMBERED)
        g_hash_table_foreach_remove (the_paths.table, is_found, NULL);
      search = g_new0 (Search, 1);
      search->refs = 1;
      search->create = create;
      g_hash_table_insert (the_paths.table, g_strdup (key), search);
    }
  search->refs++;
  return search;
}

/* The caller's own search has ended. Takes @id and @error. */
static void
conclude (Search *search, const char *key, char *id, const GError *error)
{
  g_mutex_lock (&the_paths.lock);
  search->done = TRUE;
  search->id = g_strdup (id);
  search->error = error != NULL ? g_error_copy (error) : NULL;
  if (id == NULL && g_hash_table_lookup (the_paths.table, key) == search)
    g_hash_table_remove (the_paths.table, key);
  search_unref_locked (search);
  g_cond_broadcast (&the_paths.changed);
  g_mutex_unlock (&the_paths.lock);
}

/* Whether what another thread found is an answer to this one, too. */
static gboolean
answers_locked (const Search *search, gboolean create)
{
  return search->id != NULL
         || (search->create == create
             && !g_error_matches (search->error, BOX_ERROR, BOX_ERROR_CANCELLED));
}

/* Waits for a search of another thread. The lock is held, before and after. TRUE: the answer is in
 * @id or @error. */
static gboolean
await_locked (Search *search, gboolean create, GCancellable *cancellable, char **id, GError **error)
{
  gboolean cancelled;

  while (!search->done && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&the_paths.changed, &the_paths.lock);
  cancelled = !search->done;
  if (cancelled)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "cancelled");
  else if (!answers_locked (search, create))
    return FALSE;
  else if (search->id != NULL)
    *id = g_strdup (search->id);
  else
    g_propagate_error (error, g_error_copy (search->error));
  return TRUE;
}

/* Where the folder @key is from: the table, another thread, or (@search) this one, which has to
 * ask. */
static char *
look_up (const char *key, gboolean create, GCancellable *cancellable, gboolean *known,
         Search **search, GError **error)
{
  gulong handler = 0;
  gboolean ours = FALSE, answered = FALSE;
  char *id = NULL;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), NULL, NULL);
  g_mutex_lock (&the_paths.lock);
  while (!ours && !answered)
    {
      Search *joined = join_locked (key, create, &ours);

      if (ours)
        *search = joined;
      else
        {
          *known = joined->done;
          answered = await_locked (joined, create, cancellable, &id, error);
          search_unref_locked (joined);
        }
    }
  g_mutex_unlock (&the_paths.lock);
  g_cancellable_disconnect (cancellable, handler);
  return id;
}

/* The id of one folder; @known: nobody was asked. */
static char *
resolve_one (BoxClient *client, BoxTransport *transport, const char *owner, const char *parent_id,
             const char *name, gboolean create, gboolean *known, GCancellable *cancellable,
             GError **error)
{
  g_autofree char *key = make_key (owner, parent_id, name);
  g_autoptr (GError) failure = NULL;
  Search *search = NULL;
  char *id = look_up (key, create, cancellable, known, &search, error);

  if (search == NULL)
    return id;
  *known = FALSE;
  id = create ? make (client, transport, parent_id, name, cancellable, &failure)
              : find (client, transport, parent_id, name, cancellable, &failure);
  conclude (search, key, id, failure);
  if (id == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return id;
}

/* ---- a path ---- */

/* @cached: some of it was. */
static char *
walk (BoxClient *client, BoxTransport *transport, const char *folder_id, const char *const *names,
      gboolean create, gboolean *cached, GCancellable *cancellable, GError **error)
{
  g_autofree char *owner = box_client_dup_owner (client, cancellable, error);
  g_autofree char *id = g_strdup (folder_id);

  *cached = FALSE;
  if (owner == NULL)
    return NULL;
  for (guint i = 0; names[i] != NULL && id != NULL; i++)
    {
      g_autofree char *parent_id = g_steal_pointer (&id);
      gboolean known = FALSE;

      id = resolve_one (client, transport, owner, parent_id, names[i], create, &known, cancellable,
                        error);
      *cached |= known;
    }
  return g_steal_pointer (&id);
}

char *
box_folder_path_resolve (BoxClient *client, BoxTransport *transport, const char *folder_id,
                         const char *const *names, gboolean create, gboolean *cached,
                         GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  gboolean known;
  char *id = walk (client, transport, folder_id, names, create, &known, cancellable, &failure);

  /* A parent that was remembered has gone since. */
  if (known && g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND))
    {
      g_clear_error (&failure);
      box_folder_path_forget (client, folder_id, names);
      id = walk (client, transport, folder_id, names, create, &known, cancellable, &failure);
    }
  if (cached != NULL)
    *cached = known;
  if (id == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return id;
}

gboolean
box_folder_path_is_missing (const GError *error)
{
  return g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND)
         && box_error_get_details (error)->http_status == 0;
}

/* The ids in a path are the keys of what is below, so it is walked in the table. */
void
box_folder_path_forget (BoxClient *client, const char *folder_id, const char *const *names)
{
  g_autofree char *owner = box_client_dup_owner (client, NULL, NULL);
  g_autofree char *parent_id = g_strdup (folder_id);

  if (owner == NULL)
    return;
  g_mutex_lock (&the_paths.lock);
  for (guint i = 0; names[i] != NULL && parent_id != NULL && the_paths.table != NULL; i++)
    {
      g_autofree char *key = make_key (owner, parent_id, names[i]);
      Search *search = g_hash_table_lookup (the_paths.table, key);

      g_free (parent_id);
      parent_id = search != NULL ? g_strdup (search->id) : NULL;
      if (search != NULL && search->done)
        g_hash_table_remove (the_paths.table, key);
    }
  g_mutex_unlock (&the_paths.lock);
}

BoxDestination *
box_folder_path_resolve_destination (BoxClient *client, BoxTransport *transport,
                                     const BoxDestination *destination, gboolean create,
                                     GCancellable *cancellable, GError **error)
{
  g_autofree char *id = NULL;

  if (destination->kind != BOX_DESTINATION_FOLDER || destination->path == NULL)
    return box_destination_copy (destination);
  id = box_folder_path_resolve (client, transport, destination->folder_id,
                                (const char *const *) destination->path, create, NULL, cancellable,
                                error);
  return id != NULL ? box_destination_new_resolved (destination, id) : NULL;
}
