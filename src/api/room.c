/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/account.h"

#include "api/calls.h"
#include "base/json.h"

/* How long an answer is good for: free space changes, also by others. Microseconds. */
#define LIFETIME (600 * G_USEC_PER_SEC)

/* Accounts that are remembered; then all are forgotten, which costs a request each. */
#define MAX_REMEMBERED 64

/* What the process knows of one account. */
typedef struct
{
  guint asking;    /* threads that need it */
  gboolean busy;   /* one of them asks */
  gboolean asked;  /* the next three count */
  gint64 asked_at; /* monotonic */
  gboolean good;   /* FALSE: it may not be asked */
  BoxRoom room;
} Memory;

static struct
{
  GMutex lock;
  GCond changed;
  GHashTable *table; /* with lock; owner to Memory */
} the_rooms;

static gboolean
find (JsonObject *object, const char *name, guint64 *value)
{
  gboolean found = FALSE;

  /* What makes no sense is not known: Box writes large numbers in several ways. */
  return box_json_find_uint64 (object, name, 0, G_MAXINT64, &found, value, NULL) && found;
}

gboolean
box_client_get_room (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                     GCancellable *cancellable, GError **error)
{
  g_autofree char *url = g_strconcat (
      client->api_endpoint, "/users/me?fields=space_amount,space_used,max_upload_size", NULL);
  g_autoptr (JsonNode) node = box_client_get_json (
      client, transport, url, "ask what the account takes", cancellable, error);
  JsonObject *object = node != NULL ? box_json_object (node, "the user", error) : NULL;

  *room = (BoxRoom){ 0 };
  if (object == NULL)
    return FALSE;
  room->has_space = find (object, "space_amount", &room->space_amount)
                    && find (object, "space_used", &room->space_used);
  if (!find (object, "max_upload_size", &room->max_upload_size))
    room->max_upload_size = 0;
  return TRUE;
}

/* ---- once for the process ---- */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_mutex_lock (&the_rooms.lock);
  g_cond_broadcast (&the_rooms.changed);
  g_mutex_unlock (&the_rooms.lock);
}

static gboolean
is_idle (gpointer key, gpointer value, gpointer user_data)
{
  return ((Memory *) value)->asking == 0;
}

static Memory *
join_locked (const char *owner)
{
  Memory *memory;

  if (the_rooms.table == NULL)
    the_rooms.table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  memory = g_hash_table_lookup (the_rooms.table, owner);
  if (memory == NULL)
    {
      if (g_hash_table_size (the_rooms.table) >= MAX_REMEMBERED)
        g_hash_table_foreach_remove (the_rooms.table, is_idle, NULL);
      memory = g_new0 (Memory, 1);
      g_hash_table_insert (the_rooms.table, g_strdup (owner), memory);
    }
  memory->asking++;
  return memory;
}

static gboolean
is_fresh_locked (const Memory *memory)
{
  return memory->asked && g_get_monotonic_time () < memory->asked_at + LIFETIME;
}

/* A failure that passes is not remembered: the next recording asks again. */
static void
ask (Memory *memory, BoxClient *client, BoxTransport *transport, GCancellable *cancellable)
{
  g_autoptr (GError) failure = NULL;
  BoxRoom room;
  gboolean good = box_client_get_room (client, transport, &room, cancellable, &failure);

  g_mutex_lock (&the_rooms.lock);
  memory->asked = good
                  || !(box_error_is_transient (failure)
                       || g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED));
  memory->asked_at = g_get_monotonic_time ();
  memory->good = good;
  memory->room = room;
  g_mutex_unlock (&the_rooms.lock);
}

/* Waits for the threads that came before. */
static gboolean
take_turn (Memory *memory, GCancellable *cancellable)
{
  gulong handler = 0;
  gboolean ours;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), NULL, NULL);
  g_mutex_lock (&the_rooms.lock);
  while (memory->busy && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&the_rooms.changed, &the_rooms.lock);
  ours = !memory->busy && !is_fresh_locked (memory);
  memory->busy |= ours;
  g_mutex_unlock (&the_rooms.lock);
  g_cancellable_disconnect (cancellable, handler);
  return ours;
}

gboolean
box_room_recall (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                 GCancellable *cancellable, GError **error)
{
  g_autofree char *owner = box_client_dup_owner (client, cancellable, error);
  Memory *memory;
  gboolean good, ours;

  if (owner == NULL)
    return FALSE;
  g_mutex_lock (&the_rooms.lock);
  memory = join_locked (owner);
  g_mutex_unlock (&the_rooms.lock);
  ours = take_turn (memory, cancellable);
  if (ours)
    ask (memory, client, transport, cancellable);
  g_mutex_lock (&the_rooms.lock);
  memory->asking--;
  memory->busy &= !ours;
  good = is_fresh_locked (memory) && memory->good;
  *room = memory->room;
  g_cond_broadcast (&the_rooms.changed);
  g_mutex_unlock (&the_rooms.lock);
  if (!good)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_FORBIDDEN,
                         "what the account takes is not known");
  return good;
}

/* ---- what it means ---- */

static guint64
get_free (const BoxRoom *room)
{
  return room->space_used < room->space_amount ? room->space_amount - room->space_used : 0;
}

guint64
box_room_get_limit (const BoxRoom *room)
{
  guint64 most = room->max_upload_size != 0 ? room->max_upload_size : G_MAXUINT64;

  return room->has_space ? MIN (most, get_free (room)) : most;
}

char *
box_room_describe_lack (const BoxRoom *room, guint64 largest, guint64 total)
{
  guint64 left = get_free (room);
  g_autofree char *most = g_format_size (room->max_upload_size);
  g_autofree char *free_space = g_format_size (left);

  if (room->max_upload_size != 0 && largest > room->max_upload_size)
    return g_strdup_printf ("the account takes files of at most %s (%" G_GUINT64_FORMAT " bytes)",
                            most, room->max_upload_size);
  if (room->has_space && total > left)
    return g_strdup_printf ("the account has room for %s (%" G_GUINT64_FORMAT " bytes)", free_space,
                            left);
  return NULL;
}
