/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/emu-test.h"

#include <string.h>

#define SESSIONS "/files/upload_sessions"

static char *
session_path (const char *id, const char *rest)
{
  return g_strconcat (SESSIONS "/", id, rest, NULL);
}

/* --- creation ----------------------------------------------------------------------------------
 */

static void
test_session_is_described_as_box_does (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer =
      ask (fixture, "POST", SESSIONS,
           "{\"folder_id\":\"0\",\"file_size\":2001,\"file_name\":\"a\"}", NULL);
  g_autofree char *url = NULL;

  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpstr (get_string (answer, "type", NULL), ==, "upload_session");
  g_assert_cmpint (get_int (answer, "part_size"), ==, PART);
  g_assert_cmpint (get_int (answer, "total_parts"), ==, 3);
  g_assert_cmpint (get_int (answer, "num_parts_processed"), ==, 0);
  url = g_strconcat (box_emulator_get_endpoint (fixture->emulator, FALSE), SESSIONS "/",
                     get_string (answer, "id", NULL), "/commit", NULL);
  g_assert_cmpstr (get_string (answer, "session_endpoints", "commit", NULL), ==, url);
}

static void
test_session_lives_for_seven_days (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2000);
  g_autofree char *path = session_path (id, "");
  g_autoptr (Answer) before = NULL;
  g_autoptr (Answer) after = NULL;

  box_emulator_advance_clock (fixture->emulator, 7 * 86400 - 60);
  before = ask (fixture, "GET", path, NULL, NULL);
  g_assert_cmpuint (before->status, ==, 200);
  box_emulator_advance_clock (fixture->emulator, 120);
  after = ask (fixture, "GET", path, NULL, NULL);
  assert_refused (after, 410, "session_expired");
}

static void
test_session_of_a_small_file_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) small_file =
      ask (fixture, "POST", SESSIONS,
           "{\"folder_id\":\"0\",\"file_size\":19999999,\"file_name\":\"a\"}", NULL);
  g_autoptr (Answer) large_enough =
      ask (fixture, "POST", SESSIONS,
           "{\"folder_id\":\"0\",\"file_size\":20000000,\"file_name\":\"a\"}", NULL);

  assert_refused (small_file, 400, "file_size_too_small");
  g_assert_cmpuint (large_enough->status, ==, 201);
  g_assert_cmpint (get_int (large_enough, "total_parts"), ==, 3);
}

static void
test_session_without_what_it_needs_is_refused (Fixture *fixture, gconstpointer options)
{
  static const struct
  {
    const char *body;
    guint status;
    const char *code;
  } cases[] = {
    { "{\"file_size\":5000,\"file_name\":\"a\"}", 400, "missing_destination" },
    { "{\"folder_id\":\"0\",\"file_name\":\"a\"}", 400, "missing_file_size" },
    { "{\"folder_id\":\"0\",\"file_size\":-5,\"file_name\":\"a\"}", 400, "invalid_file_size" },
    { "{\"folder_id\":\"0\",\"file_size\":\"x\",\"file_name\":\"a\"}", 400, "invalid_file_size" },
    { "{\"folder_id\":\"0\",\"file_size\":5000}", 400, "missing_file_name" },
    { "{\"folder_id\":\"x\",\"file_size\":5000,\"file_name\":\"a\"}", 400, "invalid_folder_id" },
    { "{\"folder_id\":\"77\",\"file_size\":5000,\"file_name\":\"a\"}", 404, "invalid_parameter" },
    { "{\"folder_id\":\"0\",\"file_size\":5000,\"file_name\":\"a/b\"}", 400, "item_name_invalid" },
    { "{\"folder_id\":\"0\",\"file_size\":5000,\"file_name\":\"a \"}", 400, "item_name_invalid" },
    { "{\"folder_id\":\"0\",\"file_size\":5000,\"file_name\":\"..\"}", 400, "item_name_invalid" },
    { "folder_id=0&file_size=5000", 400, "bad_request" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Answer) answer = ask (fixture, "POST", SESSIONS, cases[i].body, NULL);

      assert_refused (answer, cases[i].status, cases[i].code);
    }
}

