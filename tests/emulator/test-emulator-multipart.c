/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/multipart.h"

#include <string.h>

/* A body that comes in steps of so many bytes. */
typedef struct
{
  const char *text;
  gsize position;
  gsize step;
} Source;

static gssize
read_source (gpointer user_data, gpointer data, gsize size)
{
  Source *source = user_data;
  gsize n = MIN (MIN (size, source->step), strlen (source->text) - source->position);

  memcpy (data, source->text + source->position, n);
  source->position += n;
  return n;
}

/* "NAME=CONTENT;" of all parts, then "." if the body was complete. */
static char *
read_parts (const char *text, gsize step)
{
  Source source = { text, 0, step };
  g_autoptr (EmuMultipart) multipart =
      emu_multipart_new ("multipart/form-data; boundary=\"b\"", read_source, &source);
  g_autoptr (SoupMessageHeaders) headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_MULTIPART);
  GString *result = g_string_new (NULL);

  while (emu_multipart_next (multipart, headers))
    {
      char buffer[3];
      gssize n;

      g_string_append_printf (result, "%s=", soup_message_headers_get_one (headers, "Name"));
      while ((n = emu_multipart_read (multipart, buffer, sizeof buffer)) > 0)
        g_string_append_len (result, buffer, n);
      g_string_append (result, n == 0 ? ";" : "!");
    }
  if (emu_multipart_is_complete (multipart))
    g_string_append (result, ".");
  return g_string_free (result, FALSE);
}

static void
test_parts_are_found_however_the_bytes_come (void)
{
  static const struct
  {
    const char *text;
    const char *parts;
  } cases[] = {
    { "--b\r\nName: x\r\n\r\nhello\r\n--b\r\nName: y\r\n\r\n\r\n--b--\r\n", "x=hello;y=;." },
    { "--b\r\nName: x\r\n\r\n\r\n--\r\n-\r\n--a\r\n--b--", "x=\r\n--\r\n-\r\n--a;." },
    { "before\r\n--b\r\nName: x\r\n\r\n1\r\n--b--after", "x=1;." },
    { "--b\r\nName: x\r\n\r\nhello\r\n--b", "x=hello;" },
    { "--b\r\nName: x\r\n\r\nhello", "x=" },
    { "--b\r\nName: x\r\n", "" },
    { "", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize step = 1; step < 80; step++)
      {
        g_autofree char *parts = read_parts (cases[i].text, step);

        g_assert_true (g_str_has_prefix (parts, cases[i].parts));
        g_assert_cmpint (strchr (parts, '.') != NULL, ==, strchr (cases[i].parts, '.') != NULL);
      }
}

static void
test_only_multipart_with_a_boundary_is_read (void)
{
  g_assert_null (emu_multipart_new (NULL, read_source, NULL));
  g_assert_null (emu_multipart_new ("application/json", read_source, NULL));
  g_assert_null (emu_multipart_new ("multipart/form-data", read_source, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/multipart/parts-are-found-however-the-bytes-come",
                   test_parts_are_found_however_the_bytes_come);
  g_test_add_func ("/multipart/only-with-a-boundary", test_only_multipart_with_a_boundary_is_read);
  return g_test_run ();
}
