/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * usage: fuzz-NAME CORPUS_DIR
 *
 * Runs a fuzz target over each file of its corpus: as it is, cut at every length, with every byte
 * replaced by some that matter to parsers, and with pieces repeated. Reports in TAP, one test a
 * file.
 */
#include "fuzz.h"

#include <string.h>

static const guint8 replacements[] = { 0,   '"', '\\', '{', '}', '[', ']',  ',',  ':', '-',
                                       '.', '9', 'e',  '%', '/', ' ', '\n', 0x80, 0xff };

static void
replay (const guint8 *data, gsize size)
{
  g_autofree guint8 *copy = g_malloc (2 * size + 1);

  LLVMFuzzerTestOneInput (data, size);
  for (gsize length = 0; length < size; length++)
    {
      /* Of the exact size, so that a sanitizer sees a read beyond the end. */
      g_autofree guint8 *cut = g_memdup2 (data, MAX (length, 1));

      LLVMFuzzerTestOneInput (cut, length);
    }
  for (gsize at = 0; at < size; at++)
    {
      memcpy (copy, data, size);
      for (gsize r = 0; r < G_N_ELEMENTS (replacements); r++)
        {
          copy[at] = replacements[r];
          LLVMFuzzerTestOneInput (copy, size);
        }
      memcpy (copy, data, size);
      memcpy (copy + size, data + at, size - at);
      LLVMFuzzerTestOneInput (copy, 2 * size - at);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = argc == 2 ? g_dir_open (argv[1], 0, &error) : NULL;
  guint n = 0;
  const char *name;

  if (dir == NULL)
    g_error ("usage: %s CORPUS_DIR%s%s", argv[0], error != NULL ? ": " : "",
             error != NULL ? error->message : "");
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (argv[1], name, NULL);
      g_autofree char *data = NULL;
      gsize size;

      if (!g_file_get_contents (path, &data, &size, &error))
        g_error ("%s", error->message);
      replay ((const guint8 *) data, size);
      g_print ("ok %u %s\n", ++n, name);
    }
  g_print ("1..%u\n", n);
  return n > 0 ? 0 : 1;
}
