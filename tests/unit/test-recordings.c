/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Real answers of Box, replayed to each call: recordings.json has them, one case a row, with the
 * source of each. It is the program's argument.
 */
#include "client-fixture.h"

#include "api/folder.h"
#include "api/metadata.h"

static const char *const classes[] = {
  [BOX_ERROR_TRANSIENT] = "transient", [BOX_ERROR_CREDENTIALS] = "credentials",
  [BOX_ERROR_TRUST] = "trust",         [BOX_ERROR_FORBIDDEN] = "forbidden",
  [BOX_ERROR_NOT_FOUND] = "not-found", [BOX_ERROR_NAME_IN_USE] = "name-in-use",
  [BOX_ERROR_SETTINGS] = "settings",   [BOX_ERROR_SIZE] = "size",
  [BOX_ERROR_SPACE] = "space",         [BOX_ERROR_SESSION_GONE] = "session-gone",
  [BOX_ERROR_CONFLICT] = "conflict",   [BOX_ERROR_INTEGRITY] = "integrity",
  [BOX_ERROR_STORAGE] = "storage",     [BOX_ERROR_PROTOCOL] = "protocol",
  [BOX_ERROR_CANCELLED] = "cancelled",
};

static const char *
get_string (JsonObject *row, const char *name)
{
  return json_object_get_string_member_with_default (row, name, NULL);
}

static gint64
get_int (JsonObject *row, const char *name, gint64 preset)
{
  return json_object_get_int_member_with_default (row, name, preset);
}

/* ---- the calls ---- */

typedef gboolean (*Call) (Fixture *f, JsonObject *row, GError **error);

static gboolean
create_session_at (Fixture *f, BoxDestination *destination, GError **error)
{
  g_autoptr (BoxDestination) owned = destination;
  g_autoptr (BoxSession) session =
      box_client_create_session (f->client, f->transport, owned, 20000000, NULL, error);

  return session != NULL;
}

static gboolean
create_session (Fixture *f, JsonObject *row, GError **error)
{
  return create_session_at (f, box_destination_new_folder ("4711", "a.mp4", NULL), error);
}

static gboolean
create_version_session (Fixture *f, JsonObject *row, GError **error)
{
  return create_session_at (f, box_destination_new_file ("12", NULL), error);
}

static gboolean
preflight (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("4711", "a.mp4", NULL);

  return box_client_preflight (f->client, f->transport, folder, 3, NULL, error);
}

static gboolean
preflight_version (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxDestination) file = box_destination_new_file ("12", NULL);

  return box_client_preflight (f->client, f->transport, file, 3, NULL, error);
}

static gboolean
upload_file (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("4711", "a.mp4", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  g_autoptr (BoxFile) file = NULL;
  BoxBody body;
  BoxSha1 sha1;

  box_body_init_bytes (&body, bytes);
  fixture_sha1_of_abc (&sha1);
  file = box_client_upload_file (f->client, f->transport, folder, &sha1, &body, NULL, NULL, NULL,
                                 error);
  return file != NULL;
}

static gboolean
upload_part (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxSession) session = fixture_new_session (f);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  g_autoptr (BoxPart) part = NULL;
  BoxBody body;
  BoxSha1 sha1;

  box_body_init_bytes (&body, bytes);
  fixture_sha1_of_abc (&sha1);
  part = box_client_upload_part (f->client, f->transport, session, 0, 3, &sha1, &body, NULL, error);
  return part != NULL;
}

static gboolean
list_parts (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxSession) session = fixture_new_session (f);
  g_autoptr (GPtrArray) parts =
      box_client_list_parts (f->client, f->transport, session, NULL, NULL, error);

  if (parts == NULL)
    return FALSE;
  g_assert_cmpuint (parts->len, ==, get_int (row, "parts", 0));
  for (guint i = 0; i + 1 < parts->len; i++)
    g_assert_cmpuint (((BoxPart *) parts->pdata[i])->offset, <,
                      ((BoxPart *) parts->pdata[i + 1])->offset);
  return TRUE;
}

static gboolean
commit (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxSession) session = fixture_new_session (f);
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();
  g_autoptr (BoxFile) file = NULL;
  gint retry_after = -1;
  BoxSha1 sha1;

  fixture_sha1_of_abc (&sha1);
  if (!box_client_commit (f->client, f->transport, session, parts, &sha1, NULL, NULL, &file,
                          &retry_after, NULL, error))
    return FALSE;
  g_assert_true ((file == NULL) == g_str_equal (get_string (row, "expect"), "pending"));
  if (file == NULL)
    g_assert_cmpint (retry_after, ==, get_int (row, "retry_after", -1));
  return TRUE;
}

static gboolean
get_file (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxFile) file = box_client_get_file (f->client, f->transport, "12", NULL, error);

  return file != NULL;
}

