/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload spool, resume and watch: recordings that are finished, cut short, busy, or cannot be
 * finished. */
#include <signal.h>
#include <string.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli-recordings.h"
#include "kit/places.h"

static guint
count_recordings (Fixture *f)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  return recordings->len;
}

static void
test_no_spool_is_an_empty_one_and_is_not_made (Fixture *f, gconstpointer data)
{
  g_auto (Answer) listed = RUN (f, "spool", "--json");
  g_auto (Answer) resumed = RUN (f, "resume");
  g_autoptr (JsonObject) object = parse_document (listed.out);

  g_assert_cmpint (listed.code, ==, 0);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "recordings")), ==,
                    0);
  g_assert_cmpint (resumed.code, ==, 0);
  g_assert_false (g_file_test (f->state, G_FILE_TEST_EXISTS));
}

static void
test_a_named_directory_must_be_there (Fixture *f, gconstpointer data)
{
  g_auto (Answer) listed = RUN (f, "spool", "nowhere");
  g_auto (Answer) resumed = RUN (f, "resume", "nowhere");

  g_assert_cmpint (listed.code, ==, 13);
  g_assert_cmpint (resumed.code, ==, 13);
}

static void
test_the_directory_has_the_elements_name_too (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = recordings_dir (f);
  g_auto (Answer) listed = { 0 };
  g_auto (Answer) resumed = { 0 };

  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  listed = RUN (f, "spool", "--spool-dir", dir);
  g_assert_nonnull (strstr (listed.out, "complete, 1.0 kB"));
  resumed = RUN (f, "resume", "--spool-dir", dir);
  g_assert_cmpint (resumed.code, ==, 0);
  g_assert_cmpuint (count_recordings (f), ==, 0);
}

static void
test_two_directories_are_refused (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = RUN (f, "watch", "here", "--spool-dir", "there");

  g_assert_cmpint (answer.code, ==, 2);
  g_assert_nonnull (strstr (answer.err, "DIR or --spool-dir"));
}

/* The recording in @json that is to be @name at Box. */
static JsonObject *
find_listed (JsonObject *object, const char *name)
{
  JsonArray *recordings = json_object_get_array_member (object, "recordings");

  for (guint i = 0; i < json_array_get_length (recordings); i++)
    {
      JsonObject *recording = json_array_get_object_element (recordings, i);
      JsonObject *destination = json_object_get_object_member (recording, "destination");

      if (g_str_equal (json_object_get_string_member (destination, "name"), name))
        return recording;
    }
  g_assert_not_reached ();
}

static void
test_spool_lists_recordings_with_their_states (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *name;
    const char *status;
    gint64 size;
  } expected[] = { { "a", "complete", 1000 }, { "b", "interrupted", 2000 }, { "c", "busy", 3000 } };
  g_autoptr (BoxRecording) busy = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_auto (Answer) text = { 0 };
  g_auto (Answer) json = { 0 };

  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  fixture_write_file (f, "b", 2000, 2);
  recordings_leave_interrupted (f, "b");
  fixture_write_file (f, "c", 3000, 3);
  busy = recordings_begin (f, "c");
  text = RUN (f, "spool");
  g_assert_cmpint (text.code, ==, 0);
  g_assert_nonnull (strstr (text.out, "interrupted, 2.0 kB (0 B at Box), to folder 0, “b”"));
  json = RUN (f, "spool", "--json");
  object = parse_document (json.out);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      JsonObject *recording = find_listed (object, expected[i].name);

      g_assert_cmpstr (json_object_get_string_member (recording, "status"), ==, expected[i].status);
      g_assert_cmpint (json_object_get_int_member (recording, "size"), ==, expected[i].size);
    }
}

static void
test_help_explains_the_words_that_spool_prints (Fixture *f, gconstpointer data)
{
  g_auto (Answer) help = RUN (f, "spool", "--help");

  for (guint status = BOX_SPOOL_BUSY; status <= BOX_SPOOL_UNREADABLE; status++)
    {
      const char *word = box_spool_status_to_string ((BoxSpoolStatus) status);
      g_autofree char *line = g_strdup_printf ("\n  %s ", word);

      g_assert_nonnull (strstr (help.out, line));
    }
}

static void
test_resume_finishes_what_is_there_but_not_what_is_being_made (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxRecording) busy = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "small", 1000, 1);
  recordings_leave_complete (f, "small");
  fixture_write_file (f, "large", SESSION_FILE_SIZE, 2);
  recordings_leave_interrupted (f, "large");
  fixture_write_file (f, "busy", 3000, 3);
  busy = recordings_begin (f, "busy");
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "small", "small");
  fixture_assert_at_box (f, "large", "large");
  g_assert_null (box_emulator_find_file (f->emulator, "0", "busy"));
  g_assert_cmpuint (count_recordings (f), ==, 1);
}

