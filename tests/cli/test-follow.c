/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload follow: files that another program, here often the test, still writes. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli-fixture.h"
#include "kit/patience.h"

#define PIECE (1u << 16)

static void
set_up (Fixture *f, gconstpointer data)
{
  fixture_set_up (f, data);
  box_emulator_set_plan (f->emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, fixture_tear_down)

/* ---- the program that writes ---- */

static int
open_writer (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Writes @size bytes at @offset, which tell their place and @seed. */
static void
write_bytes (int fd, guint64 offset, guint64 size, guint32 seed)
{
  g_autofree guint32 *piece = g_malloc (PIECE);

  for (guint64 end = offset + size; offset < end; offset += PIECE)
    {
      gsize n = (gsize) MIN (PIECE, end - offset);

      for (guint i = 0; i < PIECE / 4; i++)
        piece[i] = (guint32) (offset + i) * 2654435761u + seed;
      g_assert_cmpint (pwrite (fd, piece, n, (off_t) offset), ==, (gssize) n);
    }
}

static void
wait_for_parts (Fixture *f, guint n)
{
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", n, KIT_PATIENCE_MS));
}

/* ---- what follow said ---- */

/* The member @member of the last line about @event. */
static gint64
get_number (const Answer *answer, const char *event, const char *member)
{
  g_auto (GStrv) lines = g_strsplit (answer->out, "\n", -1);
  gint64 number = -1;

  for (guint i = 0; lines[i + 1] != NULL; i++)
    {
      g_autoptr (JsonObject) object = parse_line (answer->out, (int) i);

      if (g_str_equal (json_object_get_string_member (object, "event"), event))
        number = json_object_get_int_member (object, member);
    }
  return number;
}

static void
assert_sent_again (const Answer *answer, guint n_parts)
{
  g_assert_cmpint (get_number (answer, "ahead", "bytes_again"), ==, n_parts * PART_SIZE);
}

/* That no session is left but committed and aborted ones. */
static void
assert_no_seed_is_left (Fixture *f)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (f->emulator);

  for (guint i = 0; i < ids->len; i++)
    {
      g_autoptr (BoxEmulatorSession) session =
          box_emulator_get_session (f->emulator, g_ptr_array_index (ids, i));

      g_assert_cmpint (session->state, !=, BOX_EMULATOR_SESSION_OPEN);
    }
}

/* ---- one file ---- */

static void
test_parts_leave_while_a_file_grows (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a", "--json");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 20);
  write_bytes (fd, 24 * PART_SIZE, PART_SIZE / 2, 1);
  write_bytes (fd, 100, 50, 2);
  close (fd);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  g_assert_cmpint (get_number (&answer, "ahead", "bytes_ahead"), >=, 20 * PART_SIZE);
  /* The head was not sent before it was written for the last time. */
  assert_sent_again (&answer, 0);
  assert_no_seed_is_left (f);
}

static void
test_a_part_that_is_written_again_is_sent_again (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a", "--json");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 20);
  write_bytes (fd, 5 * PART_SIZE + 7, 100, 2);
  write_bytes (fd, 9 * PART_SIZE - 50, 100, 2);
  close (fd);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  assert_sent_again (&answer, 3);
  assert_no_seed_is_left (f);
}

static void
test_a_file_that_is_cut_is_followed_anew (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a", "--json");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 20);
  g_assert_cmpint (ftruncate (fd, PART_SIZE), ==, 0);
  write_bytes (fd, PART_SIZE, 22 * PART_SIZE, 2);
  close (fd);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  assert_no_seed_is_left (f);
}

/* As recorders do that reserve their room first. */
static void
test_room_that_is_only_reserved_is_not_sent (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process;
  g_auto (Answer) answer = { 0 };

  g_assert_cmpint (ftruncate (fd, 30 * PART_SIZE), ==, 0);
  process = START (f, "follow", "a", "--json");
  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 20);
  write_bytes (fd, 24 * PART_SIZE, 6 * PART_SIZE, 1);
  close (fd);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  assert_sent_again (&answer, 0);
}

static void
test_a_file_that_is_renamed_has_its_last_name (Fixture *f, gconstpointer data)
{
  g_autofree char *from = g_build_filename (f->dir, "a.part", NULL);
  g_autofree char *to = g_build_filename (f->dir, "a.mp4", NULL);
  int fd = open_writer (f, "a.part");
  GSubprocess *process = START (f, "follow", "a.part");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 20);
  g_assert_cmpint (g_rename (from, to), ==, 0);
  close (fd);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a.mp4", "a.mp4");
}

static void
test_a_file_that_is_removed_is_an_error (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 1);
  g_unlink (path);
  answer = fixture_finish (process);
  close (fd);
  g_assert_cmpint (answer.code, ==, 13);
  g_assert_nonnull (strstr (answer.err, "was removed"));
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
}

static void
test_a_file_that_is_replaced_is_followed (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_autofree char *other = g_build_filename (f->dir, "other", NULL);
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 1);
  fixture_write_file (f, "other", SESSION_FILE_SIZE, 5);
  g_assert_cmpint (g_rename (other, path), ==, 0);
  answer = fixture_finish (process);
  close (fd);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

