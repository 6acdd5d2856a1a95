/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * parallel=0: parts that wait for their answer do not count, as long as their bytes are kept
 * somewhere else than in memory.
 */
#include "upload-fixture.h"

#include "kit/patience.h"
#include "kit/pattern.h"
#include "upload/flow.h"
#include "upload/workers.h"

/* A part has a block of memory for itself. */
#define BLOCK BOX_BLOCK_SIZE

/* Each answer lets one more part wait without counting; two may from the beginning. */
#define ANSWERS 14

static const BoxBlocksFile pattern_file = { .read = kit_pattern_read };

static BoxUploadSettings
auto_settings (Fixture *f, const BoxDestination *destination, guint64 size)
{
  BoxUploadSettings settings = settings_for (f, destination, size);

  settings.parallel = 0;
  return settings;
}

static void
hold_answers (Fixture *f)
{
  g_autofree char *rules = g_strdup_printf (
      "{'route':'upload_part','from':%u,'do':'hold','at':'stored','name':'answers'}", ANSWERS + 1);

  load (f, rules);
}

static BoxUploadStats
get_stats (Fixture *f)
{
  BoxUploadStats stats;

  box_upload_get_stats (f->upload, &stats);
  return stats;
}

/* A recording, whose bytes are in the file only. */
static void
test_sixteen_parts_wait_for_their_answers (Fixture *f, gconstpointer data)
{
  guint64 size = 60 * PART;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, &id);
  BoxUploadSettings settings = auto_settings (f, destination, size);

  settings.file = &pattern_file;
  hold_answers (f);
  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", ANSWERS + BOX_FLOW_MOST,
                                         KIT_PATIENCE_MS));
  g_assert_cmpuint (get_stats (f).parts_in_flight, ==, BOX_FLOW_MOST);
  g_assert_cmpuint (get_stats (f).parallel, ==, BOX_FLOW_FIRST);
  box_emulator_release (f->emulator, "answers");
  assert_done (f);
  assert_stored (f, "a.bin", size);
  assert_sent_once (f, id);
  g_assert_cmpuint (get_stats (f).parts_waiting, ==, 0);
}

/* A file that is read, and can be read again. */
static void
test_parts_in_flight_take_no_memory_once_they_were_sent (Fixture *f, gconstpointer data)
{
  guint64 size = 60 * BLOCK;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, &id);
  BoxUploadSettings settings = auto_settings (f, destination, size);
  BoxUploadStats stats;

  settings.file = &pattern_file;
  hold_answers (f);
  begin (f, &settings);
  g_assert_true (produce (f, 0, (ANSWERS + BOX_FLOW_MOST) * BLOCK));
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", ANSWERS + BOX_FLOW_MOST,
                                         KIT_PATIENCE_MS));
  stats = get_stats (f);
  g_assert_cmpuint (stats.memory, <=,
                    (BOX_FLOW_FIRST + 1 + stats.parts_in_flight - stats.parts_waiting) * BLOCK);
  box_emulator_release (f->emulator, "answers");
  g_assert_true (produce (f, (ANSWERS + BOX_FLOW_MOST) * BLOCK, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  assert_sent_once (f, id);
  g_assert_cmpuint (box_emulator_count_parallel (f->emulator, "upload_part"), ==, BOX_FLOW_MOST);
}

/* A part whose memory was given back is read from the file when its answer was lost. */
static void
test_a_part_that_was_given_back_is_sent_again (Fixture *f, gconstpointer data)
{
  guint64 size = 40 * PART - 5;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, NULL);
  BoxUploadSettings settings = auto_settings (f, destination, size);

  settings.file = &pattern_file;
  load (f, "{'route':'upload_part','every':5,'times':6,'do':'reset','at':'end'}");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  g_assert_cmpuint (get_stats (f).retries, >=, 6);
}

