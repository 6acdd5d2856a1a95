/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Existing sessions: continued if they have parts already, or filled and left to the application;
 * and how far the list of parts is believed.
 */
#include "../element/sink-fixture.h"
#include "kit/emulator.h"
#include "kit/pattern.h"

#include <json-glib/json-glib.h>

#define PART 1000000
#define SIZE 20500000

/* A session that holds parts already is continued: they are not sent again. */
static void
test_session_with_parts_is_continued (void)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *id = box_emulator_add_session (fixture->emulator, "0", "a", NULL, SIZE);
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  for (guint i = 1; i < 20; i += 3)
    g_assert_true (box_emulator_add_part (fixture->emulator, id, i * PART, data + i * PART, PART));
  sink_fixture_launch (fixture, "filesrc location=%s ! boxuploadsink name=sink session=%s", path,
                       id);
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "parts-adopted"), ==, 7);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_part"), ==, 21 - 7);
}

/* commit=false fills the session and stops there. */
static void
test_without_commit_the_session_is_filled (void)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *id = box_emulator_add_session (fixture->emulator, "0", "a", NULL, SIZE);
  g_autofree char *sha1 = NULL;
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (BoxEmulatorSession) session = NULL;
  const GstStructure *filled;

  sink_fixture_launch (
      fixture, "filesrc location=%s ! boxuploadsink name=sink session=%s commit=false", path, id);
  g_assert_true (sink_fixture_run (fixture));
  filled = sink_fixture_find (fixture, "boxuploadsink-filled");
  sha1 = g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, bytes);
  g_assert_nonnull (filled);
  g_assert_cmpstr (gst_structure_get_string (filled, "session-id"), ==, id);
  g_assert_cmpstr (gst_structure_get_string (filled, "sha1"), ==, sha1);

  session = box_emulator_get_session (fixture->emulator, id);
  g_assert_cmpuint (session->n_stored, ==, session->n_parts);
  g_assert_cmpint (session->state, ==, BOX_EMULATOR_SESSION_OPEN);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "commit"), ==, 0);
  sink_fixture_assert_progress_balanced (fixture);
}

/* --- Digests in the list -------------------------------------------------------------------- */

/* The true list of the session, as an application would ask for it. */
static JsonNode *
list_parts (SinkFixture *fixture, const char *id)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autofree char *url = g_strdup_printf ("%s/files/upload_sessions/%s/parts",
                                          box_emulator_get_endpoint (fixture->emulator, FALSE), id);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_autoptr (GBytes) body = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *list;
  g_autofree char *text = NULL;

  soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                               "Bearer " SINK_FIXTURE_TOKEN);
  body = soup_session_send_and_read (session, message, NULL, &error);
  g_assert_no_error (error);
  text = g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body));
  list = json_from_string (text, &error);
  g_assert_no_error (error);
  return list;
}

/* The list says that its only part has this digest: as a rule Box's list has null there. */
static void
say_digest_in_list (SinkFixture *fixture, const char *id, const char *sha1)
{
  g_autoptr (JsonNode) list = list_parts (fixture, id);
  JsonArray *entries = json_object_get_array_member (json_node_get_object (list), "entries");
  g_autofree char *change = NULL;
  g_autofree char *scenario = NULL;

  g_assert_cmpuint (json_array_get_length (entries), ==, 1);
  json_object_set_string_member (json_array_get_object_element (entries, 0), "sha1", sha1);
  change = json_to_string (list, FALSE);
  scenario = g_strdup_printf (
      RULE ({"route": "list_parts", "times": 1, "do": "change", "change": %s}), change);
  kit_load_rules (fixture->emulator, scenario);
}

/* A session that holds part @i of the file; the list names @sha1 for it. */
static SinkFixture *
begin_with_part (guint i, const char *sha1, char **path)
{
  BoxEmulatorOptions options = { .part_size = PART };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, (gsize) i * PART, PART);
  g_autofree char *id = box_emulator_add_session (fixture->emulator, "0", "a", NULL, SIZE);
  g_autofree char *right = g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, part);

  g_assert_true (box_emulator_add_part (fixture->emulator, id, (guint64) i * PART,
                                        g_bytes_get_data (part, NULL), PART));
  say_digest_in_list (fixture, id, sha1 != NULL ? sha1 : right);
  *path = sink_fixture_make_file (fixture, SIZE);
  sink_fixture_launch (
      fixture, "filesrc location=%s ! boxuploadsink name=sink session=%s parallel=1", *path, id);
  return fixture;
}

static void
test_part_with_the_streams_digest_is_adopted (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture = begin_with_part (7, NULL, &path);
  g_autoptr (GPtrArray) requests = NULL;

  g_assert_true (sink_fixture_run (fixture));
  g_assert_cmpuint (sink_fixture_get_stat (fixture, "parts-adopted"), ==, 1);
  requests = box_emulator_get_requests (fixture->emulator, "upload_part");
  g_assert_cmpuint (requests->len, ==, 20);
  for (guint i = 0; i < requests->len; i++)
    g_assert_cmpint (((BoxEmulatorRequest *) requests->pdata[i])->offset, !=, 7 * PART);
  sink_fixture_assert_stored (fixture, "0", "a", path);
}

static void
test_part_with_another_digest_ends_it_before_anything_is_sent (void)
{
  g_autofree char *path = NULL;
  g_autoptr (SinkFixture) fixture =
      begin_with_part (0, "00000000000000000000000000000000000000aa", &path);

  g_assert_false (sink_fixture_run (fixture));
  sink_fixture_assert_failed (fixture, GST_RESOURCE_ERROR_WRITE, "other bytes at offset 0");
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "upload_part"), ==, 0);
  g_assert_cmpuint (box_emulator_count (fixture->emulator, "commit"), ==, 0);
  sink_fixture_assert_progress_balanced (fixture);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_func ("/session/with-parts-is-continued", test_session_with_parts_is_continued);
  g_test_add_func ("/session/without-commit-is-filled", test_without_commit_the_session_is_filled);
  g_test_add_func ("/session/part-with-the-streams-digest-is-adopted",
                   test_part_with_the_streams_digest_is_adopted);
  g_test_add_func ("/session/part-with-another-digest-ends-it-before-anything-is-sent",
                   test_part_with_another_digest_ends_it_before_anything_is_sent);
  return g_test_run ();
}