static void
test_session_of_a_taken_name_names_the_file (Fixture *fixture, gconstpointer options)
{
  g_autofree char *file = box_emulator_add_file (fixture->emulator, "0", "Take.mp4", "x", 1);
  g_autoptr (Answer) answer =
      ask (fixture, "POST", SESSIONS,
           "{\"folder_id\":\"0\",\"file_size\":2001,\"file_name\":\"tAKE.mp4\"}", NULL);

  assert_refused (answer, 409, "item_name_in_use");
  g_assert_cmpstr (get_string (answer, "context_info", "conflicts", "id", NULL), ==, file);
  g_assert_cmpstr (get_string (answer, "context_info", "conflicts", "sha1", NULL), ==,
                   "11f6ad8ec52a2984abaafd7c3b516503785c2072");
}

static void
test_session_beyond_the_quota_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) large =
      ask (fixture, "POST", SESSIONS,
           "{\"folder_id\":\"0\",\"file_size\":9001,\"file_name\":\"a\"}", NULL);
  g_autoptr (Answer) full = NULL;
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 6000);

  assert_refused (large, 403, "file_size_limit_exceeded");
  g_free (box_emulator_add_file (fixture->emulator, "0", "x", g_bytes_get_data (data, NULL), 6000));
  full = ask (fixture, "POST", SESSIONS,
              "{\"folder_id\":\"0\",\"file_size\":4001,\"file_name\":\"a\"}", NULL);
  assert_refused (full, 403, "storage_limit_exceeded");
}

/* --- parts -------------------------------------------------------------------------------------
 */

static void
test_part_is_answered_with_its_hash (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autoptr (GBytes) tail = g_bytes_new_from_bytes (data, 2000, 500);
  g_autofree char *sha1 = sha1_hex (tail);
  g_autoptr (Answer) answer = put_part (fixture, id, data, 2000);

  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_cmpstr (get_string (answer, "part", "sha1", NULL), ==, sha1);
  g_assert_cmpuint (strlen (get_string (answer, "part", "part_id", NULL)), ==, 8);
}

static void
test_part_off_the_grid_is_refused (Fixture *fixture, gconstpointer options)
{
  static const char *const ranges[] = { "Content-Range: bytes 500-1499/2500",
                                        "Content-Range: bytes 0-999/2501",
                                        "Content-Range: bytes 0-1999/2500",
                                        "Content-Range: bytes 2000-2999/2500",
                                        "Content-Range: bytes 3000-3999/2500" };
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autofree char *path = session_path (id, "");

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_autofree char *body = g_strnfill (i == 2 ? 2000 : 1000, 'x');
      g_autoptr (Answer) answer =
          ask (fixture, "PUT", path, body, ranges[i], "Digest: sha=x", OCTETS, NULL);

      assert_refused (answer, 416, "invalid_range");
    }
}

static void
test_part_of_a_wrong_digest_is_not_stored (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 500);
  g_autofree char *path = session_path (id, "");
  g_autofree char *body = g_strnfill (500, 'x');
  g_autoptr (Answer) answer = ask (fixture, "PUT", path, body, "Content-Range: bytes 0-499/500",
                                   "Digest: sha=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", OCTETS, NULL);
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (fixture->emulator, id);

  assert_upload_refused (answer, 400, "digest_mismatch");
  g_assert_cmpuint (session->n_stored, ==, 0);
  g_assert_cmpuint (session->received[0], ==, 1);
}

static void
test_part_needs_length_range_and_digest (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 500);
  g_autofree char *path = session_path (id, "");
  g_autofree char *body = g_strnfill (500, 'x');
  g_autoptr (Answer) no_range = ask (fixture, "PUT", path, body, "Digest: sha=x", OCTETS, NULL);
  g_autoptr (Answer) no_digest =
      ask (fixture, "PUT", path, body, "Content-Range: bytes 0-499/500", OCTETS, NULL);
  g_autoptr (Answer) other_digest = ask (fixture, "PUT", path, body, "Digest: sha-256=x",
                                         "Content-Range: bytes 0-499/500", OCTETS, NULL);
  g_autoptr (Answer) short_body = ask (
      fixture, "PUT", path, "xyz", "Content-Range: bytes 0-499/500", "Digest: sha=x", OCTETS, NULL);

  assert_refused (no_range, 400, "bad_request");
  assert_refused (no_digest, 400, "bad_request");
  assert_refused (other_digest, 400, "bad_request");
  assert_upload_refused (short_body, 400, "request_size_mismatch");
}

