/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections of a process are made one after the other, and memory is given back in between. */
#include "kit/patience.h"
#include "transport-fixture.h"

/* ---- the C library's, replaced ---- */

typedef enum
{
  TRIM_AT_ONCE,
  TRIM_UNTIL_RELEASED,
  TRIM_SLOWLY,
} Trim;

#define SLOWLY (G_USEC_PER_SEC / 5)
#define MANY   6

static GMutex lock;
static GCond changed;
static Trim trim;
static gboolean is_trimming;
static guint n_trims;
static gint64 begins[MANY], ends[MANY];

int malloc_trim (size_t pad);

/* Searches a heap of the size that the test wants. */
int
malloc_trim (size_t pad)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  guint i = MIN (n_trims, MANY - 1);

  n_trims++;
  begins[i] = g_get_monotonic_time ();
  is_trimming = TRUE;
  g_cond_broadcast (&changed);
  while (trim == TRIM_UNTIL_RELEASED)
    g_cond_wait (&changed, &lock);
  if (trim == TRIM_SLOWLY)
    g_usleep (SLOWLY);
  is_trimming = FALSE;
  ends[i] = g_get_monotonic_time ();
  return 1;
}

static void
set_trim (Trim how)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  trim = how;
  g_cond_broadcast (&changed);
}

/* ---- requests ---- */

typedef struct
{
  BoxTransportConfig *config;
  const char *url;
  GCancellable *cancellable;
  GError *error;
} Run;

static gpointer
run (gpointer data)
{
  Run *self = data;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  BoxRequest request = { .method = "GET", .url = self->url };
  g_autoptr (BoxReply) reply =
      box_transport_send (transport, self->config, &request, self->cancellable, &self->error);

  g_assert_true ((reply == NULL) == (self->error != NULL));
  return NULL;
}

/* Memory is not given back right after the last time: until then nobody waits. */
static gpointer
run_until_it_trims (gpointer data)
{
  guint before;

  g_mutex_lock (&lock);
  before = n_trims;
  g_mutex_unlock (&lock);
  for (guint now = before; now == before && ((Run *) data)->error == NULL;)
    {
      run (data);
      g_mutex_lock (&lock);
      now = n_trims;
      g_mutex_unlock (&lock);
    }
  return NULL;
}

static void
serve (RawPeer *peer, gpointer data)
{
  g_autofree char *head = raw_peer_read_head (peer);

  if (head != NULL)
    raw_peer_reply (peer, "hello");
}

/* The first request has the turn for as long as the test likes. */
static void
test_a_cancelled_request_waits_for_no_turn (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *url = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Run first, second;
  GThread *first_thread, *second_thread;
  guint before;

  fixture_init (&fixture, mode, serve, NULL, FIXTURE_TIMEOUT);
  url = raw_server_get_url (fixture.server, "");
  first = second = (Run){ .config = fixture.config, .url = url };
  second.cancellable = cancellable;
  set_trim (TRIM_UNTIL_RELEASED);
  first_thread = g_thread_new ("first", run_until_it_trims, &first);
  g_mutex_lock (&lock);
  while (!is_trimming)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
  before = raw_server_get_connections (fixture.server);
  second_thread = g_thread_new ("second", run, &second);
  KIT_AWAIT (raw_server_get_connections (fixture.server) > before);
  g_cancellable_cancel (cancellable);
  g_thread_join (second_thread);
  g_assert_error (second.error, BOX_ERROR, BOX_ERROR_CANCELLED);
  set_trim (TRIM_AT_ONCE);
  g_thread_join (first_thread);
  g_assert_no_error (first.error);
  g_clear_error (&second.error);
}

static void
test_giving_memory_back_takes_a_quarter_of_the_time (gconstpointer mode)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *url = NULL;

  fixture_init (&fixture, mode, serve, NULL, FIXTURE_TIMEOUT);
  url = raw_server_get_url (fixture.server, "");
  n_trims = 0;
  set_trim (TRIM_SLOWLY);
  run_until_it_trims (&(Run){ .config = fixture.config, .url = url });
  for (guint i = 0; i < MANY; i++)
    {
      Run request = { .config = fixture.config, .url = url };

      run (&request);
      g_assert_no_error (request.error);
    }
  set_trim (TRIM_AT_ONCE);
  for (guint i = 1; i < MIN (n_trims, MANY); i++)
    g_assert_cmpint (begins[i], >=, ends[i - 1] + 3 * (ends[i - 1] - begins[i - 1]));
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  fixture_add_both ("turns/a-cancelled-request-waits-for-none",
                    test_a_cancelled_request_waits_for_no_turn);
  fixture_add_both ("turns/giving-memory-back-takes-a-quarter-of-the-time",
                    test_giving_memory_back_takes_a_quarter_of_the_time);
  return fixture_run_program ();
}