static void
test_resume_tells_in_json_what_became_of_each (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (JsonObject) complete = NULL;

  fixture_write_file (f, "empty", 0, 1);
  recordings_leave_complete (f, "empty");
  fixture_write_file (f, "large", SESSION_FILE_SIZE, 2);
  recordings_leave_complete (f, "large");
  answer = RUN (f, "resume", "--json");
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.out, "{\"event\":\"empty\""));
  complete = parse_line (strstr (answer.out, "{\"event\":\"complete\""), 0);
  g_assert_cmpint (json_object_get_int_member (complete, "size"), ==, SESSION_FILE_SIZE);
  g_assert_cmpuint (count_recordings (f), ==, 0);
}

static void
test_a_recording_that_fails_stays_and_stops_no_other (Fixture *f, gconstpointer data)
{
  g_autofree char *taken = box_emulator_add_file (f->emulator, "0", "a", "other", 5);
  g_auto (Answer) answer = { 0 };

  g_assert_nonnull (taken);
  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  fixture_write_file (f, "b", 2000, 2);
  recordings_leave_complete (f, "b");
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 7);
  g_assert_nonnull (strstr (answer.err, "1 of 2 recordings are not finished"));
  fixture_assert_at_box (f, "b", "b");
  g_assert_cmpuint (count_recordings (f), ==, 1);
}

/* Another upload of the name and size of "a" has a session with a part in it. */
static char *
load_session_conflict (Fixture *f)
{
  g_autofree char *id = fixture_add_session (f, "a", SESSION_FILE_SIZE, 1);
  g_autofree char *url = g_strdup_printf ("%s/files/upload_sessions/%s",
                                          box_emulator_get_endpoint (f->emulator, FALSE), id);
  g_autofree char *scenario = g_strdup_printf (
      RULE ({"route": "create_session", "do": "reply", "status": 409,
             "json": {"code": "session_conflict", "context_info": {"session": {"id": "%s",
                      "part_size": %u, "total_parts": 20,
                      "session_endpoints": {"upload_part": "%s", "commit": "%s/commit",
                      "abort": "%s", "list_parts": "%s/parts", "status": "%s"}}}}}),
                      id, PART_SIZE, url, url, url, url, url);

  fixture_load (f, scenario);
  return g_steal_pointer (&id);
}

static void
test_resume_says_that_another_upload_has_the_name (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autofree char *advice = NULL;
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  recordings_leave_complete (f, "a");
  id = load_session_conflict (f);
  advice = g_strconcat ("boxupload abort ", id, NULL);
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 11);
  g_assert_nonnull (strstr (answer.err, advice));
  g_assert_cmpuint (count_recordings (f), ==, 1);
}

/* Up to a half is taken off a wait, at random. */
static void
assert_wait (guint seconds, guint longest)
{
  g_assert_cmpuint (seconds, >=, longest / 2);
  g_assert_cmpuint (seconds, <=, longest);
}

static void
test_watch_waits_where_another_upload_has_the_name (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  recordings_leave_complete (f, "a");
  id = load_session_conflict (f);
  process = START (f, "watch", "--first-wait", "600");
  assert_wait (fixture_wait_for_wait (process), 600);
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (box_emulator_count (f->emulator, "create_session"), ==, 1);
}

static void
test_resume_says_that_data_is_gone (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_interrupted (f, "a");
  recordings_lose_data (f);
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 13);
  g_assert_nonnull (strstr (answer.err, "is gone"));
  g_assert_nonnull (strstr (answer.err, ".journal"));
  g_assert_nonnull (strstr (answer.err, "boxupload spool rm"));
}

static void
test_a_recording_whose_data_is_gone_is_unreadable_until_it_is_back (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) recordings = NULL;
  g_autofree char *aside = g_build_filename (f->dir, "aside", NULL);
  g_auto (Answer) gone = { 0 };
  g_auto (Answer) back = { 0 };
  const char *path;

  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  recordings = recordings_list (f);
  path = ((BoxSpoolEntry *) g_ptr_array_index (recordings, 0))->data_path;
  g_assert_cmpint (g_rename (path, aside), ==, 0);
  gone = RUN (f, "spool");
  g_assert_nonnull (strstr (gone.out, ": unreadable, 0 B"));
  g_assert_nonnull (strstr (gone.out, path));
  g_assert_nonnull (strstr (gone.out, "boxupload spool rm"));
  g_assert_cmpint (g_rename (aside, path), ==, 0);
  back = RUN (f, "spool");
  g_assert_nonnull (strstr (back.out, ": complete, 1.0 kB"));
}

