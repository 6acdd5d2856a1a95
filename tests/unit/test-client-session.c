/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxClient's calls about upload sessions. */
#include "client-fixture.h"

/* ---- create and get ---- */

static void
test_a_session_is_created_for_a_folder_or_a_file (void)
{
  static const ScriptReply replies[] = { { 201, SESSION ("8388608", "3", "%s") } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);
  g_autoptr (BoxDestination) file = box_destination_new_file ("12", NULL);
  g_autoptr (BoxSession) session = NULL, version = NULL;

  fixture_init (&fixture, replies, 1);
  session =
      box_client_create_session (fixture.client, fixture.transport, folder, 20000000, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (session->id, ==, "5E55");
  fixture_assert_asked (&fixture, 0, "POST /api/2.0/files/upload_sessions");
  fixture_assert_json (&fixture, 0,
                       "{\"folder_id\":\"5\",\"file_name\":\"a.mp4\",\"file_size\":20000000}");
  version =
      box_client_create_session (fixture.client, fixture.transport, file, 20000000, NULL, &error);
  g_assert_no_error (error);
  fixture_assert_asked (&fixture, 1, "POST /api/2.0/files/12/upload_sessions");
  fixture_assert_json (&fixture, 1, "{\"file_size\":20000000}");
}

static const struct
{
  ScriptReply reply;
  BoxErrorCode code;
} bad_creations[] = {
  { { 201, SESSION ("8388608", "4", "%s") }, BOX_ERROR_PROTOCOL },
  { { 201, SESSION ("0", "3", "%s") }, BOX_ERROR_PROTOCOL },
  { { 201, SESSION ("8388608", "3", "http://localhost:1") }, BOX_ERROR_TRUST },
  { { 201, SESSION ("8388608", "3", "https://upload.example.com") }, BOX_ERROR_TRUST },
  { { 201, "not json" }, BOX_ERROR_TRANSIENT },
  { { 201, "" }, BOX_ERROR_TRANSIENT },
  { { 200, "{\"type\":\"error\",\"status\":500}" }, BOX_ERROR_PROTOCOL },
  { { 403, "{\"code\":\"storage_limit_exceeded\"}" }, BOX_ERROR_SPACE },
  { { 409, "{\"code\":\"item_name_in_use\"}" }, BOX_ERROR_NAME_IN_USE },
  { { 409, "{\"code\":\"session_conflict\"}" }, BOX_ERROR_CONFLICT },
  { { 409, "{\"code\":\"session_conflict\",\"context_info\":{\"session\":" SESSION ("8388608", "4",
                                                                                    "%s") "}}" },
    BOX_ERROR_CONFLICT },
  { { 409, "{\"code\":\"session_conflict\",\"context_info\":{\"session\":" SESSION (
               "8388608", "3", "http://localhost:1") "}}" },
    BOX_ERROR_CONFLICT },
};

static void
test_a_session_that_cannot_be_is_refused (void)
{
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (bad_creations); i++)
    {
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;

      g_test_message ("case %zu", i);
      fixture_init (&fixture, &bad_creations[i].reply, 1);
      g_assert_null (box_client_create_session (fixture.client, fixture.transport, folder, 20000000,
                                                NULL, &error));
      fixture_assert_error (error, bad_creations[i].code);
    }
}

#define CONFLICT                                                                                   \
  {                                                                                                \
    409, "{\"code\":\"session_conflict\",\"context_info\":{\"session\":" SESSION ("8388608", "3",  \
                                                                                  "%s") "}}"       \
  }

static BoxSession *
create_in_conflict (const ScriptReply *replies, GError **error)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxDestination) folder = box_destination_new_folder ("5", "a.mp4", NULL);

  fixture_init (&fixture, replies, 2);
  return box_client_create_session (fixture.client, fixture.transport, folder, 20000000, NULL,
                                    error);
}

static void
test_a_conflicting_session_that_fits_and_is_empty_is_adopted (void)
{
  static const ScriptReply replies[] = { CONFLICT, { 200, "{\"entries\":[],\"limit\":1000}" } };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSession) session = create_in_conflict (replies, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (session->id, ==, "5E55");
}

static void
test_a_conflicting_session_that_holds_parts_is_left_to_its_owner (void)
{
  static const ScriptReply replies[] = {
    CONFLICT,
    { 200, "{\"entries\":[{\"part_id\":\"A\",\"offset\":0,\"size\":8388608,\"sha1\":null}],"
           "\"limit\":1000}" }
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSession) session = create_in_conflict (replies, &error);

  g_assert_null (session);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CONFLICT);
  g_assert_nonnull (strstr (error->message, "boxupload abort 5E55"));
}

