/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/places.h"
#include "spool/recording.h"

#include <glib/gstdio.h>
#include <string.h>

/* An MP4 box of 24 bytes. */
#define MP4(type) "\0\0\0\x18" type "0123456789abcdef"

#define BYTES(text) text, sizeof text - 1

static const struct
{
  const char *what;
  const char *bytes;
  gsize length;
  const char *name;
  BoxCut cut;
} cases[] = {
  { "mp4 as mp4mux writes it", BYTES (MP4 ("ftyp") MP4 ("free") "\0\0\0\0mdat0123456789"), "a.mp4",
    BOX_CUT_MAY_NOT_PLAY },
  { "mp4 in fragments", BYTES (MP4 ("ftyp") MP4 ("moov") MP4 ("moof") MP4 ("mdat")), "a.mp4",
    BOX_CUT_PLAYS },
  { "mp4 with an index that is updated",
    BYTES (MP4 ("ftyp") MP4 ("free") MP4 ("moov") MP4 ("free") "\0\0\0\0mdat0123456789"), "a.mp4",
    BOX_CUT_PLAYS },
  { "mp4 in fragments that a first media box hides",
    BYTES (MP4 ("ftyp") MP4 ("free") MP4 ("mdat") MP4 ("moov") MP4 ("moof")), "a.mp4",
    BOX_CUT_MAY_NOT_PLAY },
  { "mp4 with a box of 64 bits",
    BYTES (MP4 ("ftyp") "\0\0\0\x01"
                        "free\0\0\0\0\0\0\0\x18"
                        "01234567" MP4 ("moov")),
    "a.mp4", BOX_CUT_PLAYS },
  { "mp4 whose box is longer than the file", BYTES (MP4 ("ftyp") "\x7f\0\0\0freexxxxxxxxxxxx"),
    "a.mp4", BOX_CUT_MAY_NOT_PLAY },
  { "mp4 with an endless box", BYTES ("\0\0\0\0ftypxxxxxxxxxxxx"), "a.mkv", BOX_CUT_MAY_NOT_PLAY },
  { "the bytes count, not the name", BYTES ("\x1a\x45\xdf\xa3xxxx"), "a.mp4", BOX_CUT_PLAYS },
  { "wav", BYTES ("RIFF\0\0\0\0WAVE"), NULL, BOX_CUT_MAY_NOT_PLAY },
  { "ogg", BYTES ("OggS\0\0"), NULL, BOX_CUT_PLAYS },
  { "the name where the bytes say nothing", BYTES ("xxxx"), "a.MOV", BOX_CUT_MAY_NOT_PLAY },
  { "another name", BYTES ("x"), "a.b.ts", BOX_CUT_PLAYS },
  { "nothing is known", BYTES ("xxxx"), "a.dat", BOX_CUT_UNKNOWN },
  { "neither name nor bytes", BYTES (""), NULL, BOX_CUT_UNKNOWN },
};

static void
test_containers_are_judged_by_their_bytes_first (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "data", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].what);
      g_assert_true (g_file_set_contents (path, cases[i].bytes, (gssize) cases[i].length, NULL));
      g_assert_cmpint (box_container_judge (path, cases[i].name), ==, cases[i].cut);
    }
  g_unlink (path);
  g_assert_cmpint (box_container_judge (path, "a.mp4"), ==, BOX_CUT_UNKNOWN);
  kit_remove_empty_directory (dir);
}

static void
test_a_transport_stream_is_known_by_its_packets (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "data", NULL);
  char packets[2 * 192] = { 0 };

  packets[0] = packets[188] = 0x47;
  g_assert_true (g_file_set_contents (path, packets, sizeof packets, NULL));
  g_assert_cmpint (box_container_judge (path, NULL), ==, BOX_CUT_PLAYS);
  packets[0] = packets[188] = 0;
  packets[4] = packets[196] = 0x47;
  g_assert_true (g_file_set_contents (path, packets, sizeof packets, NULL));
  g_assert_cmpint (box_container_judge (path, NULL), ==, BOX_CUT_PLAYS);
  g_unlink (path);
  kit_remove_empty_directory (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/container/bytes-first", test_containers_are_judged_by_their_bytes_first);
  g_test_add_func ("/container/transport-stream", test_a_transport_stream_is_known_by_its_packets);
  return g_test_run ();
}
