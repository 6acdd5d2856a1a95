/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

char *
new_directory (void)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("boxupload-test-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

void
remove_directory (char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_remove (file), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
  g_free (path);
}

BoxRecordingIntent *
new_intent (void)
{
  BoxRecordingIntent *intent = g_new0 (BoxRecordingIntent, 1);

  intent->destination = box_destination_new_folder ("0", "clip.mp4", NULL);
  intent->padding = BOX_PADDING_NONE;
  intent->commit = TRUE;
  return intent;
}

char *
journal_path_of (BoxRecording *recording)
{
  const char *data = box_recording_get_path (recording);

  return g_strdup_printf ("%.*s" BOX_RECORDING_JOURNAL_SUFFIX,
                          (int) (strlen (data) - strlen (BOX_RECORDING_DATA_SUFFIX)), data);
}

guint
mode_of (const char *path)
{
  GStatBuf info;

  g_assert_cmpint (g_stat (path, &info), ==, 0);
  return info.st_mode & 07777;
}