static void
test_a_file_that_is_not_there_yet_is_waited_for (Fixture *f, gconstpointer data)
{
  GSubprocess *process = START (f, "follow", "a", "--folder", "0");
  g_auto (Answer) answer = { 0 };

  /* What is made now is found by a process that has begun or has not. */
  fixture_write_file (f, "a", 1000, 1);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
}

static void
test_an_idle_file_is_finished_if_so_said (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 1000, 1);
  answer = RUN (f, "follow", "a", "--until-idle", "1");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  close (fd);
}

static void
test_a_marker_finishes_a_file (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a", "--until-file", "a.done");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 20);
  fixture_write_file (f, "a.done", 0, 1);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "a");
  close (fd);
}

static void
test_a_refusal_is_told_before_the_end (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a", "--folder", "99999");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 6);
  close (fd);
}

static void
test_an_interrupt_ends_the_following (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a");
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 1);
  g_subprocess_send_signal (process, SIGINT);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 130);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 0);
  assert_no_seed_is_left (f);
  close (fd);
}

/* SIGTERM while Box does not answer. */
static void
test_a_seed_that_cannot_be_aborted_is_left (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process;
  g_auto (Answer) answer = { 0 };

  fixture_load (f, RULE ({ "route": "abort", "do": "hold", "name": "gate" }));
  process = START (f, "follow", "a");
  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 1);
  g_subprocess_send_signal (process, SIGTERM);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 143);
  box_emulator_release (f->emulator, "gate");
  close (fd);
}

static void
test_no_failure_leaves_a_seed (Fixture *f, gconstpointer data)
{
  int fd = open_writer (f, "a");
  GSubprocess *process = START (f, "follow", "a");
  g_autofree char *path = g_build_filename (f->dir, "a", NULL);
  g_auto (Answer) answer = { 0 };

  write_bytes (fd, 0, 24 * PART_SIZE, 1);
  wait_for_parts (f, 1);
  g_assert_cmpint (unlink (path), ==, 0);
  answer = fixture_finish (process);
  g_assert_cmpint (answer.code, ==, 13);
  assert_no_seed_is_left (f);
  close (fd);
}

/* Whatever a plan says, the file is right. */
static void
test_a_plan_is_not_trusted (Fixture *f, gconstpointer data)
{
  static const BoxEmulatorPlan plans[] = { BOX_EMULATOR_PLAN_ABSENT, BOX_EMULATOR_PLAN_NONE,
                                           BOX_EMULATOR_PLAN_LYING, BOX_EMULATOR_PLAN_WRONG };

  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *state = g_strdup_printf ("%s/state-%u", f->dir, i);
      char **environment =
          g_environ_setenv (fixture_environment (f), "XDG_STATE_HOME", state, TRUE);
      g_auto (Answer) answer = { 0 };
      int fd = open_writer (f, name);

      box_emulator_set_plan (f->emulator, plans[i], 0);
      write_bytes (fd, 0, 24 * PART_SIZE, i);
      close (fd);
      answer = fixture_run_env (f, environment, (const char *const[]){ "follow", name, NULL });
      g_assert_cmpint (answer.code, ==, 0);
      fixture_assert_at_box (f, name, name);
    }
}

/* ---- a directory ---- */

static void
test_a_directory_is_followed_for_new_files (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (f->dir, "dir", NULL);
  g_auto (Answer) answer = { 0 };
  GSubprocess *process;
  int growing, later;

  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  fixture_write_file (f, "dir/old", 1000, 1);
  growing = open_writer (f, "dir/growing");
  write_bytes (growing, 0, 24 * PART_SIZE, 2);
  process = START (f, "follow", "dir");
  wait_for_parts (f, 20);
  later = open_writer (f, "dir/later");
  write_bytes (later, 0, 1000, 3);
  fixture_write_file (f, "dir/.hidden", 1000, 4);
  close (later);
  close (growing);
  g_assert_true (box_emulator_wait_done (f->emulator, "commit", 1, KIT_PATIENCE_MS));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  g_subprocess_send_signal (process, SIGTERM);
  answer = fixture_finish (process);
  fixture_assert_at_box (f, "growing", "dir/growing");
  fixture_assert_at_box (f, "later", "dir/later");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 2);
}

static void
test_a_marker_ends_a_directory (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (f->dir, "dir", NULL);
  g_auto (Answer) answer = { 0 };

  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  fixture_write_file (f, "dir/a", 1000, 1);
  fixture_write_file (f, "dir/b", 1000, 2);
  fixture_write_file (f, "dir/done", 0, 2);
  answer = RUN (f, "follow", "dir", "--existing", "--until-file", "dir/done");
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "a", "dir/a");
  fixture_assert_at_box (f, "b", "dir/b");
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 2);
}

