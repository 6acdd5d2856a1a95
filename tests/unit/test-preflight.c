/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The questions of many recordings take few threads and connections of a process. */
#include "api/client.h"
#include "delivery/attempt.h"
#include "kit/patience.h"
#include "kit/places.h"

#include "raw-server.h"

#include <string.h>

#define RECORDINGS 40
#define ASKERS     4

typedef struct
{
  RawServer *server;
  BoxClient *client;
  BoxDestination *destination;
  gint refused; /* atomic */
} Fixture;

static void
serve_refusals (RawPeer *peer, gpointer data)
{
  static const char body[] = "{\"type\":\"error\",\"status\":404,\"code\":\"not_found\"}";
  g_autofree char *head = NULL;

  while ((head = raw_peer_read_head (peer)) != NULL)
    {
      gsize length;
      const char *header = strstr (head, "Content-Length: ");

      length = header != NULL ? (gsize) g_ascii_strtoull (header + 16, NULL, 10) : 0;
      raw_peer_read (peer, length);
      raw_peer_say (peer,
                    "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    strlen (body), body);
      g_clear_pointer (&head, g_free);
    }
}

static void
serve_silence (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  raw_peer_signal (peer);
  raw_peer_linger (peer);
}

static void
fixture_init (Fixture *fixture, RawServe serve)
{
  g_autofree char *endpoint = NULL;
  g_autoptr (GError) error = NULL;

  *fixture = (Fixture){ .server = raw_server_new (serve, NULL, NULL) };
  endpoint = raw_server_get_url (fixture->server, "api/2.0");
  fixture->client = box_client_new (
      &(BoxClientSettings){
          .endpoint = endpoint,
          .api_endpoint = endpoint,
          .timeout = KIT_PATIENCE,
          .access_token = "secret-token",
      },
      &error);
  g_assert_no_error (error);
  fixture->destination = box_destination_new_folder ("0", "a.mp4", &error);
  g_assert_no_error (error);
}

static void
fixture_clear (Fixture *fixture)
{
  box_client_unref (fixture->client);
  box_destination_free (fixture->destination);
  raw_server_free (fixture->server);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static gboolean
count_refusal (const GError *error, gpointer data)
{
  g_atomic_int_inc (&((Fixture *) data)->refused);
  return TRUE;
}

static BoxPreflight *
ask (Fixture *fixture)
{
  return box_preflight_new (fixture->client, fixture->destination,
                            &(BoxPreflightEvents){ .refused = count_refusal }, fixture);
}

static void
test_many_recordings_ask_on_few_connections (void)
{
  g_auto (Fixture) fixture = { 0 };
  BoxPreflight *preflights[RECORDINGS];

  fixture_init (&fixture, serve_refusals);
  for (guint i = 0; i < RECORDINGS; i++)
    preflights[i] = ask (&fixture);
  KIT_AWAIT (g_atomic_int_get (&fixture.refused) == RECORDINGS);
  for (guint i = 0; i < RECORDINGS; i++)
    box_preflight_free (preflights[i]);
  g_assert_cmpuint (raw_server_get_connections (fixture.server), <=, ASKERS);
}

/* Those that ask are waited for until their request has ended, the others not. */
static void
test_a_question_that_nobody_answers_can_be_dropped (void)
{
  g_auto (Fixture) fixture = { 0 };
  BoxPreflight *preflights[2 * ASKERS];

  fixture_init (&fixture, serve_silence);
  for (guint i = 0; i < G_N_ELEMENTS (preflights); i++)
    preflights[i] = ask (&fixture);
  raw_server_wait_signals (fixture.server, ASKERS);
  for (guint i = G_N_ELEMENTS (preflights); i > 0; i--)
    box_preflight_free (preflights[i - 1]);
  g_assert_cmpint (fixture.refused, ==, 0);
  g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, ASKERS);
}

int
main (int argc, char **argv)
{
  kit_clear_environment ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/preflight/many-recordings-ask-on-few-connections",
                   test_many_recordings_ask_on_few_connections);
  g_test_add_func ("/preflight/a-question-that-nobody-answers-can-be-dropped",
                   test_a_question_that_nobody_answers_can_be_dropped);
  return g_test_run ();
}