static void
test_part_that_is_there_is_refused_by_name (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autoptr (Answer) first = put_part (fixture, id, data, 1000);
  g_autoptr (Answer) second = put_part (fixture, id, data, 1000);
  g_autofree char *message = g_strdup_printf (
      "Part overlaps with previously uploaded part: {id: \"%s\", \"offset\": 1000, \"size\": 1000}",
      get_string (first, "part", "part_id", NULL));

  assert_refused (second, 416, "range_overlaps_existing_part");
  g_assert_cmpstr (get_string (second, "message", NULL), ==, message);
}

static void
test_part_of_another_user_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autofree char *path = session_path (id, "");
  g_autoptr (Answer) answer = ask (fixture, "GET", path, NULL, "As-User: 2002", NULL);

  assert_refused (answer, 403, "forbidden");
}

/* Other bytes than the session's: the commit shows whether they were stored. */
static gpointer
put_other_first_part (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (fixture->emulator);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (1500, 1500);
  g_autoptr (Answer) answer = put_part (fixture, g_ptr_array_index (ids, 0), bytes, 0);

  return GUINT_TO_POINTER (answer->status);
}

static void
test_same_part_twice_at_once_is_stored_once (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autofree char *body = NULL;
  g_autoptr (SoupSession) other = soup_session_new ();
  Fixture second = { fixture->emulator, other };
  g_autoptr (Answer) tail = put_part (fixture, id, data, 1000);
  g_autoptr (Answer) winner = NULL;
  g_autoptr (Answer) committed = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;
  GThread *thread;

  load_scenario (fixture, RULE ({"route": "upload_part", "nth": 1, "do": "hold", "at": "body",
                                 "bytes": 10, "name": "slow"}));
  thread = g_thread_new ("put", put_other_first_part, &second);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "slow", KIT_PATIENCE_MS));
  winner = put_part (fixture, id, data, 0);
  g_assert_cmpuint (winner->status, ==, 200);
  box_emulator_release (fixture->emulator, "slow");
  g_assert_cmpuint (GPOINTER_TO_UINT (g_thread_join (thread)), ==, 416);
  body = g_strdup_printf ("{\"parts\":[{\"part_id\":\"%s\",\"offset\":0,\"size\":1000},"
                          "{\"part_id\":\"%s\",\"offset\":1000,\"size\":500}]}",
                          get_string (winner, "part", "part_id", NULL),
                          get_string (tail, "part", "part_id", NULL));
  committed = commit (fixture, id, data, body);
  g_assert_cmpuint (committed->status, ==, 201);
}

/* --- lists -------------------------------------------------------------------------------------
 */

static void
test_list_pages_through_stored_parts_without_hashes (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 5000);
  g_autofree char *path = session_path (id, "/parts?offset=1&limit=2");
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 5000);
  g_autoptr (Answer) page = NULL;
  JsonArray *entries;

  for (guint i = 0; i < 4; i++)
    answer_free (put_part (fixture, id, data, i * PART));
  page = ask (fixture, "GET", path, NULL, NULL);
  entries = json_object_get_array_member (page->json, "entries");
  g_assert_cmpuint (json_array_get_length (entries), ==, 2);
  g_assert_cmpint (
      json_object_get_int_member (json_array_get_object_element (entries, 0), "offset"), ==, 1000);
  g_assert_null (get_string (page, "entries", "sha1", NULL));
  g_assert_cmpint (get_int (page, "total_count"), ==, 5);
  g_assert_cmpint (get_int (page, "limit"), ==, 2);
}

