/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies that are made while they are sent: their chunks, their rests, and that one which is cut
 * never looks complete. */
#include "transport-fixture.h"

#include <sys/eventfd.h>
#include <unistd.h>

#define END "0\r\n\r\n"

/* What the server got behind the head, and what a source does when it has given its bytes. */
typedef enum
{
  THEN_END,
  THEN_FAIL,
  THEN_REST, /* forever */
  THEN_REST_AND_END,
} Then;

typedef struct
{
  BoxBody body;
  BoxBodySource source;
  guint64 size;
  Then then;
  gint64 resume_at; /* monotonic: the end of the rest; 0: it has not begun */

  GMutex lock;
  GByteArray *received; /* with lock */
  char *head;           /* likewise */
} Live;

static BoxSourceState
after_bytes (Live *live, gint64 *rest, GError **error)
{
  gint64 now = g_get_monotonic_time ();

  if (live->then == THEN_END || (live->resume_at > 0 && now >= live->resume_at))
    return BOX_SOURCE_ENDED;
  if (live->then == THEN_FAIL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, "the disk is on fire");
      return BOX_SOURCE_FAILED;
    }
  if (live->then == THEN_REST_AND_END && live->resume_at == 0)
    live->resume_at = now + FIXTURE_STALL * (gint64) G_USEC_PER_SEC * 3 / 2;
  *rest = live->then == THEN_REST ? -1 : live->resume_at - now;
  return BOX_SOURCE_RESTS;
}

static BoxSourceState
take (gpointer data, guint64 offset, guint8 *buffer, gsize *length, gint64 *rest, GError **error)
{
  Live *live = data;

  if (offset == live->size)
    return after_bytes (live, rest, error);
  *length = (gsize) MIN (*length, live->size - offset);
  if (offset % 3 == 0)
    *length = MIN (*length, 1316);
  for (gsize i = 0; i < *length; i++)
    buffer[i] = (guint8) ((offset + i) % 251);
  return BOX_SOURCE_BYTES;
}

static void
live_init (Live *live, guint64 size, Then then)
{
  *live = (Live){ .size = size, .then = then, .received = g_byte_array_new () };
  live->source = (BoxBodySource){ .fd = eventfd (0, EFD_CLOEXEC), .take = take };
  live->body =
      (BoxBody){ .size = BOX_BODY_UNKNOWN_SIZE, .source = &live->source, .user_data = live };
}

static void
live_clear (Live *live)
{
  close (live->source.fd);
  g_byte_array_unref (live->received);
  g_free (live->head);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Live, live_clear)

static gboolean
has_end_locked (Live *live)
{
  gsize n = strlen (END);

  return live->received->len >= n
         && memcmp (live->received->data + live->received->len - n, END, n) == 0;
}

/* Reads all that comes, until its end (@stop_at_end) or the client's. */
static void
receive (RawPeer *peer, Live *live, gsize enough, gboolean stop_at_end)
{
  gboolean more = TRUE;

  while (more)
    {
      g_autoptr (GBytes) bytes = raw_peer_read_some (peer);
      gsize n = 0;
      gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &n) : NULL;

      g_mutex_lock (&live->lock);
      g_byte_array_append (live->received, data, (guint) n);
      more = n > 0 && live->received->len < enough && !(stop_at_end && has_end_locked (live));
      g_mutex_unlock (&live->lock);
    }
}

static gboolean
begin (RawPeer *peer, Live *live)
{
  char *head = raw_peer_read_head (peer);

  g_mutex_lock (&live->lock);
  live->head = head;
  g_mutex_unlock (&live->lock);
  return head != NULL;
}

static void
serve_whole (RawPeer *peer, gpointer data)
{
  if (!begin (peer, data))
    return;
  receive (peer, data, G_MAXSIZE, TRUE);
  raw_peer_reply (peer, "stored");
}

/* The data of the chunks, of which each but the last has to be whole. */
static GBytes *
decode (Live *live)
{
  /* Numbers are read as text: it needs an end, which is not part of it. */
  static const guint8 zero = 0;
  const char *next, *end;
  GByteArray *bytes = g_byte_array_new ();
  guint64 length = 1;

  g_byte_array_append (live->received, &zero, 1);
  next = (const char *) live->received->data;
  end = next + live->received->len - 1;
  while (length > 0)
    {
      char *line_end = NULL;

      g_assert_true (next < end);
      length = g_ascii_strtoull (next, &line_end, 16);
      g_assert_true (g_str_has_prefix (line_end, "\r\n"));
      next = line_end + 2;
      g_assert_cmpuint ((gsize) (end - next), >=, length + 2);
      g_byte_array_append (bytes, (const guint8 *) next, (guint) length);
      next += length;
      g_assert_true (memcmp (next, "\r\n", 2) == 0);
      next += 2;
    }
  g_assert_true (next == end);
  return g_byte_array_free_to_bytes (bytes);
}

static void
test_body_arrives_whole (gconstpointer mode)
{
  /* 475020: curl once counted what the chunks add as part of the body, and stopped early. */
  static const guint64 sizes[] = { 0, 1, 1316, 131072, 131073, 475020, 3000000 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_auto (Live) live = { 0 };
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxReply) reply = NULL;
      g_autoptr (GBytes) bytes = NULL;

      live_init (&live, sizes[i], THEN_END);
      fixture_init (&fixture, mode, serve_whole, &live, FIXTURE_TIMEOUT);
      reply = fixture_send (&fixture, "POST", &live.body, &error);
      g_assert_no_error (error);
      fixture_assert_body (reply, "stored");
      bytes = decode (&live);
      g_assert_cmpuint (g_bytes_get_size (bytes), ==, sizes[i]);
      pattern_assert (bytes, sizes[i]);
      g_assert_nonnull (strstr (live.head, "Transfer-Encoding: chunked\r\n"));
      g_assert_null (strstr (live.head, "Content-Length"));
      g_assert_null (strstr (live.head, "Expect"));
    }
}

