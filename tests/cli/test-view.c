/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The spool as the daemon shows it: what is counted of a recording that it finishes.
 */
#include "status/status.h"

#include "kit/spool-kit.h"

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

/* Looks come at any time: before the commit is told, before the recording is removed, and after. */
static void
test_a_commit_counts_once (void)
{
  SpoolKit kit = { 0 };
  g_autoptr (BoxStatusView) view = NULL;
  g_autoptr (BoxRecording) recording = NULL;
  g_autofree char *name = NULL;
  g_autofree char *journal = NULL;
  g_autoptr (GError) error = NULL;

  spool_kit_set_up (&kit);
  view = box_status_view_new (kit.spool, kit.dir);
  g_assert_cmpuint (count_uploaded (view), ==, 0);
  name = commit (&kit);
  box_status_view_set_working (view, name, TRUE);
  g_assert_cmpuint (count_uploaded (view), ==, 0);
  box_status_view_note_commit (view, name, SPOOL_KIT_SIZE);
  g_assert_cmpuint (count_uploaded (view), ==, SPOOL_KIT_SIZE);
  box_status_view_set_working (view, name, TRUE);
  g_assert_cmpuint (count_uploaded (view), ==, SPOOL_KIT_SIZE);
  journal = g_strdup_printf ("%s/%s.journal", kit.dir, name);
  recording = box_recording_open (journal, &error);
  g_assert_no_error (error);
  g_assert_true (box_recording_remove (recording, &error));
  box_status_view_set_working (view, name, FALSE);
  g_assert_cmpuint (count_uploaded (view), ==, SPOOL_KIT_SIZE);
  spool_kit_tear_down (&kit);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/view/a-commit-counts-once", test_a_commit_counts_once);
  return g_test_run ();
}