/* A stream that is nowhere else. */
static void
test_four_parts_are_in_flight_where_memory_is_all_there_is (Fixture *f, gconstpointer data)
{
  guint64 size = 60 * PART;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, &id);
  BoxUploadSettings settings = auto_settings (f, destination, size);

  settings.max_memory = 0;
  load (f, "{'route':'upload_part','do':'hold','at':'stored','name':'answers'}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, 5 * PART));
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", 4, KIT_PATIENCE_MS));
  box_emulator_release (f->emulator, "answers");
  g_assert_true (produce (f, 5 * PART, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  g_assert_cmpuint (box_emulator_count_parallel (f->emulator, "upload_part"), ==, 4);
}

/* More memory, more parts. */
static void
test_parts_in_flight_fit_into_max_memory (Fixture *f, gconstpointer data)
{
  guint64 size = 60 * BLOCK;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, NULL);
  BoxUploadSettings settings = auto_settings (f, destination, size);

  settings.max_memory = 11 * BLOCK;
  hold_answers (f);
  begin (f, &settings);
  g_assert_true (produce (f, 0, (ANSWERS + 10) * BLOCK));
  g_assert_true (
      box_emulator_wait_seen (f->emulator, "upload_part", ANSWERS + 10, KIT_PATIENCE_MS));
  box_emulator_release (f->emulator, "answers");
  g_assert_true (produce (f, (ANSWERS + 10) * BLOCK, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  g_assert_cmpuint (box_emulator_count_parallel (f->emulator, "upload_part"), ==, 10);
}

static void
test_an_upload_goes_on_after_the_pause_that_box_asked_for (Fixture *f, gconstpointer data)
{
  guint64 size = 30 * PART;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "a.bin", size, &id);
  BoxUploadSettings settings = auto_settings (f, destination, size);

  settings.file = &pattern_file;
  load (f, "{'route':'upload_part','from':5,'times':1,'do':'reply','status':429,"
           "'headers':{'Retry-After':'1'},'json':{'code':'rate_limit_exceeded'}}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "a.bin", size);
  g_assert_cmpuint (f->retries, ==, 1);
  g_assert_cmpuint (get_stats (f).parts_waiting, ==, 0);
}

/* Of eight workers, six send parts: an upload never has as many in flight as it may, and so could
 * always use the next one. */
#define FEW_WORKERS "8"
#define FEW_PARTS   6

static void
send_two_files (Fixture *f)
{
  guint64 size = 60 * PART;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) first = new_session (f, "a.bin", size, &id);
  g_autoptr (BoxDestination) second = new_session (f, "b.bin", size, NULL);
  BoxUploadSettings settings = auto_settings (f, first, size);
  g_autoptr (GPtrArray) requests = NULL;
  BoxUpload *older;
  guint n = 0;

  settings.file = &pattern_file;
  load (f, "{'route':'upload_part','do':'hold','name':'gate'}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  g_assert_true (box_emulator_wait_seen (f->emulator, "upload_part", 4, KIT_PATIENCE_MS));
  older = g_steal_pointer (&f->upload);
  settings.destination = second;
  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  g_assert_true (box_emulator_wait_done (f->emulator, "list_parts", 2, KIT_PATIENCE_MS));
  box_emulator_release (f->emulator, "gate");
  g_assert_cmpint (box_upload_wait_done (older, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_READY);

  requests = box_emulator_get_requests (f->emulator, "upload_part");
  while (n < requests->len
         && strstr (((BoxEmulatorRequest *) g_ptr_array_index (requests, n))->path, id) != NULL)
    n++;
  /* Those that are in flight together may come in any order. */
  g_assert_cmpuint (n, >=, 60 - FEW_PARTS);
  box_upload_close (older);
  box_upload_unref (older);
}

/* A file that is complete at Box is one that need not be sent again (rclone's issue 1713). */
static void
test_of_two_files_the_older_one_is_sent_first (Fixture *f, gconstpointer data)
{
  if (g_test_subprocess ())
    {
      send_two_files (f);
      return;
    }
  g_setenv ("BOXUPLOAD_WORKERS", FEW_WORKERS, TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv ("BOXUPLOAD_WORKERS");
  g_test_trap_assert_passed ();
}

/* Its rate leaves the live part two minutes. */
static void
test_a_file_makes_way_for_a_live_recording (Fixture *f, gconstpointer data)
{
  guint64 size = 8 * PART;
  g_autoptr (BoxDestination) first = new_session (f, "a.bin", size, NULL);
  g_autoptr (BoxDestination) second = new_session (f, "b.bin", size, NULL);
  BoxUploadSettings settings = auto_settings (f, first, size);
  BoxUploadStats stats = { 0 };
  BoxUpload *live;

  settings.upload_rate = 500;
  begin (f, &settings);
  g_assert_true (produce (f, 0, PART));
  KIT_AWAIT (get_stats (f).bytes_sent > 0);
  live = g_steal_pointer (&f->upload);
  settings.destination = second;
  settings.file = &pattern_file;
  settings.upload_rate = 2000;
  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  KIT_AWAIT ((stats = get_stats (f)).bytes_sent >= 1024);
  g_assert_cmpuint (stats.parts_in_flight, ==, 1);
  box_upload_set_rate (f->upload, 0);
  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_READY);
  assert_stored (f, "b.bin", size);
  box_upload_close (live);
  box_upload_unref (live);
}

static void
test_a_host_is_remembered (void)
{
  BoxHost *host, *other;

  g_mutex_lock (box_workers_lock ());
  host = box_host_take_locked ("https://upload.example/api/2.0");
  other = box_host_take_locked ("https://upload.example:8443/api/2.0");
  g_assert_true (host != other);
  host->flow.aim = 7;
  box_host_give_back_locked (host);
  host = box_host_take_locked ("https://upload.example/other");
  g_assert_cmpuint (host->flow.aim, ==, 7);
  box_host_give_back_locked (host);
  box_host_give_back_locked (other);
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *url = g_strdup_printf ("https://host-%u.example", i);

      box_host_give_back_locked (box_host_take_locked (url));
    }
  g_assert_cmpuint (box_host_count_locked (), <=, 40);
  g_mutex_unlock (box_workers_lock ());
}

static void
set_up_blocks (Fixture *f, gconstpointer data)
{
  set_up_with (f, &(BoxEmulatorOptions){ .part_size = BLOCK, .min_size = 1 });
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, test) g_test_add ("/auto/" path, Fixture, NULL, set_up, test, tear_down)
#define ADD_BLOCKS(path, test)                                                                     \
  g_test_add ("/auto/" path, Fixture, NULL, set_up_blocks, test, tear_down)
  ADD ("sixteen-parts-wait-for-their-answers", test_sixteen_parts_wait_for_their_answers);
  ADD_BLOCKS ("parts-in-flight-take-no-memory-once-they-were-sent",
              test_parts_in_flight_take_no_memory_once_they_were_sent);
  ADD ("a-part-that-was-given-back-is-sent-again", test_a_part_that_was_given_back_is_sent_again);
  ADD ("four-parts-are-in-flight-where-memory-is-all-there-is",
       test_four_parts_are_in_flight_where_memory_is_all_there_is);
  ADD_BLOCKS ("parts-in-flight-fit-into-max-memory", test_parts_in_flight_fit_into_max_memory);
  ADD ("of-two-files-the-older-one-is-sent-first", test_of_two_files_the_older_one_is_sent_first);
  ADD ("an-upload-goes-on-after-the-pause-that-box-asked-for",
       test_an_upload_goes_on_after_the_pause_that_box_asked_for);
  ADD ("a-file-makes-way-for-a-live-recording", test_a_file_makes_way_for_a_live_recording);
  g_test_add_func ("/auto/a-host-is-remembered", test_a_host_is_remembered);
  return g_test_run ();
}