static void
test_one_that_fails_stops_no_other (Fixture *f, gconstpointer data)
{
  g_autofree char *dir = g_build_filename (f->dir, "dir", NULL);
  g_autofree char *taken = box_emulator_add_file (f->emulator, "0", "a", "old", 3);
  g_auto (Answer) answer = { 0 };

  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  fixture_write_file (f, "dir/a", 1000, 1);
  fixture_write_file (f, "dir/b", 1000, 2);
  fixture_write_file (f, "done", 0, 2);
  answer = RUN (f, "follow", "dir", "--existing", "--until-file", "done");
  g_assert_nonnull (taken);
  g_assert_cmpint (answer.code, ==, 7);
  g_assert_nonnull (strstr (answer.err, "1 of 2 files not uploaded"));
  fixture_assert_at_box (f, "b", "dir/b");
}

/* ---- programs that go back ---- */

static const struct
{
  const char *name;
  const char *arguments;
} muxers[] = {
  { "a.mp4", "-c:v mpeg4 -b:v 40M -c:a aac" },
  { "a.mkv", "-c:v mpeg4 -b:v 40M -c:a aac" },
  { "a.mxf", "-c:v mpeg2video -b:v 40M -c:a pcm_s16le -ar 48000" },
  { "a.wav", "-vn -c:a pcm_s32le -ar 192000 -ac 8" },
};

static void
test_ffmpeg (Fixture *f, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  const char *name = muxers[i].name;
  g_autofree char *line = g_strdup_printf (
      "ffmpeg -loglevel error -nostdin -f lavfi -i testsrc2=size=1280x720:rate=25,noise=alls=40:"
      "allf=t+u -f lavfi -i anoisesrc=r=48000 -t 5 %s -y %s",
      muxers[i].arguments, name);
  g_autofree char *found = g_find_program_in_path ("ffmpeg");
  g_auto (GStrv) command = NULL;
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) ffmpeg = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (Answer) answer = { 0 };

  if (found == NULL)
    {
      g_test_skip ("there is no ffmpeg");
      return;
    }
  launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_cwd (launcher, f->dir);
  g_assert_true (g_shell_parse_argv (line, NULL, &command, &error));
  ffmpeg = g_subprocess_launcher_spawnv (launcher, (const char *const *) command, &error);
  g_assert_no_error (error);
  answer = RUN (f, "follow", name, "--json");
  g_assert_true (g_subprocess_wait_check (ffmpeg, NULL, NULL));
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, name, name);
  g_test_message ("%s: %" G_GINT64_FORMAT " bytes, %" G_GINT64_FORMAT
                  " left before the end, %" G_GINT64_FORMAT " were sent twice",
                  name, get_number (&answer, "finished", "size"),
                  get_number (&answer, "ahead", "bytes_ahead"),
                  get_number (&answer, "ahead", "bytes_again"));
  assert_no_seed_is_left (f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/cli/follow/parts-leave-while-it-grows", test_parts_leave_while_a_file_grows);
  ADD ("/cli/follow/part-that-is-written-again-is-sent-again",
       test_a_part_that_is_written_again_is_sent_again);
  ADD ("/cli/follow/cut-is-followed-anew", test_a_file_that_is_cut_is_followed_anew);
  ADD ("/cli/follow/room-that-is-only-reserved-is-not-sent",
       test_room_that_is_only_reserved_is_not_sent);
  ADD ("/cli/follow/renamed-has-its-last-name", test_a_file_that_is_renamed_has_its_last_name);
  ADD ("/cli/follow/removed-is-an-error", test_a_file_that_is_removed_is_an_error);
  ADD ("/cli/follow/replaced-is-followed", test_a_file_that_is_replaced_is_followed);
  ADD ("/cli/follow/not-there-yet-is-waited-for", test_a_file_that_is_not_there_yet_is_waited_for);
  ADD ("/cli/follow/idle-is-finished-if-so-said", test_an_idle_file_is_finished_if_so_said);
  ADD ("/cli/follow/marker-finishes-it", test_a_marker_finishes_a_file);
  ADD ("/cli/follow/refusal-is-told-before-the-end", test_a_refusal_is_told_before_the_end);
  ADD ("/cli/follow/interrupt-ends-it", test_an_interrupt_ends_the_following);
  ADD ("/cli/follow/seed-that-cannot-be-aborted", test_a_seed_that_cannot_be_aborted_is_left);
  ADD ("/cli/follow/no-failure-leaves-a-seed", test_no_failure_leaves_a_seed);
  ADD ("/cli/follow/plan-is-not-trusted", test_a_plan_is_not_trusted);
  ADD ("/cli/follow/directory/new-files", test_a_directory_is_followed_for_new_files);
  ADD ("/cli/follow/directory/marker-ends-it", test_a_marker_ends_a_directory);
  ADD ("/cli/follow/directory/one-that-fails-stops-no-other", test_one_that_fails_stops_no_other);
  for (guint i = 0; i < G_N_ELEMENTS (muxers); i++)
    {
      g_autofree char *path = g_strconcat ("/cli/follow/ffmpeg/", muxers[i].name, NULL);

      g_test_add (path, Fixture, GUINT_TO_POINTER (i), set_up, test_ffmpeg, fixture_tear_down);
    }
  return g_test_run ();
}
