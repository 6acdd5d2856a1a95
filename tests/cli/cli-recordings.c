/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-recordings.h"

#include <glib/gstdio.h>

char *
recordings_dir (Fixture *f)
{
  return g_build_filename (f->state, "boxupload", "spool", NULL);
}

BoxRecording *
recordings_begin (Fixture *f, const char *name)
{
  g_autofree char *dir = recordings_dir (f);
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autofree char *data = NULL;
  g_autoptr (BoxDestination) destination = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, &error);
  BoxRecordingIntent intent = { .padding = BOX_PADDING_NONE,
                                .commit = TRUE,
                                .created = 1700000000 };
  BoxRecording *recording;
  gsize size;

  g_assert_no_error (error);
  destination = box_destination_new_folder ("0", name, &error);
  g_assert_no_error (error);
  intent.destination = destination;
  recording = box_spool_record (spool, &intent, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  box_recording_write (recording, 0, data, size, &error);
  g_assert_no_error (error);
  return recording;
}

void
recordings_leave_interrupted (Fixture *f, const char *name)
{
  g_autoptr (BoxRecording) recording = recordings_begin (f, name);

  g_assert_nonnull (recording);
}

void
recordings_leave_complete (Fixture *f, const char *name)
{
  g_autoptr (BoxRecording) recording = recordings_begin (f, name);
  g_autoptr (GError) error = NULL;
  BoxRecordingEnd end = { .padding = BOX_PADDING_NONE };

  end.size = end.total = box_recording_get_size (recording);
  box_recording_set_end (recording, &end, &error);
  g_assert_no_error (error);
}

void
recordings_lose_data (Fixture *f)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  g_assert_cmpuint (recordings->len, ==, 1);
  g_assert_cmpint (g_unlink (((BoxSpooled *) recordings->pdata[0])->data_path), ==, 0);
}

GPtrArray *
recordings_list (Fixture *f)
{
  g_autofree char *dir = recordings_dir (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, &error);
  GPtrArray *recordings;

  g_assert_no_error (error);
  recordings = box_spool_list (spool, &error);
  g_assert_no_error (error);
  return recordings;
}