static gboolean
get_user (Fixture *f, JsonObject *row, GError **error)
{
  g_autoptr (BoxUser) user = box_client_get_user (f->client, f->transport, NULL, error);

  return user != NULL;
}

static gboolean
create_folder (Fixture *f, JsonObject *row, GError **error)
{
  g_autofree char *id =
      box_client_create_folder (f->client, f->transport, "4711", "day", NULL, error);

  return id != NULL;
}

static gboolean
count_item (const BoxItem *item, gpointer user_data)
{
  (*(guint *) user_data)++;
  return TRUE;
}

static gboolean
visit_folder (Fixture *f, JsonObject *row, GError **error)
{
  guint n = 0;

  if (!box_client_visit_folder (f->client, f->transport, "4711", count_item, &n, NULL, error))
    return FALSE;
  g_assert_cmpuint (n, ==, get_int (row, "items", 0));
  return TRUE;
}

static gboolean
set_metadata (Fixture *f, JsonObject *row, GError **error)
{
  static const char *const pairs[] = { "camera=3", NULL };
  g_autoptr (BoxMetadata) metadata = box_metadata_new_from_pairs (NULL, pairs, NULL);

  return box_client_set_metadata (f->client, f->transport, "12", metadata, NULL, error);
}

static const struct
{
  const char *name;
  Call call;
} calls[] = {
  { "create_session", create_session },
  { "create_version_session", create_version_session },
  { "preflight", preflight },
  { "preflight_version", preflight_version },
  { "upload_file", upload_file },
  { "upload_part", upload_part },
  { "list_parts", list_parts },
  { "commit", commit },
  { "get_file", get_file },
  { "get_user", get_user },
  { "create_folder", create_folder },
  { "visit_folder", visit_folder },
  { "set_metadata", set_metadata },
};

static Call
find_call (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    if (g_str_equal (calls[i].name, name))
      return calls[i].call;
  g_error ("no call is named %s", name);
}

/* ---- what came of it ---- */

static void
check_details (JsonObject *row, const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  const char *says = get_string (row, "says");

  if (says != NULL && strstr (error->message, says) == NULL)
    g_error ("“%s” does not say “%s”", error->message, says);
  if (json_object_has_member (row, "box_code"))
    g_assert_cmpstr (details->box_code, ==, get_string (row, "box_code"));
  if (json_object_has_member (row, "retry_after"))
    g_assert_cmpint (details->retry_after, ==, get_int (row, "retry_after", 0));
  if (json_object_has_member (row, "unsure"))
    g_assert_cmpint (details->unsure, ==, json_object_get_boolean_member (row, "unsure"));
  g_assert_cmpuint (details->http_status, ==, get_int (row, "status", 0));
}

static void
check_named (JsonObject *row, const GError *error)
{
  g_autoptr (BoxFile) file = box_file_from_conflict (error);
  g_autoptr (BoxPart) part = box_part_from_conflict (error);

  g_assert_cmpstr (file != NULL ? file->id : NULL, ==, get_string (row, "conflict"));
  g_assert_cmpstr (part != NULL ? part->id : NULL, ==, get_string (row, "part"));
  if (part == NULL)
    return;
  g_assert_cmpuint (part->offset, ==, get_int (row, "part_offset", 0));
  g_assert_cmpuint (part->size, ==, get_int (row, "part_size", 0));
}

static void
test_recording (gconstpointer data)
{
  JsonObject *row = (JsonObject *) data;
  const char *expected = get_string (row, "expect"), *then = get_string (row, "then");
  ScriptReply replies[] = {
    { (guint) get_int (row, "status", 0), get_string (row, "body"), get_string (row, "headers") },
    { 200, then != NULL ? then : "" },
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture, replies, then != NULL ? 2 : 1);
  if (find_call (get_string (row, "call")) (&fixture, row, &error))
    {
      g_assert_true (g_str_equal (expected, "ok") || g_str_equal (expected, "pending"));
      return;
    }
  g_assert_true (error->domain == BOX_ERROR);
  g_test_message ("%s", error->message);
  g_assert_cmpstr (classes[error->code], ==, expected);
  check_details (row, error);
  check_named (row, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  JsonArray *cases;

  fixture_init_program (&argc, &argv);
  g_assert_cmpint (argc, ==, 2);
  g_assert_true (json_parser_load_from_file (parser, argv[1], &error));
  cases =
      json_object_get_array_member (json_node_get_object (json_parser_get_root (parser)), "cases");
  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *row = json_array_get_object_element (cases, i);
      g_autofree char *name = g_strconcat ("/recordings/", get_string (row, "name"), NULL);

      g_test_add_data_func (name, row, test_recording);
    }
  return g_test_run ();
}