static void
test_a_session_is_looked_up_by_its_id (void)
{
  static const ScriptReply replies[] = { { 200, SESSION ("8388608", "3", "%s") },
                                         { 404, "{\"code\":\"not_found\"}" },
                                         { 410, "{\"code\":\"session_expired\"}" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL, missing = NULL, expired = NULL, refused = NULL;
  g_autoptr (BoxSession) session = NULL;

  fixture_init (&fixture, replies, 3);
  session = box_client_get_session (fixture.client, fixture.transport, "5E55", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (session->total_parts, ==, 3);
  fixture_assert_asked (&fixture, 0, "GET /api/2.0/files/upload_sessions/5E55");
  g_assert_null (
      box_client_get_session (fixture.client, fixture.transport, "5E55", NULL, &missing));
  fixture_assert_error (missing, BOX_ERROR_NOT_FOUND);
  g_assert_null (
      box_client_get_session (fixture.client, fixture.transport, "5E55", NULL, &expired));
  fixture_assert_error (expired, BOX_ERROR_SESSION_GONE);
  g_assert_null (
      box_client_get_session (fixture.client, fixture.transport, "../x", NULL, &refused));
  fixture_assert_error (refused, BOX_ERROR_SETTINGS);
}

/* ---- parts ---- */

static BoxPart *
upload_abc (Fixture *fixture, GError **error)
{
  g_autoptr (BoxSession) session = fixture_new_session (fixture);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  BoxBody body;
  BoxSha1 sha1;

  box_body_init_bytes (&body, bytes);
  fixture_sha1_of_abc (&sha1);
  return box_client_upload_part (fixture->client, fixture->transport, session, 6,
                                 G_GUINT64_CONSTANT (5000000000), &sha1, &body, NULL, error);
}

#define PART(offset, size, sha1)                                                                   \
  "{\"part\":{\"part_id\":\"A\",\"offset\":" offset ",\"size\":" size ",\"sha1\":" sha1 "}}"

static void
test_a_part_is_put_with_its_range_and_digest (void)
{
  static const ScriptReply replies[] = { { 200, PART ("6", "3", "\"" SHA1_OF_ABC "\"") } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxPart) part = NULL;

  fixture_init (&fixture, replies, 1);
  part = upload_abc (&fixture, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (part->id, ==, "A");
  fixture_assert_asked (&fixture, 0, "PUT /s/5E55");
  g_assert_true (fixture_sent_header (&fixture, 0, "Digest", "sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0="));
  g_assert_true (fixture_sent_header (&fixture, 0, "Content-Range", "bytes 6-8/5000000000"));
  g_assert_true (fixture_sent_header (&fixture, 0, "Content-Type", "application/octet-stream"));
  g_assert_true (fixture_sent_header (&fixture, 0, "Content-Length", "3"));
}

static const struct
{
  ScriptReply reply;
  BoxErrorCode code;
  gboolean unsure;
} bad_parts[] = {
  { { 200, PART ("7", "3", "null") }, BOX_ERROR_INTEGRITY, FALSE },
  { { 200, PART ("6", "4", "null") }, BOX_ERROR_INTEGRITY, FALSE },
  { { 200, PART ("6", "3", "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"") },
    BOX_ERROR_INTEGRITY,
    FALSE },
  { { 200, "" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 200, "<html>" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 200, "{\"type\":\"error\",\"status\":503}" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 204, "" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 404, "" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 404, "{\"code\":\"not_found\"}" }, BOX_ERROR_SESSION_GONE, FALSE },
  { { 409, "{\"code\":\"range_overlaps_existing_part\"}" }, BOX_ERROR_CONFLICT, FALSE },
  { { 410, "{\"code\":\"upload_failed\"}" }, BOX_ERROR_SESSION_GONE, FALSE },
  { { 416, "{\"code\":\"range_overlaps_existing_part\"}" }, BOX_ERROR_CONFLICT, FALSE },
  { { 429, "", "Retry-After: 5\r\n" }, BOX_ERROR_TRANSIENT, FALSE },
  { { 500, "" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 502, "<html>bad gateway</html>" }, BOX_ERROR_TRANSIENT, TRUE },
};

static void
test_replies_to_a_part_are_checked (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_parts); i++)
    {
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;

      g_test_message ("case %zu", i);
      fixture_init (&fixture, &bad_parts[i].reply, 1);
      g_assert_null (upload_abc (&fixture, &error));
      fixture_assert_error (error, bad_parts[i].code);
      g_assert_cmpint (box_error_get_details (error)->unsure, ==, bad_parts[i].unsure);
      if (bad_parts[i].reply.status == 429)
        g_assert_cmpint (box_error_get_details (error)->retry_after, ==, 5);
    }
}

#define ENTRY(id, offset) "{\"part_id\":\"" id "\",\"offset\":" offset ",\"size\":3,\"sha1\":null}"

static GPtrArray *
list (Fixture *fixture, guint total_parts, GError **error)
{
  g_autoptr (BoxSession) session = fixture_new_session (fixture);

  session->total_parts = total_parts;
  return box_client_list_parts (fixture->client, fixture->transport, session, NULL, NULL, error);
}

static void
test_all_pages_of_parts_are_listed_in_order (void)
{
  static const ScriptReply replies[] = {
    { 200,
      "{\"entries\":[" ENTRY ("C", "6") "," ENTRY ("A", "0") "],\"limit\":2,\"total_count\":9}" },
    { 200,
      "{\"entries\":[{\"part_id\":null}," ENTRY ("B", "3") "],\"limit\":2,\"total_count\":9}" },
    { 200, "{\"entries\":[" ENTRY ("D", "9") "],\"limit\":2,\"total_count\":9}" },
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) parts = NULL;

  fixture_init (&fixture, replies, 3);
  parts = list (&fixture, 9, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (parts->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpuint (((BoxPart *) parts->pdata[i])->offset, ==, 3 * i);
  g_assert_cmpuint (script_server_get_requests (fixture.server), ==, 3);
  fixture_assert_asked (&fixture, 0, "GET /s/5E55/parts?offset=0&limit=1000");
  fixture_assert_asked (&fixture, 1, "GET /s/5E55/parts?offset=2&limit=1000");
  fixture_assert_asked (&fixture, 2, "GET /s/5E55/parts?offset=4&limit=1000");
}

static void
test_paging_ends_whatever_the_server_says (void)
{
  static const ScriptReply no_limit[] = { { 200, "{\"entries\":[" ENTRY (
                                                     "A", "0") "],\"total_count\":5}" },
                                          { 200, "{\"entries\":[],\"total_count\":5}" } };
  static const ScriptReply for_ever[] = { { 200, "{\"entries\":[" ENTRY ("A", "0") "]}" } };
  g_auto (Fixture) one = { 0 }, two = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) parts = NULL, repeated = NULL;

  fixture_init (&one, no_limit, 2);
  parts = list (&one, 5, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (script_server_get_requests (one.server), ==, 2);
  fixture_init (&two, for_ever, 1);
  repeated = list (&two, 5, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (script_server_get_requests (two.server), ==, 5);
}

static void
test_a_list_of_nonsense_is_refused (void)
{
  static const ScriptReply replies[] = { { 200, "{\"entries\":5}" },
                                         { 404, "{\"code\":\"not_found\"}" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) nonsense = NULL, gone = NULL;

  fixture_init (&fixture, replies, 2);
  g_assert_null (list (&fixture, 5, &nonsense));
  fixture_assert_error (nonsense, BOX_ERROR_PROTOCOL);
  g_assert_null (list (&fixture, 5, &gone));
  fixture_assert_error (gone, BOX_ERROR_SESSION_GONE);
}

/* ---- the end ---- */

static gboolean
commit (Fixture *fixture, const BoxAttributes *attributes, const char *if_match, BoxFile **file,
        gint *retry_after, GError **error)
{
  g_autoptr (BoxSession) session = fixture_new_session (fixture);
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();
  BoxPart a = { .id = (char *) "A", .offset = 0, .size = 2 };
  BoxPart b = { .id = (char *) "B", .offset = 2, .size = 1 };
  BoxSha1 sha1;

  fixture_sha1_of_abc (&sha1);
  g_ptr_array_add (parts, &a);
  g_ptr_array_add (parts, &b);
  return box_client_commit (fixture->client, fixture->transport, session, parts, &sha1, attributes,
                            if_match, file, retry_after, NULL, error);
}

static void
test_a_commit_names_parts_digest_and_attributes (void)
{
  static const ScriptReply replies[] = { { 201, "{\"entries\":[" STORED_FILE "]}" },
                                         { 201, STORED_FILE } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  BoxAttributes attributes = { .description = "d", .content_modified_at = "2026-01-02T03:04:05Z" };
  g_autoptr (BoxFile) file = NULL, bare = NULL;
  gint retry_after;

  fixture_init (&fixture, replies, 2);
  g_assert_true (commit (&fixture, &attributes, "4", &file, &retry_after, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (file->id, ==, "12");
  fixture_assert_asked (&fixture, 0, "POST /s/5E55/commit");
  g_assert_true (fixture_sent_header (&fixture, 0, "Digest", "sha=qZk+NkcGgWq6PiVxeFDCbJzQ2J0="));
  g_assert_true (fixture_sent_header (&fixture, 0, "If-Match", "4"));
  fixture_assert_json (&fixture, 0,
                       "{\"parts\":[{\"part_id\":\"A\",\"offset\":0,\"size\":2},"
                       "{\"part_id\":\"B\",\"offset\":2,\"size\":1}],"
                       "\"attributes\":{\"description\":\"d\","
                       "\"content_modified_at\":\"2026-01-02T03:04:05Z\"}}");
  g_assert_true (commit (&fixture, NULL, NULL, &bare, &retry_after, &error));
  g_assert_cmpstr (bare->id, ==, "12");
  g_assert_null (strstr (script_server_get_head (fixture.server, 1), "If-Match"));
}

static void
test_a_commit_under_way_is_success_without_a_file (void)
{
  static const ScriptReply replies[] = { { 202, "", "Retry-After: 3\r\n" },
                                         { 202, "<html>processing</html>" } };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  BoxFile *file;
  gint retry_after;

  fixture_init (&fixture, replies, 2);
  g_assert_true (commit (&fixture, NULL, NULL, &file, &retry_after, &error));
  g_assert_null (file);
  g_assert_cmpint (retry_after, ==, 3);
  g_assert_true (commit (&fixture, NULL, NULL, &file, &retry_after, &error));
  g_assert_null (file);
  g_assert_cmpint (retry_after, ==, -1);
}

static void
test_a_commit_is_not_under_way_for_ever (void)
{
  static const ScriptReply replies[] = {
    { 202, "", "Date: Tue, 01 Dec 2026 00:00:00 GMT\r\n" },
    { 202, "", "Date: Tue, 01 Dec 2026 00:00:01 GMT\r\n" },
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (GPtrArray) parts = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  BoxPart part = { .id = (char *) "A", .offset = 0, .size = 3 };
  BoxFile *file;
  BoxSha1 sha1;
  gint retry_after;

  fixture_init (&fixture, replies, 2);
  session = fixture_new_session (&fixture);
  session->expires_at = g_date_time_new_utc (2026, 12, 1, 0, 0, 0);
  fixture_sha1_of_abc (&sha1);
  g_ptr_array_add (parts, &part);
  g_assert_true (box_client_commit (fixture.client, fixture.transport, session, parts, &sha1, NULL,
                                    NULL, &file, &retry_after, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (box_client_commit (fixture.client, fixture.transport, session, parts, &sha1, NULL,
                                     NULL, &file, &retry_after, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SESSION_GONE);
  g_assert_true (box_error_get_details (error)->unsure);
}

static const struct
{
  ScriptReply reply;
  BoxErrorCode code;
  gboolean unsure;
} bad_commits[] = {
  { { 201,
      "{\"entries\":[{\"id\":\"12\",\"sha1\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"}]}" },
    BOX_ERROR_INTEGRITY,
    FALSE },
  { { 201, "{\"entries\":[{\"id\":\"12\",\"size\":4,\"sha1\":\"" SHA1_OF_ABC "\"}]}" },
    BOX_ERROR_INTEGRITY,
    FALSE },
  { { 201, "" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 201, "{\"entries\":[]}" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 400, "{\"code\":\"digest_mismatch\"}" }, BOX_ERROR_INTEGRITY, FALSE },
  { { 400, "{\"code\":\"parts_mismatch\"}" }, BOX_ERROR_TRANSIENT, FALSE },
  { { 409, "{\"code\":\"item_name_in_use\"}" }, BOX_ERROR_NAME_IN_USE, FALSE },
  { { 410, "{\"code\":\"session_expired\"}" }, BOX_ERROR_SESSION_GONE, FALSE },
  { { 412, "{\"code\":\"precondition_failed\"}" }, BOX_ERROR_CONFLICT, FALSE },
  { { 500, "" }, BOX_ERROR_TRANSIENT, TRUE },
  { { 504, "<html>" }, BOX_ERROR_TRANSIENT, TRUE },
};

static void
test_replies_to_a_commit_are_checked (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad_commits); i++)
    {
      g_auto (Fixture) fixture = { 0 };
      g_autoptr (GError) error = NULL;
      BoxFile *file;
      gint retry_after;

      g_test_message ("case %zu", i);
      fixture_init (&fixture, &bad_commits[i].reply, 1);
      g_assert_false (commit (&fixture, NULL, NULL, &file, &retry_after, &error));
      g_assert_null (file);
      fixture_assert_error (error, bad_commits[i].code);
      g_assert_cmpint (box_error_get_details (error)->unsure, ==, bad_commits[i].unsure);
    }
}

static void
test_a_file_of_another_size_is_told_by_its_sizes (void)
{
  static const ScriptReply reply = {
    201, "{\"entries\":[{\"id\":\"12\",\"size\":4,\"sha1\":\"" SHA1_OF_ABC "\"}]}"
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  BoxFile *file;
  gint retry_after;

  fixture_init (&fixture, &reply, 1);
  g_assert_false (commit (&fixture, NULL, NULL, &file, &retry_after, &error));
  g_assert_nonnull (strstr (error->message, "4 bytes, not 3"));
}

static void
test_aborting_what_is_gone_is_success (void)
{
  static const ScriptReply replies[] = {
    { 204, "" }, { 404, "" }, { 410, "" }, { 403, "{\"code\":\"forbidden\"}" }
  };
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxSession) session = NULL;

  fixture_init (&fixture, replies, 4);
  session = fixture_new_session (&fixture);
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean done = box_client_abort (fixture.client, fixture.transport, session, NULL, &error);

      g_assert_cmpint (done, ==, i < 3);
      if (!done)
        fixture_assert_error (error, BOX_ERROR_FORBIDDEN);
    }
  fixture_assert_asked (&fixture, 0, "DELETE /s/5E55/abort");
}

int
main (int argc, char **argv)
{
  fixture_init_program (&argc, &argv);
  g_test_add_func ("/client-session/a-file-of-another-size-is-told-by-its-sizes",
                   test_a_file_of_another_size_is_told_by_its_sizes);
  g_test_add_func ("/client-session/a-session-is-created-for-a-folder-or-a-file",
                   test_a_session_is_created_for_a_folder_or_a_file);
  g_test_add_func ("/client-session/a-session-that-cannot-be-is-refused",
                   test_a_session_that_cannot_be_is_refused);
  g_test_add_func ("/client-session/a-conflicting-session-that-fits-and-is-empty-is-adopted",
                   test_a_conflicting_session_that_fits_and_is_empty_is_adopted);
  g_test_add_func ("/client-session/a-conflicting-session-that-holds-parts-is-left-to-its-owner",
                   test_a_conflicting_session_that_holds_parts_is_left_to_its_owner);
  g_test_add_func ("/client-session/a-session-is-looked-up-by-its-id",
                   test_a_session_is_looked_up_by_its_id);
  g_test_add_func ("/client-session/a-part-is-put-with-its-range-and-digest",
                   test_a_part_is_put_with_its_range_and_digest);
  g_test_add_func ("/client-session/replies-to-a-part-are-checked",
                   test_replies_to_a_part_are_checked);
  g_test_add_func ("/client-session/all-pages-of-parts-are-listed-in-order",
                   test_all_pages_of_parts_are_listed_in_order);
  g_test_add_func ("/client-session/paging-ends-whatever-the-server-says",
                   test_paging_ends_whatever_the_server_says);
  g_test_add_func ("/client-session/a-list-of-nonsense-is-refused",
                   test_a_list_of_nonsense_is_refused);
  g_test_add_func ("/client-session/a-commit-names-parts-digest-and-attributes",
                   test_a_commit_names_parts_digest_and_attributes);
  g_test_add_func ("/client-session/a-commit-under-way-is-success-without-a-file",
                   test_a_commit_under_way_is_success_without_a_file);
  g_test_add_func ("/client/a-commit-is-not-under-way-for-ever",
                   test_a_commit_is_not_under_way_for_ever);
  g_test_add_func ("/client-session/replies-to-a-commit-are-checked",
                   test_replies_to_a_commit_are_checked);
  g_test_add_func ("/client-session/aborting-what-is-gone-is-success",
                   test_aborting_what_is_gone_is_success);
  return g_test_run ();
}
