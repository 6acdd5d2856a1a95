/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-recordings.h"

#include <glib/gstdio.h>

char *
recordings_dir (Fixture *f)
{
  return g_build_filename (f->state, "boxupload", "spool", NULL);
}

/* @destination: taken. */
static BoxRecording *
begin (Fixture *f, const char *name, BoxDestination *destination, gboolean commit)
{
  g_autofree char *dir = recordings_dir (f);
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  g_autofree char *data = NULL;
  g_autoptr (BoxDestination) owned = destination;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, &error);
  BoxRecordingIntent intent = {
    .destination = destination, .padding = BOX_PADDING_NONE, .commit = commit, .created = 1700000000
  };
  BoxRecording *recording;
  gsize size;

  g_assert_no_error (error);
  recording = box_spool_record (spool, &intent, &error);
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  box_recording_write (recording, 0, data, size, &error);
  g_assert_no_error (error);
  box_recording_flush (recording, &error);
  g_assert_no_error (error);
  return recording;
}

BoxRecording *
recordings_begin (Fixture *f, const char *name)
{
  return begin (f, name, box_destination_new_folder ("0", name, NULL), TRUE);
}

void
recordings_leave_interrupted (Fixture *f, const char *name)
{
  g_autoptr (BoxRecording) recording = recordings_begin (f, name);

  g_assert_nonnull (recording);
}

static void
end_at_size (BoxRecording *recording)
{
  g_autoptr (GError) error = NULL;
  BoxRecordingEnd end = { .padding = BOX_PADDING_NONE };

  end.size = end.total = box_recording_get_size (recording);
  box_recording_set_end (recording, &end, &error);
  g_assert_no_error (error);
}

void
recordings_leave_complete (Fixture *f, const char *name)
{
  g_autoptr (BoxRecording) recording = recordings_begin (f, name);

  end_at_size (recording);
}

void
recordings_leave_to_fill (Fixture *f, const char *name, const char *session_id)
{
  g_autoptr (BoxRecording) recording =
      begin (f, name, box_destination_new_session (session_id, NULL), FALSE);

  end_at_size (recording);
}

void
recordings_lose_data (Fixture *f)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  g_assert_cmpuint (recordings->len, ==, 1);
  g_assert_cmpint (g_unlink (((BoxSpoolEntry *) recordings->pdata[0])->data_path), ==, 0);
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
