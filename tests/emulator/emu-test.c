/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/emu-test.h"

#include "kit/emulator.h"

#include <string.h>

const BoxEmulatorOptions small = { .part_size = PART, .min_size = 1 };

void
fixture_set_up (Fixture *fixture, gconstpointer options)
{
  fixture->emulator = kit_emulator_new (options);
  fixture->http = soup_session_new_with_options ("timeout", KIT_PATIENCE, NULL);
}

void
fixture_tear_down (Fixture *fixture, gconstpointer options)
{
  g_object_unref (fixture->http);
  box_emulator_free (fixture->emulator);
}

void
answer_free (Answer *answer)
{
  soup_message_headers_unref (answer->headers);
  g_clear_pointer (&answer->body, g_bytes_unref);
  g_clear_pointer (&answer->json, json_object_unref);
  g_free (answer);
}

static JsonObject *
parse (GBytes *body)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  gsize size;
  const char *text = g_bytes_get_data (body, &size);
  JsonNode *root;

  if (size == 0 || !json_parser_load_from_data (parser, text, size, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_dup_object (root) : NULL;
}

Answer *
ask_bytes (Fixture *fixture, const char *method, const char *path, GBytes *body,
           const char *const *headers)
{
  g_autofree char *url =
      g_str_has_prefix (path, "http")
          ? g_strdup (path)
          : g_strconcat (box_emulator_get_endpoint (fixture->emulator, FALSE), path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new (method, url);
  SoupMessageHeaders *request = soup_message_get_request_headers (message);
  Answer *answer = g_new0 (Answer, 1);

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  soup_message_headers_append (request, "Authorization", "Bearer t");
  if (body != NULL)
    soup_message_set_request_body_from_bytes (message, NULL, body);
  for (guint i = 0; headers[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (headers[i], ": ", 2);

      soup_message_headers_replace (request, parts[0], parts[1]);
    }
  answer->body = soup_session_send_and_read (fixture->http, message, NULL, NULL);
  if (answer->body != NULL)
    {
      answer->status = soup_message_get_status (message);
      answer->json = parse (answer->body);
    }
  answer->headers = soup_message_headers_ref (soup_message_get_response_headers (message));
  return answer;
}

GSocketConnection *
connect_and_say (Fixture *fixture, const char *request)
{
  const char *origin = box_emulator_get_origin (fixture->emulator, FALSE);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GSocketConnection *connection;

  g_socket_client_set_timeout (client, KIT_PATIENCE);
  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect_to_uri (client, origin, 80, NULL, NULL);
  g_assert_nonnull (connection);
  g_assert_true (
      g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
                                 strlen (request), NULL, NULL, NULL));
  return connection;
}

Answer *
ask (Fixture *fixture, const char *method, const char *path, const char *body, ...)
{
  g_autoptr (GPtrArray) headers = g_ptr_array_new ();
  g_autoptr (GBytes) bytes = body != NULL ? g_bytes_new (body, strlen (body)) : NULL;
  const char *header;
  va_list args;

  if (body != NULL)
    g_ptr_array_add (headers, (gpointer) "Content-Type: application/json");
  va_start (args, body);
  while ((header = va_arg (args, const char *)) != NULL)
    g_ptr_array_add (headers, (gpointer) header);
  va_end (args);
  g_ptr_array_add (headers, NULL);
  return ask_bytes (fixture, method, path, bytes, (const char *const *) headers->pdata);
}

void
assert_refused (Answer *answer, guint status, const char *code)
{
  g_assert_cmpuint (answer->status, ==, status);
  g_assert_nonnull (answer->json);
  g_assert_cmpstr (get_string (answer, "type", NULL), ==, "error");
  g_assert_cmpint (get_int (answer, "status"), ==, status);
  g_assert_cmpstr (get_string (answer, "code", NULL), ==, code);
  g_assert_nonnull (get_string (answer, "message", NULL));
  g_assert_nonnull (get_string (answer, "request_id", NULL));
  g_assert_cmpstr (get_string (answer, "request_id", NULL), ==,
                   soup_message_headers_get_one (answer->headers, "box-request-id"));
}

void
assert_upload_refused (Answer *answer, guint status, const char *code)
{
  g_assert_cmpuint (answer->status, ==, status);
  g_assert_nonnull (answer->json);
  g_assert_cmpstr (get_string (answer, "code", NULL), ==, code);
  g_assert_nonnull (get_string (answer, "message", NULL));
  g_assert_nonnull (get_string (answer, "request_id", NULL));
  g_assert_cmpuint (json_object_get_size (answer->json), ==, 3);
}

void
assert_challenged (Answer *answer, guint status, const char *error)
{
  const char *header = soup_message_headers_get_one (answer->headers, "WWW-Authenticate");
  g_autofree char *wanted = g_strdup_printf ("error=\"%s\"", error != NULL ? error : "");

  g_assert_cmpuint (answer->status, ==, status);
  g_assert_cmpuint (g_bytes_get_size (answer->body), ==, 0);
  g_assert_null (soup_message_headers_get_one (answer->headers, "Content-Type"));
  g_assert_nonnull (header);
  g_assert_true (g_str_has_prefix (header, "Bearer realm=\"Service\""));
  g_assert_true (error != NULL ? strstr (header, wanted) != NULL
                               : strstr (header, "error") == NULL);
}

const char *
get_string (Answer *answer, ...)
{
  JsonObject *object = answer->json;
  JsonNode *node = NULL;
  const char *name;
  va_list args;

  va_start (args, answer);
  while ((name = va_arg (args, const char *)) != NULL)
    {
      g_assert_nonnull (object);
      node = json_object_get_member (object, name);
      g_assert_nonnull (node);
      if (JSON_NODE_HOLDS_ARRAY (node))
        object = json_array_get_object_element (json_node_get_array (node), 0);
      else
        object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
    }
  va_end (args);
  return JSON_NODE_HOLDS_NULL (node) ? NULL : json_node_get_string (node);
}

gint64
get_int (Answer *answer, const char *name)
{
  g_assert_nonnull (answer->json);
  return json_object_get_int_member (answer->json, name);
}

void
load_scenario (Fixture *fixture, const char *json)
{
  soup_session_abort (fixture->http);
  kit_load_rules (fixture->emulator, json);
}

/* --- bytes and sessions ------------------------------------------------------------------------
 */

char *
sha1_hex (GBytes *bytes)
{
  return g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, bytes);
}

char *
sha1_base64 (GBytes *bytes)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 digest[20];
  gsize size = sizeof digest;

  g_checksum_update (checksum, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_checksum_get_digest (checksum, digest, &size);
  return g_base64_encode (digest, size);
}

char *
create_session (Fixture *fixture, const char *name, gsize size)
{
  g_autofree char *body = g_strdup_printf (
      "{\"folder_id\":\"0\",\"file_size\":%" G_GSIZE_FORMAT ",\"file_name\":\"%s\"}", size, name);
  g_autoptr (Answer) answer = ask (fixture, "POST", "/files/upload_sessions", body, NULL);

  g_assert_cmpuint (answer->status, ==, 201);
  return g_strdup (get_string (answer, "id", NULL));
}

Answer *
put_part (Fixture *fixture, const char *session, GBytes *data, gsize offset)
{
  gsize total = g_bytes_get_size (data);
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (data, offset, MIN (PART, total - offset));
  g_autofree char *sha1 = sha1_base64 (part);
  g_autofree char *path = g_strconcat ("/files/upload_sessions/", session, NULL);
  g_autofree char *digest = g_strconcat ("Digest: sha=", sha1, NULL);
  g_autofree char *range = g_strdup_printf ("Content-Range: bytes %" G_GSIZE_FORMAT
                                            "-%" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT,
                                            offset, offset + g_bytes_get_size (part) - 1, total);
  const char *headers[] = { digest, range, OCTETS, NULL };

  return ask_bytes (fixture, "PUT", path, part, headers);
}

char *
put_all (Fixture *fixture, const char *session, GBytes *data)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) body = json_object_new ();
  JsonArray *parts = json_array_new ();

  for (gsize offset = 0; offset < g_bytes_get_size (data); offset += PART)
    {
      g_autoptr (Answer) answer = put_part (fixture, session, data, offset);

      g_assert_cmpuint (answer->status, ==, 200);
      json_array_add_object_element (
          parts, json_object_ref (json_object_get_object_member (answer->json, "part")));
    }
  json_object_set_array_member (body, "parts", parts);
  json_node_set_object (node, body);
  return json_to_string (node, FALSE);
}

Answer *
commit (Fixture *fixture, const char *session, GBytes *data, const char *body)
{
  g_autofree char *sha1 = sha1_base64 (data);
  g_autofree char *path = g_strdup_printf ("/files/upload_sessions/%s/commit", session);
  g_autofree char *digest = g_strconcat ("Digest: sha=", sha1, NULL);

  return ask (fixture, "POST", path, body, digest, NULL);
}
