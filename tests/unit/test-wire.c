/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/message.h"
#include "http/exchange.h"

#include <string.h>

static const struct
{
  const char *text;
  BoxReplyParserState state; /* when all is fed */
  BoxReplyParserState ended; /* and the connection has ended */
  guint status;
  const char *body;
} cases[] = {
  { "", BOX_REPLY_PARSER_NOTHING, BOX_REPLY_PARSER_NOTHING },
  { "HT", BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_MORE },
  { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n", BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_MORE },
  { "HTTP/1.1 201 OK\r\nContent-Length: 2\r\n\r\na", BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_MORE },
  { "HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", BOX_REPLY_PARSER_MORE,
    BOX_REPLY_PARSER_MORE },
  { "HTTP/1.1 201 OK\r\n\r\nuntil the end", BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_DONE, 201,
    "until the end" },
  { "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", BOX_REPLY_PARSER_DONE, BOX_REPLY_PARSER_DONE,
    200, "" },
  { "HTTP/1.1 200 OK\nContent-Length: 2\n\nab", BOX_REPLY_PARSER_DONE, BOX_REPLY_PARSER_DONE, 200,
    "ab" },
  { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP", BOX_REPLY_PARSER_DONE,
    BOX_REPLY_PARSER_DONE, 200, "ab" },
  { "HTTP/1.1 429 No\r\nContent-Length: 9\r\n\r\nab", BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_DONE,
    429, "ab" },
  { "HTTP/1.1 500 No\r\n\r\nuntil the end", BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_DONE, 500,
    "until the end" },
  { "HTTP/1.1 204 No\r\n\r\n", BOX_REPLY_PARSER_DONE, BOX_REPLY_PARSER_DONE, 204, "" },
  { "HTTP/1.1 204 No\r\n\r\nbytes", BOX_REPLY_PARSER_DONE, BOX_REPLY_PARSER_DONE, 204, "" },
  { "HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\nbytes", BOX_REPLY_PARSER_DONE,
    BOX_REPLY_PARSER_DONE, 304, "" },
  { "HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", BOX_REPLY_PARSER_DONE,
    BOX_REPLY_PARSER_DONE, 304, "" },
  { "HTTP/1.1 100 Go on\r\n\r\n", BOX_REPLY_PARSER_NOTHING, BOX_REPLY_PARSER_NOTHING },
  { "HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", BOX_REPLY_PARSER_DONE,
    BOX_REPLY_PARSER_DONE, 401, "" },
  { "HTTP/1.1 503 No\r\nTransfer-Encoding: "
    "chunked\r\n\r\n3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n\r\n",
    BOX_REPLY_PARSER_DONE, BOX_REPLY_PARSER_DONE, 503, "abc0123456789" },
  { "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde",
    BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_DONE, 503, "abc" },
  { "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc",
    BOX_REPLY_PARSER_MORE, BOX_REPLY_PARSER_DONE, 503, "" },
  { "SSH-2.0-OpenSSH\r\n", BOX_REPLY_PARSER_BAD, BOX_REPLY_PARSER_BAD },
  { "HTTP/x.y what\r\n\r\n", BOX_REPLY_PARSER_BAD, BOX_REPLY_PARSER_BAD },
  { "\r\n\r\n", BOX_REPLY_PARSER_BAD, BOX_REPLY_PARSER_BAD },
};

static void
check_case (gsize i, gsize step)
{
  g_autoptr (BoxReplyParser) wire = box_reply_parser_new ();
  const char *text = cases[i].text;
  BoxReplyParserState state = BOX_REPLY_PARSER_NOTHING;
  g_autoptr (BoxReply) reply = NULL;

  for (gsize pos = 0;
       pos < strlen (text) && state != BOX_REPLY_PARSER_BAD && state != BOX_REPLY_PARSER_DONE;
       pos += step)
    state =
        box_reply_parser_feed (wire, (const guint8 *) text + pos, MIN (step, strlen (text) - pos));
  if (state != cases[i].state)
    g_error ("case %zu in steps of %zu: %d", i, step, (int) state);
  if (state == BOX_REPLY_PARSER_BAD)
    return;
  if (state != BOX_REPLY_PARSER_DONE)
    g_assert_cmpint (box_reply_parser_end (wire), ==, cases[i].ended);
  if (cases[i].ended != BOX_REPLY_PARSER_DONE)
    return;
  reply = box_reply_parser_take_reply (wire);
  g_assert_cmpuint (reply->status, ==, cases[i].status);
  g_assert_cmpmem (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body),
                   cases[i].body, strlen (cases[i].body));
}

