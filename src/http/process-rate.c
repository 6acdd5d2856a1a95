/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/pace.h"

#include "base/error.h"
#include "base/timetable.h"

/* How often the time of day is looked at, and the file. Microseconds. */
#define LOOK G_USEC_PER_SEC

static struct
{
  GMutex lock;
  /* with lock */
  gboolean asked; /* the environment was */
  BoxTimetable *timetable;
  char *file; /* that the timetable comes from, or NULL */
  char *text; /* that it was made of */
  BoxPace *pace;
  guint64 rate;   /* of the pace */
  gint64 look_at; /* monotonic */
} the_rate;

/* The timetable that @text is or names; *@content is what it was made of. */
static BoxTimetable *
load (const char *text, const char *what, char **content, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (*text != '@')
    *content = g_strdup (text);
  else if (!g_file_get_contents (text + 1, content, NULL, &reason))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "%s cannot be read: %s", what,
                   reason->message);
      return NULL;
    }
  return box_timetable_parse (g_strstrip (*content), what, error);
}

static void
take_locked (BoxTimetable *timetable, char *content)
{
  g_clear_pointer (&the_rate.timetable, box_timetable_free);
  g_free (the_rate.text);
  the_rate.timetable = timetable;
  the_rate.text = content;
  the_rate.look_at = 0;
  if (timetable != NULL && the_rate.pace == NULL)
    the_rate.pace = box_pace_new_alone (0);
}

gboolean
box_process_rate_set (const char *text, const char *what, GError **error)
{
  g_autofree char *content = NULL;
  BoxTimetable *timetable = NULL;

  if (text != NULL)
    {
      timetable = load (text, what, &content, error);
      if (timetable == NULL)
        return FALSE;
    }
  g_mutex_lock (&the_rate.lock);
  the_rate.asked = TRUE;
  g_free (the_rate.file);
  the_rate.file = text != NULL && *text == '@' ? g_strdup (text) : NULL;
  take_locked (timetable, g_steal_pointer (&content));
  g_mutex_unlock (&the_rate.lock);
  return TRUE;
}

static void
ask_environment (void)
{
  const char *text = g_getenv ("BOXUPLOAD_RATE");
  g_autoptr (GError) error = NULL;
  gboolean asked;

  g_mutex_lock (&the_rate.lock);
  asked = the_rate.asked;
  the_rate.asked = TRUE;
  g_mutex_unlock (&the_rate.lock);
  if (!asked && text != NULL && *text != '\0'
      && !box_process_rate_set (text, "The environment's BOXUPLOAD_RATE", &error))
    g_warning ("%s: there is no limit", error->message);
}

/* Takes the rate that the file has now, if it is a valid one and has changed. */
static void
reload_locked (void)
{
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  BoxTimetable *timetable;

  timetable = load (the_rate.file, the_rate.file + 1, &content, &error);
  if (timetable == NULL)
    g_info ("%s: the rate stays", error->message);
  else if (g_str_equal (content, the_rate.text))
    box_timetable_free (timetable);
  else
    take_locked (timetable, g_steal_pointer (&content));
}

static void
look_locked (gint64 now)
{
  g_autoptr (GDateTime) time = g_date_time_new_now_local ();
  guint64 rate = 0;
  guint minute;

  if (the_rate.file != NULL)
    reload_locked ();
  minute = (guint) (g_date_time_get_hour (time) * 60 + g_date_time_get_minute (time));
  if (the_rate.timetable != NULL)
    rate = box_timetable_get_rate (the_rate.timetable, minute);
  if (rate != the_rate.rate)
    box_pace_set_rate (the_rate.pace, rate);
  the_rate.rate = rate;
  the_rate.look_at = now + LOOK;
}

BoxPace *
box_process_rate_get (gint64 now)
{
  BoxPace *pace = NULL;

  ask_environment ();
  g_mutex_lock (&the_rate.lock);
  if (the_rate.pace != NULL)
    {
      if (now >= the_rate.look_at)
        look_locked (now);
      pace = box_pace_ref (the_rate.pace);
    }
  g_mutex_unlock (&the_rate.lock);
  return pace;
}
