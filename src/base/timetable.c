/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/timetable.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* From @from up to, but not including, @to; minutes of the day. */
typedef struct
{
  guint from, to;
  guint64 rate; /* 0: no limit */
} Entry;

struct _BoxTimetable
{
  GArray *entries;
};

void
box_timetable_free (BoxTimetable *timetable)
{
  g_array_unref (timetable->entries);
  g_free (timetable);
}

/* "HH:MM" at *@text, which is moved behind it. */
static gboolean
parse_time (const char **text, guint *minute)
{
  const char *t = *text;

  for (guint i = 0; i < 5; i++)
    if (i == 2 ? t[i] != ':' : !g_ascii_isdigit (t[i]))
      return FALSE;
  *minute =
      (guint) ((t[0] - '0') * 10 + t[1] - '0') * 60 + (guint) ((t[3] - '0') * 10 + t[4] - '0');
  *text += 5;
  return t[3] < '6' && *minute <= BOX_MINUTES_OF_DAY;
}

/* "HH:MM-HH:MM" and blanks. FALSE: it begins like hours, but is not valid. */
static gboolean
parse_hours (const char **text, Entry *entry)
{
  if (strchr (*text, ':') == NULL)
    return TRUE;
  if (!parse_time (text, &entry->from) || *(*text)++ != '-' || !parse_time (text, &entry->to)
      || !g_ascii_isspace (**text) || entry->from == entry->to)
    return FALSE;
  while (g_ascii_isspace (**text))
    (*text)++;
  return TRUE;
}

static gboolean
parse_entry (const char *text, Entry *entry)
{
  *entry = (Entry){ .to = BOX_MINUTES_OF_DAY };
  if (!parse_hours (&text, entry))
    return FALSE;
  return g_str_equal (text, "off") || box_text_parse_size (text, &entry->rate);
}

BoxTimetable *
box_timetable_parse (const char *text, const char *what, GError **error)
{
  g_auto (GStrv) words = g_strsplit (*text != '\0' ? text : " ", ",", -1);
  g_autoptr (BoxTimetable) timetable = g_new0 (BoxTimetable, 1);
  gboolean all_day = FALSE;

  timetable->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  for (guint i = 0; words[i] != NULL; i++)
    {
      Entry entry;

      if (!parse_entry (g_strstrip (words[i]), &entry))
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "%s takes a rate such as 20MB, or a timetable such as \"08:00-18:00 2MB, "
                       "off\", not \"%s\"",
                       what, words[i]);
          return NULL;
        }
      if (all_day)
        {
          g_set_error (
              error, BOX_ERROR, BOX_ERROR_SETTINGS,
              "%s takes nothing after \"%s\", which is for all day, but got \"%s\": a rate "
              "without hours is the last one, and has no decimals",
              what, words[i - 1], words[i]);
          return NULL;
        }
      all_day = strchr (words[i], ':') == NULL;
      g_array_append_val (timetable->entries, entry);
    }
  return g_steal_pointer (&timetable);
}

static gboolean
includes (const Entry *entry, guint minute)
{
  if (entry->from < entry->to)
    return minute >= entry->from && minute < entry->to;
  return minute >= entry->from || minute < entry->to;
}

guint64
box_timetable_get_rate (const BoxTimetable *timetable, guint minute)
{
  for (guint i = 0; i < timetable->entries->len; i++)
    {
      const Entry *entry = &g_array_index (timetable->entries, Entry, i);

      if (includes (entry, minute))
        return entry->rate;
    }
  return 0;
}
