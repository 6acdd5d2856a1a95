/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The spool as the daemon shows it: what is counted of a recording that it finishes.
 */
#include "status/status.h"

#include "kit/spool-kit.h"

#include <glib/gstdio.h>

static guint64
count_uploaded (BoxStatusView *view)
{
  BoxStatusSums sums;

  box_status_view_get_sums (view, &sums);
  return sums.uploaded;
}

/* The name of a recording that Box has, and that is still in the spool. */
static char *
commit (SpoolKit *kit)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  BoxFile file = { .id = (char *) "1", .size = SPOOL_KIT_SIZE };
  g_autofree char *journal = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;

  spool_kit_end (recording);
  g_assert_true (box_recording_set_committed (recording, &file, &error));
  g_assert_no_error (error);
  journal = spool_kit_leave (recording);
  name = g_path_get_basename (journal);
  *strrchr (name, '.') = '\0';
  return g_steal_pointer (&name);
}

static void
forget (SpoolKit *kit, const char *name)
{
  g_autofree char *journal = g_strdup_printf ("%s/%s.journal", kit->dir, name);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxRecording) recording = box_recording_open (journal, &error);

  g_assert_no_error (error);
  g_assert_true (box_recording_remove (recording, &error));
}

static JsonObject *
look (BoxStatusView *view)
{
  g_autoptr (JsonNode) node = box_status_view_to_json (view);

  return json_node_dup_object (node);
}

/* Members of @object that name the file 1 of Box. */
static void
assert_file (JsonObject *object, const char *link)
{
  g_assert_cmpstr (json_object_get_string_member (object, "file_id"), ==, "1");
  if (link != NULL)
    g_assert_cmpstr (json_object_get_string_member (object, "link"), ==, link);
  else
    g_assert_true (json_object_get_null_member (object, "link"));
}

/* Of the recording that is still there, and of the last file. */
static void
assert_files_seen (BoxStatusView *view, const char *name, const char *link)
{
  BoxFile file = { .id = (char *) "1", .name = (char *) "clip.mp4", .size = SPOOL_KIT_SIZE };
  g_autoptr (JsonObject) before = look (view);
  g_autoptr (JsonObject) after = NULL;
  JsonObject *last;

  g_assert_true (json_object_get_null_member (before, "last_file"));
  box_status_view_note_commit (view, name, &file);
  after = look (view);
  last = json_object_get_object_member (after, "last_file");
  g_assert_cmpstr (json_object_get_string_member (last, "name"), ==, "clip.mp4");
  assert_file (last, link);
  assert_file (
      json_array_get_object_element (json_object_get_array_member (after, "recordings"), 0), link);
}

static void
test_files_at_box_are_linked (void)
{
  SpoolKit kit = { 0 };
  g_autofree char *name = NULL;
  g_autoptr (BoxClient) at_box =
      spool_kit_new_client (BOX_DEFAULT_ENDPOINT, BOX_DEFAULT_API_ENDPOINT);
  g_autoptr (BoxStatusView) linked = NULL, elsewhere = NULL;

  spool_kit_set_up (&kit);
  name = commit (&kit);
  linked = box_status_view_new (kit.spool, kit.dir, at_box);
  assert_files_seen (linked, name, "https://app.box.com/file/1");
  elsewhere = box_status_view_new (kit.spool, kit.dir, kit.client);
  assert_files_seen (elsewhere, name, NULL);
  forget (&kit, name);
  spool_kit_tear_down (&kit);
}

/* Looks come at any time: before the commit is told, before the recording is removed, and after. */
static void
test_a_commit_counts_once (void)
{
  BoxFile file = { .id = (char *) "1", .size = SPOOL_KIT_SIZE };
  SpoolKit kit = { 0 };
  g_autoptr (BoxStatusView) view = NULL;
  g_autofree char *name = NULL;

  spool_kit_set_up (&kit);
  view = box_status_view_new (kit.spool, kit.dir, NULL);
  g_assert_cmpuint (count_uploaded (view), ==, 0);
  name = commit (&kit);
  box_status_view_set_working (view, name, TRUE);
  g_assert_cmpuint (count_uploaded (view), ==, 0);
  box_status_view_note_commit (view, name, &file);
  g_assert_cmpuint (count_uploaded (view), ==, SPOOL_KIT_SIZE);
  box_status_view_set_working (view, name, TRUE);
  g_assert_cmpuint (count_uploaded (view), ==, SPOOL_KIT_SIZE);
  forget (&kit, name);
  box_status_view_set_working (view, name, FALSE);
  g_assert_cmpuint (count_uploaded (view), ==, SPOOL_KIT_SIZE);
  spool_kit_tear_down (&kit);
}

/* Otherwise no alert would come for it: its age would be nothing, forever. */
static void
test_a_recording_without_a_journal_has_its_age (void)
{
  SpoolKit kit = { 0 };
  g_autoptr (BoxStatusView) view = NULL;
  g_autofree char *data = NULL;
  BoxStatusSums sums;

  spool_kit_set_up (&kit);
  data = g_build_filename (kit.dir, "20200101-000000-0000000a.data", NULL);
  g_assert_true (g_file_set_contents (data, "bytes", 5, NULL));
  view = box_status_view_new (kit.spool, kit.dir, NULL);
  box_status_view_get_sums (view, &sums);
  g_assert_cmpuint (sums.unreadable, ==, 1);
  g_assert_cmpuint (sums.backlog, ==, 5);
  g_assert_cmpint (sums.oldest_unsafe, ==, 1577836800);
  g_assert_cmpint (g_unlink (data), ==, 0);
  spool_kit_tear_down (&kit);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/a-commit-counts-once", test_a_commit_counts_once);
  g_test_add_func ("/view/files-at-box-are-linked", test_files_at_box_are_linked);
  g_test_add_func ("/view/a-recording-without-a-journal-has-its-age",
                   test_a_recording_without_a_journal_has_its_age);
  return g_test_run ();
}
