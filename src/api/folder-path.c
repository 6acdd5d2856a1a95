/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/calls.h"
#include "api/folder.h"
#include "base/single-flight.h"
#include "base/text.h"

/* Folders that are remembered; then all are forgotten, which costs a request each. */
#define MAX_REMEMBERED 4096

/* What the search for one folder found. */
typedef struct
{
  gboolean create; /* it was to be made */
  char *id;        /* or */
  GError *error;
} Answer;

static void
answer_clear (gpointer data)
{
  Answer *answer = data;

  g_free (answer->id);
  g_clear_error (&answer->error);
}

/* Owner, parent and name to Answer; those that were found are kept. */
static BoxSingleFlight the_paths = { .max_kept = MAX_REMEMBERED, .clear_answer = answer_clear };

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

/* ---- once for the process ---- */

typedef struct
{
  BoxClient *client;
  BoxTransport *transport;
  const char *parent_id;
  const char *name;
  gboolean create;
  GCancellable *cancellable;
} Search;

static gpointer
ask (gboolean *keep, gpointer user_data)
{
  const Search *search = user_data;
  Answer *answer = g_atomic_rc_box_new0 (Answer);

  answer->create = search->create;
  answer->id = (search->create ? make : find) (search->client, search->transport, search->parent_id,
                                               search->name, search->cancellable, &answer->error);
  *keep = answer->id != NULL;
  return answer;
}

/* A failure to find a folder is no answer to one who would make it. */
static gboolean
accepts (gconstpointer data, gpointer user_data)
{
  const Answer *answer = data;
  const Search *search = user_data;

  return answer->id != NULL
         || (answer->create == search->create
             && !g_error_matches (answer->error, BOX_ERROR, BOX_ERROR_CANCELLED));
}

/* The id of one folder; @known: nobody was asked. */
static char *
resolve_one (Search *search, const char *owner, gboolean *known, GError **error)
{
  g_autofree char *key = make_key (owner, search->parent_id, search->name);
  BoxQuestion question = { .ask = ask, .accepts = accepts, .user_data = search };
  Answer *answer =
      box_single_flight_ask (&the_paths, key, &question, known, search->cancellable, error);
  char *id = answer != NULL ? g_strdup (answer->id) : NULL;

  if (answer != NULL && id == NULL)
    g_propagate_error (error, g_error_copy (answer->error));
  box_single_flight_unref (&the_paths, answer);
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
      Search search = { client, transport, parent_id, names[i], create, cancellable };
      gboolean known = FALSE;

      id = resolve_one (&search, owner, &known, error);
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

/* The ids in a path are in the keys of what is below, so that each names the next. */
void
box_folder_path_forget (BoxClient *client, const char *folder_id, const char *const *names)
{
  g_autofree char *owner = box_client_dup_owner (client, NULL, NULL);
  g_autofree char *parent_id = g_strdup (folder_id);

  if (owner == NULL)
    return;
  for (guint i = 0; names[i] != NULL && parent_id != NULL; i++)
    {
      g_autofree char *key = make_key (owner, parent_id, names[i]);
      Answer *answer = box_single_flight_forget (&the_paths, key);

      g_free (parent_id);
      parent_id = answer != NULL ? g_strdup (answer->id) : NULL;
      box_single_flight_unref (&the_paths, answer);
    }
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