static void
test_an_interrupted_resume_goes_on_where_it_was (Fixture *f, gconstpointer data)
{
  g_auto (Answer) first = { 0 };
  g_auto (Answer) second = { 0 };
  g_autoptr (BoxEmulatorSession) session = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  GSubprocess *process;

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  recordings_leave_complete (f, "a");
  fixture_load (f, RULE ({"route": "upload_part", "from": 6, "do": "hold", "name": "gate"}));
  process = START (f, "resume", "--parallel", "1");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGINT);
  first = fixture_finish (process);
  g_assert_cmpint (first.code, ==, 130);
  box_emulator_clear_scenario (f->emulator);
  second = RUN (f, "resume");
  g_assert_cmpint (second.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  ids = box_emulator_get_session_ids (f->emulator);
  g_assert_cmpuint (ids->len, ==, 1);
  session = box_emulator_get_session (f->emulator, g_ptr_array_index (ids, 0));
  for (guint i = 0; i < 5; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
}

/* The first failure and whatever was not begun are no reason to hide that a signal came. */
static void
test_a_filled_session_leaves_the_spool_when_it_was_committed (Fixture *f, gconstpointer data)
{
  g_auto (Answer) created = RUN (f, "create", "--size", "20MiB", "--name", "a");
  const char *id = g_strchomp (created.out);
  g_autofree char *sha1 = NULL;
  g_auto (Answer) filled = { 0 };
  g_auto (Answer) committed = { 0 };
  g_auto (Answer) resumed = { 0 };

  fixture_write_file (f, "a", SESSION_FILE_SIZE, 1);
  sha1 = fixture_sha1 (f, "a");
  recordings_leave_to_fill (f, "a", id);
  filled = RUN (f, "resume");
  g_assert_nonnull (strstr (filled.out, "all parts are in the session"));
  g_assert_cmpuint (count_recordings (f), ==, 1);
  committed = RUN (f, "commit", id, "--sha1", sha1);
  g_assert_cmpint (committed.code, ==, 0);
  resumed = RUN (f, "resume");
  g_assert_cmpint (resumed.code, ==, 0);
  g_assert_cmpuint (count_recordings (f), ==, 0);
  g_assert_cmpuint (box_emulator_count (f->emulator, "commit"), ==, 1);
}

static void
test_an_interrupted_resume_says_what_is_left (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "taken", "a", "b" };
  g_autofree char *taken = box_emulator_add_file (f->emulator, "0", "taken", "other", 5);
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  g_assert_nonnull (taken);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      fixture_write_file (f, names[i], 1000, i);
      recordings_leave_complete (f, names[i]);
    }
  fixture_load (f, RULE ({"route": "upload_file", "do": "hold", "name": "gate"}));
  process = START (f, "resume", "--files", "1");
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 143);
  g_assert_nonnull (strstr (answer.err, "Interrupted; 3 of 3 recordings are not finished"));
}

static void
test_watch_finishes_what_comes_and_ends_in_order (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "before", 1000, 1);
  recordings_leave_complete (f, "before");
  process = START (f, "watch");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  fixture_write_file (f, "after", 2000, 2);
  recordings_leave_interrupted (f, "after");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 2, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "before", "before");
  fixture_assert_at_box (f, "after", "after");
}

static void
test_watch_tries_again_while_others_go_on (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "first", 1000, 1);
  recordings_leave_complete (f, "first");
  fixture_write_file (f, "second", 2000, 2);
  recordings_leave_complete (f, "second");
  fixture_load (f, RULE ({"route": "upload_file", "nth": 1, "do": "reply", "status": 403,
                          "json": {"code": "access_denied_insufficient_permissions"}}));
  process = START (f, "watch", "--first-wait", "1");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 3, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGINT);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, "trying again in 1 s"));
  fixture_assert_at_box (f, "first", "first");
  fixture_assert_at_box (f, "second", "second");
}

/* As do the daemons of many hosts, which would return to Box in the same moment. */
static void
test_those_that_are_refused_together_wait_for_different_times (Fixture *f, gconstpointer data)
{
  const guint n = 6;
  guint least = G_MAXUINT, most = 0;
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("take-%u", i);

      fixture_write_file (f, name, 1000, (guint8) i);
      recordings_leave_complete (f, name);
    }
  fixture_load (f, RULE ({"route": "upload_file", "do": "reply", "status": 403,
                          "json": {"code": "access_denied_insufficient_permissions"}}));
  process = START (f, "watch", "--first-wait", "600");
  for (guint i = 0; i < n; i++)
    {
      guint wait = fixture_wait_for_wait (process);

      assert_wait (wait, 600);
      least = MIN (least, wait);
      most = MAX (most, wait);
    }
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (least, <, most);
}

