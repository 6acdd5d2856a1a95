/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The beginning of a recording that was cut short: whatever it is, it is judged, by its bytes or
 * by its name; and what plays goes on playing if more follows.
 */
#include "fuzz.h"

#include "spool/recording.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *path;
static int fd = -1;

static void
remove_file (void)
{
  g_unlink (path);
}

/* One file for all inputs; in memory, if this system has such a directory. */
static void
make_file (void)
{
  const char *dir = g_file_test ("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm" : g_get_tmp_dir ();

  path = g_build_filename (dir, "fuzz-container-XXXXXX", NULL);
  fd = g_mkstemp (path);
  if (fd < 0)
    g_error ("%s cannot be made", path);
  atexit (remove_file);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint8 more[64];
  BoxCut cut, named, grown;

  if (fd < 0)
    make_file ();
  g_assert_cmpint (ftruncate (fd, 0), ==, 0);
  g_assert_cmpint (pwrite (fd, data, size, 0), ==, (gssize) size);
  cut = box_container_judge (path, NULL);
  named = box_container_judge (path, "a.mp4");
  g_assert_cmpint (named, ==, cut != BOX_CUT_UNKNOWN ? cut : BOX_CUT_MAY_NOT_PLAY);
  g_assert_cmpint (pwrite (fd, more, sizeof more, (off_t) size), ==, sizeof more);
  grown = box_container_judge (path, NULL);
  if (cut == BOX_CUT_PLAYS)
    g_assert_cmpint (grown, ==, BOX_CUT_PLAYS);
  return 0;
}
