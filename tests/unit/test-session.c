/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/session.h"
#include "base/error.h"

#include <string.h>

#define BASE "https://upload.box.com/api/2.0/files/upload_sessions/F971964745A5CD0C001BBE4E58196BFD"

/* Box's own example; the pieces that the tests vary are members of their own. */
#define ENDPOINTS                                                                                  \
  "{\"upload_part\":\"" BASE "\",\"commit\":\"" BASE "/commit\",\"abort\":\"" BASE                 \
  "\",\"list_parts\":\"" BASE "/parts\",\"status\":\"" BASE "\"}"

static const char example[] =
    "{\"id\":\"F971964745A5CD0C001BBE4E58196BFD\",\"type\":\"upload_session\","
    "\"session_expires_at\":\"2017-04-18T01:45:15-08:00\",\"part_size\":8388608,"
    "\"total_parts\":3,\"num_parts_processed\":1,\"session_endpoints\":" ENDPOINTS "}";

static BoxSession *
parse_with (const char *member, const char *value, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (example, NULL);

  if (member != NULL && value == NULL)
    json_object_remove_member (json_node_get_object (node), member);
  else if (member != NULL)
    json_object_set_member (json_node_get_object (node), member, json_from_string (value, NULL));
  return box_session_parse (node, error);
}

static void
test_the_guides_example_is_understood (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSession) parsed = parse_with (NULL, NULL, &error);
  g_autoptr (BoxSession) session = NULL;

  g_assert_no_error (error);
  session = box_session_copy (parsed);
  g_assert_cmpstr (session->id, ==, "F971964745A5CD0C001BBE4E58196BFD");
  g_assert_cmpuint (session->part_size, ==, 8388608);
  g_assert_cmpuint (session->total_parts, ==, 3);
  g_assert_cmpuint (session->parts_processed, ==, 1);
  g_assert_cmpint (g_date_time_to_unix (session->expires_at), ==, 1492508715);
  g_assert_cmpstr (session->commit_url, ==, BASE "/commit");
  g_assert_cmpstr (session->list_parts_url, ==, BASE "/parts");
}

static void
test_what_may_be_missing_may_be_missing (void)
{
  static const char *const members[] = { "session_expires_at", "num_parts_processed", "type" };

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxSession) session = parse_with (members[i], NULL, &error);

      g_assert_no_error (error);
      g_assert_nonnull (session);
    }
}

/* Box's sessions have it since September 2026. */
static void
test_a_plan_is_optional_and_checked (void)
{
  static const struct
  {
    const char *plan;
    gboolean found, trusted;
  } rows[] = {
    { "\"" BASE "/plan\"", TRUE, TRUE },
    { "\"https://example.com/plan\"", TRUE, FALSE },
    { "\"no URL\"", FALSE, TRUE },
    { "7", FALSE, TRUE },
    { "null", FALSE, TRUE },
  };
  g_autoptr (BoxSession) without = parse_with (NULL, NULL, NULL);

  g_assert_null (without->plan_url);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *endpoints = g_strdup_printf (
          "%.*s,\"plan\":%s}", (int) strlen (ENDPOINTS) - 1, ENDPOINTS, rows[i].plan);
      g_autoptr (BoxSession) session = parse_with ("session_endpoints", endpoints, NULL);

      g_assert_nonnull (session);
      g_assert_cmpint (session->plan_url != NULL, ==, rows[i].found);
      g_assert_cmpint (
          box_session_check_endpoints (session, "https://upload.box.com/api/2.0", NULL), ==,
          rows[i].trusted);
    }
}

static const struct
{
  const char *member;
  const char *value; /* NULL: removed */
} nonsense[] = {
  { "id", NULL },
  { "id", "\"\"" },
  { "id", "12" },
  { "id", "\"../../etc\"" },
  { "id", "\"a b\"" },
  { "id", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
  { "part_size", NULL },
  { "part_size", "0" },
  { "part_size", "-8388608" },
  { "part_size", "1073741825" },
  { "part_size", "9223372036854775807" },
  { "part_size", "8388608.5" },
  { "part_size", "\"8388608\"" },
  { "total_parts", NULL },
  { "total_parts", "0" },
  { "total_parts", "-1" },
  { "total_parts", "4294967296" },
  { "num_parts_processed", "-1" },
  { "session_expires_at", "12" },
  { "session_expires_at", "\"soon\"" },
  { "session_endpoints", NULL },
  { "session_endpoints", "[]" },
  { "session_endpoints", "{}" },
  { "session_endpoints",
    "{\"upload_part\":\"ftp://x/\",\"commit\":\"https://x/\",\"abort\":\"https://x/\","
    "\"list_parts\":\"https://x/\",\"status\":\"https://x/\"}" },
  { "session_endpoints",
    "{\"upload_part\":\"https://u:p@x/\",\"commit\":\"https://x/\",\"abort\":\"https://x/\","
    "\"list_parts\":\"https://x/\",\"status\":\"https://x/\"}" },
  { "session_endpoints",
    "{\"upload_part\":\"https://x/\",\"commit\":\"https://x/\",\"abort\":\"https://x/\","
    "\"list_parts\":\"https://x/\"}" },
};

static void
test_nonsense_is_refused (void)
{
  g_autoptr (JsonNode) array = json_from_string ("[]", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (nonsense); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BoxSession) session = parse_with (nonsense[i].member, nonsense[i].value, &error);

      if (session != NULL)
        g_error ("%s: %s was taken", nonsense[i].member, nonsense[i].value);
      g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
    }
  g_assert_null (box_session_parse (array, NULL));
  g_assert_null (box_session_parse (NULL, NULL));
}

