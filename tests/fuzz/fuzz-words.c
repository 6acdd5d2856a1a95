/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What people write on a command line or into a property: sizes, rates by the time of day, paths of
 * folders, places, pairs of metadata, and passwords of proxies.
 */
#include "fuzz.h"

#include "api/destination.h"
#include "api/metadata.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/timetable.h"

static void
check_timetable (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxTimetable) timetable = box_timetable_parse (text, "a rate", &error);

  g_assert_true ((timetable == NULL) == (error != NULL));
  for (guint minute = 0; timetable != NULL && minute < BOX_MINUTES_OF_DAY; minute += 7)
    box_timetable_get_rate (timetable, minute);
}

static void
check_places (const char *text)
{
  g_autoptr (GError) no_path = NULL, no_place = NULL;
  g_auto (GStrv) path = box_destination_parse_path (text, &no_path), names = NULL;
  g_autofree char *folder = NULL;

  g_assert_true ((path == NULL) == (no_path != NULL));
  for (guint i = 0; path != NULL && path[i] != NULL; i++)
    g_assert_true (box_destination_check_name (path[i], NULL));
  if (box_destination_parse_place (text, &folder, &names, &no_place))
    g_assert_nonnull (folder);
  else
    g_assert_nonnull (no_place);
}

static void
check_texts (const char *text, gsize size)
{
  g_autofree char *tidy = box_text_tidy (text, 100), *escaped = box_text_escape (text);

  g_assert_true (g_utf8_validate (tidy, -1, NULL));
  g_assert_true (g_utf8_validate (escaped, -1, NULL));
  for (const char *p = escaped; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

/* @text as the password of a proxy, whether its URI begins with a scheme or not. */
static void
check_password (const char *text)
{
  static const char *const schemes[] = { "http://", "" };

  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    {
      g_autofree char *uri = g_strconcat (schemes[i], "user:", text, "@proxy:3128", NULL);
      g_autofree char *wanted = g_strconcat (schemes[i], "user@proxy:3128", NULL);
      g_autofree char *hidden = box_secret_hide_password (uri);

      /* "user://" is a scheme. */
      if (i == 0 || !g_str_has_prefix (text, "//"))
        g_assert_cmpstr (hidden, ==, wanted);
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  const char *const pairs[] = { text, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxMetadata) metadata = NULL;
  guint64 bytes = 0;

  box_text_parse_size (text, &bytes);
  check_timetable (text);
  check_places (text);
  check_texts (text, size);
  check_password (text);
  if (!g_utf8_validate (text, -1, NULL))
    return 0;
  metadata = box_metadata_new_from_pairs (NULL, pairs, &error);
  g_assert_true ((metadata == NULL) == (error != NULL));
  return 0;
}