static void
test_watch_waits_where_data_is_gone (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  recordings_lose_data (f);
  process = START (f, "watch", "--first-wait", "600");
  assert_wait (fixture_wait_for_wait (process), 600);
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
}

static void
test_watch_refuses_a_wait_that_it_would_not_keep (Fixture *f, gconstpointer data)
{
  g_auto (Answer) too_long = RUN (f, "watch", "--first-wait", "901");
  g_auto (Answer) none = RUN (f, "watch", "--first-wait", "0");

  g_assert_cmpint (too_long.code, ==, 2);
  g_assert_nonnull (strstr (too_long.err, "1 to 900"));
  g_assert_cmpint (none.code, ==, 2);
}

static void
test_watch_takes_what_loses_its_recorder (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  g_autoptr (BoxRecording) busy = NULL;
  GSubprocess *process;

  /* A recording in the making, so that there is something to look at. */
  fixture_write_file (f, "busy", 1000, 1);
  busy = recordings_begin (f, "busy");
  process = START (f, "watch");
  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  g_clear_pointer (&busy, box_recording_unref);
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 2, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "busy", "busy");
}

static void
test_the_network_coming_back_ends_the_waits (Fixture *f, gconstpointer data)
{
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  fixture_write_file (f, "first", 1000, 1);
  recordings_leave_complete (f, "first");
  box_emulator_set_down (f->emulator, TRUE);
  process = START (f, "watch", "--retry-timeout", "1", "--first-wait", "600");
  assert_wait (fixture_wait_for_wait (process), 600);
  box_emulator_set_down (f->emulator, FALSE);
  fixture_write_file (f, "second", 2000, 2);
  recordings_leave_complete (f, "second");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 2, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "first", "first");
  fixture_assert_at_box (f, "second", "second");
}

static void
test_recordings_go_at_the_same_time (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "a", "b", "c" };
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      fixture_write_file (f, names[i], 1000, i);
      recordings_leave_complete (f, names[i]);
    }
  fixture_load (f, RULE ({"route": "upload_file", "do": "hold", "name": "gate"}));
  process = START (f, "resume", "--files", "3");
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_file", 3, KIT_PATIENCE_MS));
  box_emulator_release (f->emulator, "gate");
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    fixture_assert_at_box (f, names[i], names[i]);
}

/* What somebody who may write there (or a broken disk) can leave in a spool, beside a recording.
 * Its links lead to @journal and @victim, which are elsewhere. */
