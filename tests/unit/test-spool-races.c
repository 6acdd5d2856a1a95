/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A look at a recording that another process makes or removes meanwhile: every step of the other
 * one, at every call of the look. */
#include "spool/spool.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "kit/places.h"
#include "kit/spool-kit.h"

/* More than a look makes. */
#define MOST_CALLS 12

typedef struct _Fixture Fixture;

struct _Fixture
{
  char *dir;
  BoxSpool *spool;
  BoxRecording *recording; /* its maker holds it */
  char *name;
  char *data;
  char *journal;
  char *unnamed; /* the journal before it has its name */
  char *aside;   /* where a removed journal is kept */

  void (*step) (Fixture *fixture); /* of the other process */
  guint before;                    /* this call of the look; counts down */
};

/* The one whose look is watched. */
static Fixture *looked_at;

static void
count_call (const char *path)
{
  Fixture *fixture = looked_at;

  if (fixture == NULL || !g_str_has_prefix (path, fixture->dir) || --fixture->before > 0)
    return;
  looked_at = NULL;
  fixture->step (fixture);
}

typedef int (*Open) (const char *, int, ...);
typedef int (*Access) (const char *, int);

/* Both take the place of the C library's functions. */
int
open (const char *path, int flags, ...)
{
  mode_t mode;
  va_list arguments;

  va_start (arguments, flags);
  mode = (flags & O_CREAT) != 0 ? va_arg (arguments, mode_t) : 0;
  va_end (arguments);
  count_call (path);
  return ((Open) dlsym (RTLD_NEXT, "open")) (path, flags, mode);
}

int
access (const char *path, int kind)
{
  count_call (path);
  return ((Access) dlsym (RTLD_NEXT, "access")) (path, kind);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autoptr (GError) error = NULL;

  fixture->dir = kit_new_directory ();
  fixture->spool = box_spool_open (fixture->dir, 0, &error);
  g_assert_no_error (error);
  fixture->recording = box_spool_record (fixture->spool, intent, &error);
  g_assert_no_error (error);
  fixture->data = g_strdup (box_recording_get_path (fixture->recording));
  fixture->name = box_recording_dup_name (fixture->data);
  fixture->journal = g_strdup_printf ("%s/%s.journal", fixture->dir, fixture->name);
  fixture->unnamed = g_strconcat (fixture->journal, BOX_RECORDING_UNNAMED_SUFFIX, NULL);
  fixture->aside = g_strconcat (fixture->journal, ".aside", NULL);
  g_assert_true (g_file_test (fixture->journal, G_FILE_TEST_EXISTS));
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  box_recording_unref (fixture->recording);
  box_spool_unref (fixture->spool);
  kit_remove_directory (fixture->dir);
  g_free (fixture->name);
  g_free (fixture->journal);
  g_free (fixture->unnamed);
  g_free (fixture->aside);
  g_free (fixture->data);
}

/* What a maker has before it names the journal. */
static void
unname (Fixture *fixture)
{
  g_assert_cmpint (g_rename (fixture->journal, fixture->unnamed), ==, 0);
}

static void
name (Fixture *fixture)
{
  g_assert_cmpint (g_rename (fixture->unnamed, fixture->journal), ==, 0);
}

static void
make_data (Fixture *fixture)
{
  g_assert_true (g_file_set_contents (fixture->data, "", 0, NULL));
}

static void
remove_data (Fixture *fixture)
{
  g_assert_cmpint (g_unlink (fixture->data), ==, 0);
}

/* @begin makes what there is before @step. Returns how many calls a look makes. */
static guint
look_at_each_call (Fixture *fixture, void (*begin) (Fixture *), void (*step) (Fixture *),
                   void (*end) (Fixture *))
{
  guint n = 0;
  gboolean reached;

  fixture->step = step;
  do
    {
      g_autoptr (BoxSpoolEntry) spooled = NULL;

      begin (fixture);
      fixture->before = ++n;
      looked_at = fixture;
      spooled = box_spool_look (fixture->spool, fixture->name);
      reached = looked_at == NULL;
      looked_at = NULL;
      if (spooled != NULL)
        {
          g_assert_cmpstr (spooled->problem, ==, NULL);
          g_assert_cmpint (spooled->status, ==, BOX_SPOOL_BUSY);
        }
      if (!reached)
        step (fixture);
      end (fixture);
    }
  while (reached && n < MOST_CALLS);
  g_assert_false (reached);
  return n - 1;
}

static void
begin_without_data (Fixture *fixture)
{
  unname (fixture);
  remove_data (fixture);
}

/* It is the same file throughout, so that its maker's lock stays. */
static void
remove_journal (Fixture *fixture)
{
  g_assert_cmpint (g_rename (fixture->journal, fixture->aside), ==, 0);
}

static void
bring_all_back (Fixture *fixture)
{
  g_assert_cmpint (g_rename (fixture->aside, fixture->journal), ==, 0);
  make_data (fixture);
}

static void
test_a_recording_that_gets_its_data_is_no_problem (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (look_at_each_call (fixture, begin_without_data, make_data, name), >, 0);
}

static void
test_a_recording_that_gets_its_journal_is_no_problem (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (look_at_each_call (fixture, unname, name, make_data), >, 1);
}

static void
test_a_recording_that_loses_its_data_is_no_problem (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (look_at_each_call (fixture, make_data, remove_data, make_data), >, 0);
}

static void
test_a_recording_that_loses_its_journal_is_no_problem (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (look_at_each_call (fixture, remove_data, remove_journal, bring_all_back), >, 0);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/spool-races/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-recording-that-gets-its-data-is-no-problem",
       test_a_recording_that_gets_its_data_is_no_problem);
  ADD ("a-recording-that-gets-its-journal-is-no-problem",
       test_a_recording_that_gets_its_journal_is_no_problem);
  ADD ("a-recording-that-loses-its-data-is-no-problem",
       test_a_recording_that_loses_its_data_is_no_problem);
  ADD ("a-recording-that-loses-its-journal-is-no-problem",
       test_a_recording_that_loses_its_journal_is_no_problem);
  return g_test_run ();
}