static const struct
{
  const char *url;
  const char *endpoint;
  gboolean trusted;
} endpoints[] = {
  { "https://upload.box.com/x", "https://upload.box.com/api/2.0", TRUE },
  { "https://UPLOAD.box.com:443/x", "https://upload.box.com/api/2.0", TRUE },
  { "https://upload-las.app.box.com/x", "https://upload.box.com/api/2.0", TRUE },
  { "https://box.com/x", "https://upload.box.com/api/2.0", TRUE },
  { "http://upload.box.com/x", "https://upload.box.com/api/2.0", FALSE },
  { "https://upload.box.com:444/x", "https://upload.box.com/api/2.0", FALSE },
  { "https://box.com.evil.example/x", "https://upload.box.com/api/2.0", FALSE },
  { "https://evilbox.com/x", "https://upload.box.com/api/2.0", FALSE },
  { "https://com/x", "https://upload.box.com/api/2.0", FALSE },
  { "https://a.co.uk/x", "https://b.co.uk/api/2.0", FALSE },
  { "https://127.0.0.1/x", "https://upload.box.com/api/2.0", FALSE },
  { "http://127.0.0.1:8080/x", "http://127.0.0.1:8080/api/2.0", TRUE },
  { "http://127.0.0.1:8081/x", "http://127.0.0.1:8080/api/2.0", FALSE },
  { "http://10.0.0.1:8080/x", "http://127.0.0.1:8080/api/2.0", FALSE },
  { "https://127.0.0.1:8080/x", "http://127.0.0.1:8080/api/2.0", FALSE },
  { "http://[::1]:8080/x", "http://[::1]:8080/api/2.0", TRUE },
};

static void
test_endpoints_elsewhere_are_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (endpoints); i++)
    for (guint field = 0; field < 5; field++)
      {
        g_autoptr (BoxSession) session = parse_with (NULL, NULL, NULL);
        g_autoptr (GError) error = NULL;
        char **urls[] = { &session->upload_part_url, &session->commit_url, &session->abort_url,
                          &session->list_parts_url, &session->status_url };
        gboolean trusted;

        for (guint other = 0; other < 5; other++)
          {
            g_free (*urls[other]);
            *urls[other] = g_strdup (other == field ? endpoints[i].url : endpoints[i].endpoint);
          }
        trusted = box_session_check_endpoints (session, endpoints[i].endpoint, &error);
        if (trusted != endpoints[i].trusted)
          g_error ("%s for %s", endpoints[i].url, endpoints[i].endpoint);
        if (!trusted)
          g_assert_error (error, BOX_ERROR, BOX_ERROR_TRUST);
      }
}

static void
test_a_size_fits_its_own_grid_only (void)
{
  BoxSession session = { .part_size = 10, .total_parts = 3 };

  g_assert_false (box_session_fits (&session, 0));
  g_assert_false (box_session_fits (&session, 20));
  g_assert_true (box_session_fits (&session, 21));
  g_assert_true (box_session_fits (&session, 30));
  g_assert_false (box_session_fits (&session, 31));
  g_assert_false (box_session_fits (&session, G_MAXUINT64));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/the-guides-example-is-understood",
                   test_the_guides_example_is_understood);
  g_test_add_func ("/session/what-may-be-missing-may-be-missing",
                   test_what_may_be_missing_may_be_missing);
  g_test_add_func ("/session/nonsense-is-refused", test_nonsense_is_refused);
  g_test_add_func ("/session/endpoints-elsewhere-are-refused",
                   test_endpoints_elsewhere_are_refused);
  g_test_add_func ("/session/a-size-fits-its-own-grid-only", test_a_size_fits_its_own_grid_only);
  g_test_add_func ("/session/a-plan-is-optional-and-checked", test_a_plan_is_optional_and_checked);
  return g_test_run ();
}