static void
leave_hostile_files (const char *dir, const char *journal, const char *victim)
{
  g_autofree char *long_name = g_strnfill (200, 'x');
  const char *const fifos[] = { "fifo.journal", "fifo.data", "fifo.journal.new" };
  const char *const odd[] = { "\x1b[31mred.journal", "line\nbreak.data", "\xff\xfe.journal",
                              ".journal", long_name };
  g_autofree char *directory = g_build_filename (dir, "directory.journal", NULL);

  for (guint i = 0; i < G_N_ELEMENTS (fifos); i++)
    {
      g_autofree char *path = g_build_filename (dir, fifos[i], NULL);

      g_assert_cmpint (mkfifo (path, 0600), ==, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *path = g_build_filename (dir, odd[i], NULL);

      g_assert_true (g_file_set_contents (path, "{}\n", -1, NULL));
    }
  g_assert_cmpint (g_mkdir (directory, 0700), ==, 0);
  for (guint hard = 0; hard < 2; hard++)
    {
      g_autofree char *stem = g_build_filename (dir, hard != 0 ? "hard" : "soft", NULL);
      g_autofree char *to_journal = g_strconcat (stem, ".journal", NULL);
      g_autofree char *to_victim = g_strconcat (stem, ".data", NULL);

      g_assert_cmpint (hard != 0 ? link (journal, to_journal) : symlink (journal, to_journal), ==,
                       0);
      g_assert_cmpint (hard != 0 ? link (victim, to_victim) : symlink (victim, to_victim), ==, 0);
    }
}

static void
test_hostile_files_hurt_nobody (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = recordings_dir (f), *victim = g_build_filename (f->dir, "victim", NULL);
  g_autofree char *journal = g_build_filename (f->dir, "elsewhere", NULL), *text = NULL;
  g_auto (Answer) listed = { 0 }, resumed = { 0 }, json = { 0 };
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (BoxEmulatorFile) file = NULL;

  fixture_write_file (f, "a", 1000, 1);
  recordings_leave_complete (f, "a");
  g_assert_true (g_file_set_contents (victim, "precious", -1, NULL));
  g_assert_true (g_file_set_contents (journal, "{\"begin\":", -1, NULL));
  leave_hostile_files (dir, journal, victim);

  json = RUN (f, "spool", "--json");
  object = parse_document (json.out);
  listed = RUN (f, "spool");
  g_assert_null (strchr (listed.out, 0x1b));
  g_assert_null (strchr (listed.err, 0x1b));
  resumed = RUN (f, "resume");
  g_assert_null (strchr (resumed.err, 0x1b));
  file = box_emulator_find_file (f->emulator, "0", "a");
  g_assert_nonnull (file);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
  text = kit_read_text (victim);
  g_assert_cmpstr (text, ==, "precious");
  g_assert_true (g_file_test (journal, G_FILE_TEST_IS_REGULAR));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/spool/none-is-an-empty-one-and-is-not-made",
            test_no_spool_is_an_empty_one_and_is_not_made);
  ADD_TEST ("/cli/spool/named-directory-must-be-there", test_a_named_directory_must_be_there);
  ADD_TEST ("/cli/spool/directory-has-the-elements-name-too",
            test_the_directory_has_the_elements_name_too);
  ADD_TEST ("/cli/spool/hostile-files-hurt-nobody", test_hostile_files_hurt_nobody);
  ADD_TEST ("/cli/spool/two-directories-are-refused", test_two_directories_are_refused);
  ADD_TEST ("/cli/spool/lists-recordings-with-their-states",
            test_spool_lists_recordings_with_their_states);
  ADD_TEST ("/cli/spool/help-explains-the-words-that-it-prints",
            test_help_explains_the_words_that_spool_prints);
  ADD_TEST ("/cli/resume/finishes-what-is-there-but-not-what-is-being-made",
            test_resume_finishes_what_is_there_but_not_what_is_being_made);
  ADD_TEST ("/cli/resume/tells-in-json-what-became-of-each",
            test_resume_tells_in_json_what_became_of_each);
  ADD_TEST ("/cli/resume/recording-that-fails-stays-and-stops-no-other",
            test_a_recording_that_fails_stays_and_stops_no_other);
  ADD_TEST ("/cli/resume/says-that-another-upload-has-the-name",
            test_resume_says_that_another_upload_has_the_name);
  ADD_TEST ("/cli/watch/waits-where-another-upload-has-the-name",
            test_watch_waits_where_another_upload_has_the_name);
  ADD_TEST ("/cli/resume/says-that-data-is-gone", test_resume_says_that_data_is_gone);
  ADD_TEST ("/cli/spool/a-recording-whose-data-is-gone-is-unreadable-until-it-is-back",
            test_a_recording_whose_data_is_gone_is_unreadable_until_it_is_back);
  ADD_TEST ("/cli/resume/interrupted-goes-on-where-it-was",
            test_an_interrupted_resume_goes_on_where_it_was);
  ADD_TEST ("/cli/resume/interrupted-says-what-is-left",
            test_an_interrupted_resume_says_what_is_left);
  ADD_TEST ("/cli/resume/filled-session-leaves-the-spool-when-it-was-committed",
            test_a_filled_session_leaves_the_spool_when_it_was_committed);
  ADD_TEST ("/cli/resume/recordings-go-at-the-same-time", test_recordings_go_at_the_same_time);
  ADD_TEST ("/cli/watch/finishes-what-comes-and-ends-in-order",
            test_watch_finishes_what_comes_and_ends_in_order);
  ADD_TEST ("/cli/watch/tries-again-while-others-go-on", test_watch_tries_again_while_others_go_on);
  ADD_TEST ("/cli/watch/network-coming-back-ends-the-waits",
            test_the_network_coming_back_ends_the_waits);
  ADD_TEST ("/cli/watch/those-that-are-refused-together-wait-for-different-times",
            test_those_that_are_refused_together_wait_for_different_times);
  ADD_TEST ("/cli/watch/waits-where-data-is-gone", test_watch_waits_where_data_is_gone);
  ADD_TEST ("/cli/watch/refuses-a-wait-that-it-would-not-keep",
            test_watch_refuses_a_wait_that_it_would_not_keep);
  ADD_TEST ("/cli/watch/takes-what-loses-its-recorder", test_watch_takes_what_loses_its_recorder);
  return g_test_run ();
}