static void
test_replies_are_understood_however_they_are_cut (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step < 200; step += step < 20 ? 1 : 50)
      check_case (i, step);
}

static void
test_an_endless_head_is_refused (void)
{
  g_autoptr (BoxReplyParser) wire = box_reply_parser_new ();
  static const guint8 line[] = "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
  BoxReplyParserState state =
      box_reply_parser_feed (wire, (const guint8 *) "HTTP/1.1 200 OK\r\n", 17);

  for (guint i = 0; i < 100000 && state == BOX_REPLY_PARSER_MORE; i++)
    state = box_reply_parser_feed (wire, line, sizeof line - 1);
  g_assert_cmpint (state, ==, BOX_REPLY_PARSER_BAD);
}

/* However it is cut. */
static void
test_a_head_that_is_too_long_is_refused_at_once (void)
{
  g_autoptr (BoxReplyParser) wire = box_reply_parser_new ();
  g_autofree char *filler = g_strnfill (70000, 'a');
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 200 OK\r\nX-Filler: %s\r\n\r\n", filler);

  g_assert_cmpint (box_reply_parser_feed (wire, (const guint8 *) text, strlen (text)), ==,
                   BOX_REPLY_PARSER_BAD);
}

static void
test_any_number_of_interim_replies_comes_before_the_reply (void)
{
  g_autoptr (BoxReplyParser) wire = box_reply_parser_new ();
  g_autoptr (GString) flood = g_string_new (NULL);

  for (guint i = 0; i < 200000; i++)
    g_string_append (flood, "HTTP/1.1 100 Continue\r\n\r\n");
  g_assert_cmpint (box_reply_parser_feed (wire, (const guint8 *) flood->str, flood->len), ==,
                   BOX_REPLY_PARSER_NOTHING);
  g_assert_false (box_reply_parser_has_head (wire));
  g_assert_cmpint (
      box_reply_parser_feed (wire, (const guint8 *) "HTTP/1.1 204 No Content\r\n\r\n", 27), ==,
      BOX_REPLY_PARSER_DONE);
  g_assert_true (box_reply_parser_has_head (wire));
}

static void
test_an_endless_body_ends_at_the_limit (void)
{
  g_autoptr (BoxReplyParser) wire = box_reply_parser_new ();
  static const guint8 block[65536];
  BoxReplyParserState state =
      box_reply_parser_feed (wire, (const guint8 *) "HTTP/1.1 500 No\r\n\r\n", 19);
  g_autoptr (BoxReply) reply = NULL;

  for (guint i = 0; i < 1000 && state == BOX_REPLY_PARSER_MORE; i++)
    state = box_reply_parser_feed (wire, block, sizeof block);
  g_assert_cmpint (state, ==, BOX_REPLY_PARSER_DONE);
  reply = box_reply_parser_take_reply (wire);
  g_assert_cmpuint (g_bytes_get_size (reply->body), ==, BOX_TRANSPORT_MAX_REPLY);
}

static const struct
{
  const char *value;
  gint seconds;
} waits[] = {
  { "0", 0 },
  { "120", 120 },
  { "99999999999", -1 },
  { "-1", -1 },
  { "soon", -1 },
  { "1.5", -1 },
  { "Sun, 06 Nov 1994 08:49:47 GMT", 10 },
  { "Sun, 06 Nov 1994 08:00:00 GMT", 0 },
};

static void
test_retry_after_is_seconds_or_a_date (void)
{
  g_autoptr (GDateTime) date = g_date_time_new_utc (1994, 11, 6, 8, 49, 37);

  for (gsize i = 0; i < G_N_ELEMENTS (waits); i++)
    g_assert_cmpint (box_reply_parse_retry_after (waits[i].value, date), ==, waits[i].seconds);
  g_assert_cmpint (box_reply_parse_retry_after ("Sun, 06 Nov 1994 08:49:47 GMT", NULL), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/replies-are-understood-however-they-are-cut",
                   test_replies_are_understood_however_they_are_cut);
  g_test_add_func ("/wire/an-endless-head-is-refused", test_an_endless_head_is_refused);
  g_test_add_func ("/wire/a-head-that-is-too-long-is-refused-at-once",
                   test_a_head_that_is_too_long_is_refused_at_once);
  g_test_add_func ("/wire/any-number-of-interim-replies-comes-before-the-reply",
                   test_any_number_of_interim_replies_comes_before_the_reply);
  g_test_add_func ("/wire/an-endless-body-ends-at-the-limit",
                   test_an_endless_body_ends_at_the_limit);
  g_test_add_func ("/wire/retry-after-is-seconds-or-a-date", test_retry_after_is_seconds_or_a_date);
  return g_test_run ();
}