static void
test_list_beyond_ten_thousand_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 5000);
  g_autofree char *last = session_path (id, "/parts?offset=10000");
  g_autofree char *beyond = session_path (id, "/parts?offset=10001");
  g_autoptr (Answer) good = ask (fixture, "GET", last, NULL, NULL);
  g_autoptr (Answer) bad = ask (fixture, "GET", beyond, NULL, NULL);

  g_assert_cmpuint (good->status, ==, 200);
  assert_refused (bad, 400, "bad_request");
}

/* --- commit ------------------------------------------------------------------------------------
 */

static void
test_commit_makes_the_file (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 2500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  g_autofree char *body = put_all (fixture, id, data);
  g_autofree char *sha1 = sha1_hex (data);
  g_autoptr (Answer) answer = commit (fixture, id, data, body);
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "A");
  g_autofree char *content = NULL;
  gsize size;

  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_nonnull (file);
  g_assert_cmpstr (get_string (answer, "entries", "id", NULL), ==, file->id);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_true (g_file_get_contents (file->path, &content, &size, NULL));
  g_assert_cmpmem (content, size, g_bytes_get_data (data, NULL), 2500);
}

static void
test_commit_keeps_attributes (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 900);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 900);
  g_autofree char *parts = put_all (fixture, id, data);
  g_autofree char *body =
      g_strdup_printf ("%.*s,\"attributes\":{\"description\":\"d\",\"content_created_at\":"
                       "\"2020-02-03T04:05:06+01:00\"}}",
                       (int) strlen (parts) - 1, parts);
  g_autoptr (Answer) answer = commit (fixture, id, data, body);
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "a");

  g_assert_cmpuint (answer->status, ==, 201);
  g_assert_cmpstr (file->description, ==, "d");
  g_assert_cmpstr (file->content_created_at, ==, "2020-02-03T03:05:06Z");
}

static void
test_commit_of_other_bytes_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autoptr (GBytes) other = kit_pattern_bytes (1500, 1500);
  g_autofree char *body = put_all (fixture, id, data);
  g_autoptr (Answer) answer = commit (fixture, id, other, body);

  assert_upload_refused (answer, 400, "digest_mismatch");
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 0);
}

static void
test_commit_without_a_part_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autoptr (Answer) part = put_part (fixture, id, data, 0);
  g_autofree char *body =
      g_strdup_printf ("{\"parts\":[{\"part_id\":\"%s\",\"offset\":0,\"size\":1000}]}",
                       get_string (part, "part", "part_id", NULL));
  g_autoptr (Answer) answer = commit (fixture, id, data, body);

  assert_upload_refused (answer, 400, "parts_mismatch");
}

static void
test_commit_out_of_order_is_refused (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autoptr (Answer) first = put_part (fixture, id, data, 0);
  g_autoptr (Answer) second = put_part (fixture, id, data, 1000);
  g_autofree char *body = g_strdup_printf (
      "{\"parts\":[{\"part_id\":\"%s\",\"offset\":1000,\"size\":500},"
      "{\"part_id\":\"%s\",\"offset\":0,\"size\":1000}]}",
      get_string (second, "part", "part_id", NULL), get_string (first, "part", "part_id", NULL));
  g_autoptr (Answer) answer = commit (fixture, id, data, body);

  assert_upload_refused (answer, 400, "parts_mismatch");
}

static void
test_commit_may_have_to_wait (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autofree char *body = put_all (fixture, id, data);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Answer) answer = commit (fixture, id, data, body);

      g_assert_cmpuint (answer->status, ==, 202);
      g_assert_cmpstr (soup_message_headers_get_one (answer->headers, "Retry-After"), ==, "3");
      g_assert_cmpuint (g_bytes_get_size (answer->body), ==, 0);
    }
  {
    g_autoptr (Answer) answer = commit (fixture, id, data, body);

    g_assert_cmpuint (answer->status, ==, 201);
  }
}

