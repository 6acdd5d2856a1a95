/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the account has room for a recording whose size is not known: asked at its beginning, and
 * told while something can still be done about it. */
#include "delivery/state.h"

/* A recording that has this share of what the account takes is reported as large: early enough to
 * free space or to end it. */
#define SHARE(limit) ((limit) / 4 * 3)

/* What is known of the recording, with why that is much. */
static char *
describe (const BoxRoom *room, guint64 limit, guint64 size, const char *what)
{
  g_autofree char *shown = g_format_size (size);
  /* Of any file that is larger. */
  g_autofree char *lack = box_room_describe_lack (room, limit + 1, limit + 1);

  return g_strdup_printf ("%s %s, and %s", shown, what, lack);
}

/* What there is to tell of a recording of @size bytes, once; NULL: nothing (yet). */
static char *
judge_locked (BoxDelivery *delivery, guint64 size)
{
  guint64 expected = delivery->expected, limit = delivery->room_limit;
  gboolean much = size > SHARE (limit);

  if (!delivery->room_known || delivery->closed || delivery->ending || (expected <= limit && !much))
    return NULL;
  delivery->room_known = FALSE;
  return much ? describe (&delivery->room, limit, size, "are recorded")
              : describe (&delivery->room, limit, expected, "are expected");
}

/* The answer, at the beginning. Any thread. */
static void
on_room (const BoxRoom *room, gpointer user_data)
{
  BoxDelivery *delivery = user_data;
  guint64 limit = box_room_get_limit (room);
  guint64 expected = box_delivery_expect_size (delivery);
  g_autofree char *text = NULL;

  g_mutex_lock (&delivery->lock);
  delivery->room = *room;
  delivery->room_limit = limit;
  delivery->room_known = limit != G_MAXUINT64;
  delivery->expected = expected;
  text = judge_locked (delivery, box_recording_get_size (delivery->recording));
  g_mutex_unlock (&delivery->lock);
  if (text != NULL)
    box_delivery_tell_room (delivery, text, limit);
}

/* A name that is taken is no refusal if if-exists has an answer to it. */
static gboolean
on_refused (const GError *error, gpointer user_data)
{
  BoxDelivery *delivery = user_data;

  if (box_policy_has_way (&delivery->terms, error))
    return FALSE;
  box_delivery_refused (error, delivery);
  return TRUE;
}

void
box_delivery_start_preflight (BoxDelivery *delivery)
{
  const BoxUploadSettings *upload = &delivery->settings.upload;
  const BoxPreflightEvents events = {
    /* The live request asks for itself. */
    .refused = delivery->live == NULL ? on_refused : NULL,
    /* Others may upload it as another user, and a given session has room for itself. */
    .room = delivery->settings.left_to_others || delivery->terms.given_session ? NULL : on_room,
  };

  delivery->preflight = box_preflight_new (upload->client, upload->destination, &events, delivery);
}

void
box_delivery_check_room (BoxDelivery *delivery)
{
  g_autofree char *text = NULL;
  guint64 limit;

  g_mutex_lock (&delivery->lock);
  limit = delivery->room_limit;
  text = judge_locked (delivery, delivery->position);
  g_mutex_unlock (&delivery->lock);
  if (text != NULL)
    box_delivery_tell_room (delivery, text, limit);
}
