/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/account.h"

#include "api/calls.h"
#include "base/json.h"
#include "base/single-flight.h"

/* How long an answer is good for: free space changes, also by others. Microseconds. */
#define LIFETIME (600 * G_USEC_PER_SEC)

/* Accounts that are remembered; then all are forgotten, which costs a request each. */
#define MAX_REMEMBERED 64

/* What an account answered. */
typedef struct
{
  gboolean good; /* FALSE: it may not be asked, or could not */
  gboolean lasting;
  gint64 asked_at; /* monotonic */
  BoxRoom room;
} Answer;

/* Owner to Answer. */
static BoxSingleFlight the_rooms = { .max_kept = MAX_REMEMBERED };

static gboolean
find (JsonObject *object, const char *name, guint64 *value)
{
  gboolean found = FALSE;

  /* A number that makes no sense counts as not known: Box writes large ones in several ways. */
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

typedef struct
{
  BoxClient *client;
  BoxTransport *transport;
  GCancellable *cancellable;
} Asking;

/* A failure that passes is not kept: the next recording asks again. */
static gpointer
ask (gboolean *keep, gpointer user_data)
{
  const Asking *asking = user_data;
  Answer *answer = g_atomic_rc_box_new0 (Answer);
  g_autoptr (GError) failure = NULL;

  answer->good = box_client_get_room (asking->client, asking->transport, &answer->room,
                                      asking->cancellable, &failure);
  answer->lasting = answer->good
                    || !(box_error_is_transient (failure)
                         || g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED));
  answer->asked_at = g_get_monotonic_time ();
  *keep = answer->lasting;
  return answer;
}

static gboolean
is_fresh (gconstpointer answer, gpointer user_data)
{
  const Answer *known = answer;

  return known->lasting && g_get_monotonic_time () < known->asked_at + LIFETIME;
}

gboolean
box_room_recall (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                 GCancellable *cancellable, GError **error)
{
  g_autofree char *owner = box_client_dup_owner (client, cancellable, error);
  Asking asking = { .client = client, .transport = transport, .cancellable = cancellable };
  BoxQuestion question = { .ask = ask, .accepts = is_fresh, .user_data = &asking };
  Answer *answer;
  gboolean good;

  *room = (BoxRoom){ 0 };
  if (owner == NULL)
    return FALSE;
  answer = box_single_flight_ask (&the_rooms, owner, &question, NULL, cancellable, error);
  if (answer == NULL)
    return FALSE;
  good = answer->good;
  *room = answer->room;
  box_single_flight_unref (&the_rooms, answer);
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