static void
test_second_commit_of_a_file_conflicts (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autofree char *body = put_all (fixture, id, data);
  g_autofree char *sha1 = sha1_hex (data);
  g_autoptr (Answer) first = commit (fixture, id, data, body);
  g_autoptr (Answer) second = commit (fixture, id, data, body);

  g_assert_cmpuint (first->status, ==, 201);
  assert_refused (second, 409, "item_name_in_use");
  g_assert_cmpstr (get_string (second, "context_info", "conflicts", "sha1", NULL), ==, sha1);
}

/* --- versions ----------------------------------------------------------------------------------
 */

static char *
create_version_session (Fixture *fixture, const char *file, gsize size)
{
  g_autofree char *path = g_strdup_printf ("/files/%s/upload_sessions", file);
  g_autofree char *body = g_strdup_printf ("{\"file_size\":%" G_GSIZE_FORMAT "}", size);
  g_autoptr (Answer) answer = ask (fixture, "POST", path, body, NULL);

  g_assert_cmpuint (answer->status, ==, 201);
  return g_strdup (get_string (answer, "id", NULL));
}

static void
test_every_commit_of_a_version_session_makes_a_version (Fixture *fixture, gconstpointer options)
{
  g_autofree char *file_id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *id = create_version_session (fixture, file_id, 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autofree char *body = put_all (fixture, id, data);
  g_autoptr (Answer) first = commit (fixture, id, data, body);
  g_autoptr (Answer) second = commit (fixture, id, data, body);
  g_autoptr (BoxEmulatorFile) file = box_emulator_get_file (fixture->emulator, file_id);

  g_assert_cmpuint (first->status, ==, 201);
  g_assert_cmpuint (second->status, ==, 201);
  g_assert_cmpuint (file->n_versions, ==, 3);
  g_assert_cmpuint (file->size, ==, 1500);
}

static void
test_commit_of_a_changed_file_fails_if_match (Fixture *fixture, gconstpointer options)
{
  g_autofree char *file_id = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
  g_autofree char *id = create_version_session (fixture, file_id, 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autofree char *body = put_all (fixture, id, data);
  g_autofree char *path = session_path (id, "/commit");
  g_autofree char *sha1 = sha1_base64 (data);
  g_autofree char *digest = g_strconcat ("Digest: sha=", sha1, NULL);
  g_autoptr (Answer) first = ask (fixture, "POST", path, body, digest, "If-Match: 0", NULL);
  g_autoptr (Answer) second = ask (fixture, "POST", path, body, digest, "If-Match: 0", NULL);

  g_assert_cmpuint (first->status, ==, 201);
  g_assert_cmpstr (get_string (first, "entries", "etag", NULL), ==, "1");
  assert_refused (second, 412, "precondition_failed");
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void
test_aborted_session_is_not_found (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autofree char *path = session_path (id, "");
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autoptr (Answer) gone = ask (fixture, "DELETE", path, NULL, NULL);
  g_autoptr (Answer) status = ask (fixture, "GET", path, NULL, NULL);
  g_autoptr (Answer) part = put_part (fixture, id, data, 0);
  g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (fixture->emulator, id);

  g_assert_cmpuint (gone->status, ==, 204);
  assert_refused (status, 404, "not_found");
  assert_refused (part, 404, "not_found");
  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_ABORTED);
}

static void
test_expired_session_is_gone (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = create_session (fixture, "a", 1500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1500);
  g_autoptr (Answer) part = NULL;

  box_emulator_expire_session (fixture->emulator, id);
  part = put_part (fixture, id, data, 0);
  assert_refused (part, 410, "session_expired");
}

static void
test_nonsense_is_no_session_id (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = ask (fixture, "GET", SESSIONS "/nonsense", NULL, NULL);

  assert_refused (answer, 400, "invalid_upload_session_id");
}

static void
test_session_added_beforehand_has_its_parts (Fixture *fixture, gconstpointer options)
{
  g_autofree char *id = box_emulator_add_session (fixture->emulator, "0", "a", NULL, 2500);
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 2500);
  const char *bytes = g_bytes_get_data (data, NULL);
  g_autoptr (Answer) again = NULL;

  g_assert_true (box_emulator_add_part (fixture->emulator, id, 1000, bytes + 1000, 1000));
  g_assert_false (box_emulator_add_part (fixture->emulator, id, 500, bytes, 1000));
  again = put_part (fixture, id, data, 1000);
  assert_refused (again, 416, "range_overlaps_existing_part");
}

int
main (int argc, char **argv)
{
  static const BoxEmulatorOptions real = { 0 };
  static const BoxEmulatorOptions tight = {
    .part_size = PART, .min_size = 1, .max_size = 9000, .quota = 10000
  };
  static const BoxEmulatorOptions slow = {
    .part_size = PART, .min_size = 1, .processing = 2, .retry_after = 3
  };

  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/session/is-described-as-box-does", test_session_is_described_as_box_does, NULL);
  ADD_TEST ("/session/lives-for-seven-days", test_session_lives_for_seven_days, NULL);
  ADD_TEST ("/session/of-a-small-file-is-refused", test_session_of_a_small_file_is_refused, &real);
  ADD_TEST ("/session/without-what-it-needs-is-refused",
            test_session_without_what_it_needs_is_refused, NULL);
  ADD_TEST ("/session/of-a-taken-name-names-the-file", test_session_of_a_taken_name_names_the_file,
            NULL);
  ADD_TEST ("/session/beyond-the-quota-is-refused", test_session_beyond_the_quota_is_refused,
            &tight);
  ADD_TEST ("/part/is-answered-with-its-hash", test_part_is_answered_with_its_hash, NULL);
  ADD_TEST ("/part/off-the-grid-is-refused", test_part_off_the_grid_is_refused, NULL);
  ADD_TEST ("/part/of-a-wrong-digest-is-not-stored", test_part_of_a_wrong_digest_is_not_stored,
            NULL);
  ADD_TEST ("/part/needs-length-range-and-digest", test_part_needs_length_range_and_digest, NULL);
  ADD_TEST ("/part/that-is-there-is-refused-by-name", test_part_that_is_there_is_refused_by_name,
            NULL);
  ADD_TEST ("/part/of-another-user-is-refused", test_part_of_another_user_is_refused, NULL);
  ADD_TEST ("/part/twice-at-once-is-stored-once", test_same_part_twice_at_once_is_stored_once,
            NULL);
  ADD_TEST ("/list/pages-through-stored-parts-without-hashes",
            test_list_pages_through_stored_parts_without_hashes, NULL);
  ADD_TEST ("/list/beyond-ten-thousand-is-refused", test_list_beyond_ten_thousand_is_refused, NULL);
  ADD_TEST ("/commit/makes-the-file", test_commit_makes_the_file, NULL);
  ADD_TEST ("/commit/keeps-attributes", test_commit_keeps_attributes, NULL);
  ADD_TEST ("/commit/of-other-bytes-is-refused", test_commit_of_other_bytes_is_refused, NULL);
  ADD_TEST ("/commit/without-a-part-is-refused", test_commit_without_a_part_is_refused, NULL);
  ADD_TEST ("/commit/out-of-order-is-refused", test_commit_out_of_order_is_refused, NULL);
  ADD_TEST ("/commit/may-have-to-wait", test_commit_may_have_to_wait, &slow);
  ADD_TEST ("/commit/of-a-file-again-conflicts", test_second_commit_of_a_file_conflicts, NULL);
  ADD_TEST ("/version/every-commit-makes-one",
            test_every_commit_of_a_version_session_makes_a_version, NULL);
  ADD_TEST ("/version/of-a-changed-file-fails-if-match",
            test_commit_of_a_changed_file_fails_if_match, NULL);
  ADD_TEST ("/end/aborted-session-is-not-found", test_aborted_session_is_not_found, NULL);
  ADD_TEST ("/end/expired-session-is-gone", test_expired_session_is_gone, NULL);
  ADD_TEST ("/end/nonsense-is-no-session-id", test_nonsense_is_no_session_id, NULL);
  ADD_TEST ("/added/session-has-its-parts", test_session_added_beforehand_has_its_parts, NULL);
  return g_test_run ();
}