/* ---- cut ---- */

typedef struct
{
  const char *name;
  guint64 size;
  Then then;
  gsize read; /* by the server, before it stops for the time being */
  gboolean cancel;
  BoxErrorCode code;
} Cut;

static const Cut cuts[] = {
  { "source-fails", 1000000, THEN_FAIL, G_MAXSIZE, FALSE, BOX_ERROR_STORAGE },
  { "source-fails-at-once", 0, THEN_FAIL, G_MAXSIZE, FALSE, BOX_ERROR_STORAGE },
  { "cancelled-at-rest", 100000, THEN_REST, 100000, TRUE, BOX_ERROR_CANCELLED },
  { "cancelled-while-it-writes", 64000000, THEN_END, 100000, TRUE, BOX_ERROR_CANCELLED },
};

typedef struct
{
  Live live;
  const Cut *cut;
} CutState;

static void
serve_cut (RawPeer *peer, gpointer data)
{
  CutState *state = data;

  if (!begin (peer, &state->live))
    return;
  if (state->cut->cancel)
    {
      receive (peer, &state->live, state->cut->read, FALSE);
      raw_peer_signal (peer);
    }
  receive (peer, &state->live, G_MAXSIZE, FALSE);
  raw_peer_signal (peer);
}

static gpointer
cancel_when_read (gpointer data)
{
  Fixture *fixture = data;

  raw_server_wait_signals (fixture->server, 1);
  g_cancellable_cancel (fixture->cancellable);
  return NULL;
}

/* libsoup ends a chunked body that it is rid of: the server must not see that. */
static void
test_cut_body_has_no_end (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cuts); i++)
    {
      CutState state = { .cut = &cuts[i] };
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxReply) reply = NULL;
      GThread *thread = NULL;

      g_test_message ("%s", cuts[i].name);
      live_init (&state.live, cuts[i].size, cuts[i].then);
      fixture_init (&fixture, mode, serve_cut, &state, 60);
      if (cuts[i].cancel)
        thread = g_thread_new ("cancel", cancel_when_read, &fixture);
      reply = fixture_send (&fixture, "POST", &state.live.body, &error);
      g_assert_null (reply);
      g_assert_error (error, BOX_ERROR, (int) cuts[i].code);
      raw_server_wait_signals (fixture.server, cuts[i].cancel ? 2 : 1);
      g_mutex_lock (&state.live.lock);
      g_assert_false (has_end_locked (&state.live));
      g_mutex_unlock (&state.live.lock);
      if (thread != NULL)
        g_thread_join (thread);
      g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 1);
      live_clear (&state.live);
    }
}

/* ---- early replies ---- */

typedef struct
{
  const char *reply; /* NULL: closes without a word */
  guint status;
  gboolean lingers;
} Early;

static const Early earlies[] = {
  { "HTTP/1.1 413 Big\r\nContent-Length: 3\r\n\r\nbig", 413, TRUE },
  { "HTTP/1.1 413 Big\r\nContent-Length: 3\r\n\r\nbig", 413, FALSE },
  { "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", 401, TRUE },
  { "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 503, TRUE },
  { NULL, 0, FALSE },
};

typedef struct
{
  Live live;
  const Early *early;
} EarlyState;

static void
serve_early (RawPeer *peer, gpointer data)
{
  EarlyState *state = data;

  if (!begin (peer, &state->live))
    return;
  receive (peer, &state->live, 100000, FALSE);
  if (state->early->reply != NULL)
    raw_peer_say (peer, "%s", state->early->reply);
  if (state->early->lingers)
    receive (peer, &state->live, G_MAXSIZE, FALSE);
}

/* The source would rest forever. */
static void
test_early_reply_ends_a_rest (gconstpointer mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (earlies); i++)
    {
      EarlyState state = { .early = &earlies[i] };
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxReply) reply = NULL;

      g_test_message ("case %zu", i);
      live_init (&state.live, 100000, THEN_REST);
      fixture_init (&fixture, mode, serve_early, &state, 60);
      reply = fixture_send (&fixture, "POST", &state.live.body, &error);
      if (earlies[i].reply != NULL)
        {
          g_assert_no_error (error);
          g_assert_cmpuint (reply->status, ==, earlies[i].status);
        }
      else
        {
          g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
          g_assert_true (box_error_get_details (error)->unsure);
        }
      g_assert_cmpuint (raw_server_get_connections (fixture.server), ==, 1);
      g_clear_pointer (&fixture.server, raw_server_free);
      g_assert_false (has_end_locked (&state.live));
      fixture.server = raw_server_new (serve_early, &state, NULL);
      live_clear (&state.live);
    }
}

/* It is this side that has nothing to say: the peer's patience is not tried. */
static void
test_rest_is_no_silence (gconstpointer mode)
{
  g_auto (Live) live = { 0 };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxReply) reply = NULL;

  live_init (&live, 100000, THEN_REST_AND_END);
  fixture_init (&fixture, mode, serve_whole, &live, FIXTURE_STALL);
  reply = fixture_send (&fixture, "POST", &live.body, &error);
  g_assert_no_error (error);
  fixture_assert_body (reply, "stored");
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  fixture_add_both ("live/body-arrives-whole", test_body_arrives_whole);
  fixture_add_both ("live/cut-body-has-no-end", test_cut_body_has_no_end);
  fixture_add_both ("live/early-reply-ends-a-rest", test_early_reply_ends_a_rest);
  fixture_add_both ("live/rest-is-no-silence", test_rest_is_no_silence);
  return fixture_run_program ();
}
