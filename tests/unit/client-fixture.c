/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client-fixture.h"

#include "kit/patience.h"
#include "kit/places.h"

void
fixture_init_program (int *argc, char ***argv)
{
  kit_clear_environment ();
  g_test_init (argc, argv, NULL);
}

void
fixture_init_as (Fixture *fixture, const ScriptReply *replies, guint n, const char *as_user)
{
  g_autofree char *endpoint = NULL, *api_endpoint = NULL;
  g_autoptr (GError) error = NULL;

  fixture->server = script_server_new (replies, n);
  endpoint = g_strconcat (script_server_get_base (fixture->server), "/api/2.0/", NULL);
  api_endpoint = g_strconcat (script_server_get_base (fixture->server), "/2.0", NULL);
  fixture->client = box_client_new (
      &(BoxClientSettings){
          .endpoint = endpoint,
          .api_endpoint = api_endpoint,
          .as_user = as_user,
          .timeout = KIT_PATIENCE,
          .access_token = "secret-token",
      },
      &error);
  g_assert_no_error (error);
  fixture->transport = box_transport_new ();
}

void
fixture_init (Fixture *fixture, const ScriptReply *replies, guint n)
{
  fixture_init_as (fixture, replies, n, NULL);
}

void
fixture_clear (Fixture *fixture)
{
  box_transport_free (fixture->transport);
  box_client_unref (fixture->client);
  script_server_free (fixture->server);
}

gboolean
fixture_sent_header (Fixture *fixture, guint i, const char *name, const char *value)
{
  g_autofree char *line = g_strdup_printf ("\r\n%s: %s\r\n", name, value);

  return strstr (script_server_get_head (fixture->server, i), line) != NULL;
}

void
fixture_assert_asked (Fixture *fixture, guint i, const char *request)
{
  g_autofree char *line = g_strconcat (request, " HTTP/1.1\r\n", NULL);
  const char *head = script_server_get_head (fixture->server, i);

  if (!g_str_has_prefix (head, line))
    g_error ("not \"%s\": %s", request, head);
  g_assert_true (fixture_sent_header (fixture, i, "Authorization", "Bearer secret-token"));
}

void
fixture_assert_json (Fixture *fixture, guint i, const char *text)
{
  GBytes *body = script_server_get_body (fixture->server, i);
  g_autofree char *sent = g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body));
  g_autoptr (JsonNode) a = json_from_string (sent, NULL);
  g_autoptr (JsonNode) b = json_from_string (text, NULL);

  g_assert_true (fixture_sent_header (fixture, i, "Content-Type", "application/json"));
  if (a == NULL || !json_node_equal (a, b))
    g_error ("sent %s, not %s", sent, text);
}

void
fixture_assert_error (const GError *error, BoxErrorCode code)
{
  g_assert_error (error, BOX_ERROR, (gint) code);
  g_assert_null (strstr (error->message, "secret"));
}

BoxSession *
fixture_new_session (Fixture *fixture)
{
  const char *base = script_server_get_base (fixture->server);
  BoxSession *session = g_new0 (BoxSession, 1);

  session->id = g_strdup ("5E55");
  session->part_size = 3;
  session->total_parts = 1;
  session->upload_part_url = g_strconcat (base, "/s/5E55", NULL);
  session->commit_url = g_strconcat (base, "/s/5E55/commit", NULL);
  session->abort_url = g_strconcat (base, "/s/5E55/abort", NULL);
  session->list_parts_url = g_strconcat (base, "/s/5E55/parts", NULL);
  session->status_url = g_strconcat (base, "/s/5E55", NULL);
  return session;
}

void
fixture_sha1_of_abc (BoxSha1 *sha1)
{
  g_assert_true (box_sha1_from_hex (SHA1_OF_ABC, sha1));
}
