/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can come between a seed and its recording: a size that was guessed wrong, or happens to be
 * right, parts of another size, an outage, a refusal, a stop, a flush. The file is right each time,
 * is there once, and no session is left.
 */
#include <string.h>

#include "api/account.h"
#include "delivery/delivery.h"
#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/spool-kit.h"
#include "spool/note.h"

#define PART 524288
#define SIZE (G_GUINT64_CONSTANT (44) * PART + 777)

typedef struct
{
  SpoolKit kit;
  BoxDestination *destination;
  BoxDeliverySettings settings;
  BoxDelivery *delivery;
  char *account_file;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  spool_kit_set_up_with (&fixture->kit, PART);
  box_emulator_set_plan (fixture->kit.emulator, BOX_EMULATOR_PLAN_ACCOUNT, 0);
  fixture->destination = box_destination_new_folder ("0", "clip", NULL);
  fixture->account_file = g_build_filename (fixture->kit.dir, "account.json", NULL);
  fixture->settings = (BoxDeliverySettings){
    .upload = { .client = fixture->kit.client,
                .destination = fixture->destination,
                .commit = TRUE,
                .retry_timeout = 60 },
    .sizing = BOX_SIZING_SPOOL,
    .padding = BOX_PADDING_NONE,
    .ahead = TRUE,
    .expected_size = 2 * SIZE,
    .account_file = fixture->account_file,
  };
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->delivery, box_delivery_free);
  box_destination_free (fixture->destination);
  g_free (fixture->account_file);
  spool_kit_tear_down (&fixture->kit);
}

static void
begin (Fixture *fixture)
{
  static const BoxDeliveryEvents events = { { NULL } };
  g_autoptr (GError) error = NULL;

  fixture->delivery =
      box_delivery_new_stream (&fixture->settings, fixture->kit.spool, &events, NULL, NULL, &error);
  g_assert_no_error (error);
  box_delivery_start (fixture->delivery);
}

/* Bytes [@from, @to) of the pattern. */
static void
write_pattern (Fixture *fixture, guint64 from, guint64 to)
{
  guint8 buffer[65536];

  for (guint64 at = from; at < to; at += sizeof buffer)
    {
      gsize n = (gsize) MIN (sizeof buffer, to - at);

      kit_pattern_fill (at, buffer, n);
      g_assert_cmpuint (box_delivery_write (fixture->delivery, at, buffer, n), ==, n);
    }
}

static void
await_parts (Fixture *fixture, guint n)
{
  g_assert_true (
      box_emulator_wait_done (fixture->kit.emulator, "upload_part", n, KIT_PATIENCE * 1000));
}

static void
finish (Fixture *fixture)
{
  box_delivery_finish (fixture->delivery, "eos", BOX_PADDING_NONE, 0, NULL);
  if (box_delivery_wait (fixture->delivery, -1) != BOX_WAIT_READY)
    {
      g_autoptr (GError) error = box_delivery_dup_error (fixture->delivery);

      g_error ("%s", error->message);
    }
  g_clear_pointer (&fixture->delivery, box_delivery_free);
}

static void
assert_right (Fixture *fixture, guint64 size)
{
  spool_kit_assert_stored (&fixture->kit, "clip", size);
  g_assert_cmpuint (box_emulator_count_files (fixture->kit.emulator), ==, 1);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
  g_assert_cmpuint (kit_count_open_sessions (fixture->kit.emulator), ==, 0);
}

static guint
count_stored (Fixture *fixture)
{
  return box_emulator_count_status (fixture->kit.emulator, "upload_part", 200);
}

static void
assert_not_noted (Fixture *fixture)
{
  g_assert_false (g_file_test (fixture->account_file, G_FILE_TEST_EXISTS));
}

static void
test_a_stream_longer_than_the_seed_is_sent_to_its_end (Fixture *fixture, gconstpointer data)
{
  fixture->settings.expected_size = 40 * PART;
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  await_parts (fixture, 39);
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (count_stored (fixture), ==, 45);
}

static void
test_parts_of_another_size_are_all_sent_again (Fixture *fixture, gconstpointer data)
{
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  await_parts (fixture, 40);
  box_emulator_set_part_size (fixture->kit.emulator, 4 * PART);
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "plan"), ==, 0);
  /* That says nothing about the account. */
  assert_not_noted (fixture);
}

/* The seed is the session, then. */
static void
test_a_seed_of_the_right_size_is_filled_and_committed (Fixture *fixture, gconstpointer data)
{
  fixture->settings.expected_size = SIZE;
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  await_parts (fixture, 30);
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (count_stored (fixture), ==, 45);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "create_session"), ==, 1);
}

/* It has bytes that are no longer the file's, and Box has one session of a size for a name. */
static void
test_a_spoiled_seed_of_the_right_size_goes_first (Fixture *fixture, gconstpointer data)
{
  guint8 head[100] = { 0 };

  fixture->settings.expected_size = SIZE;
  begin (fixture);
  box_delivery_write (fixture->delivery, 0, head, sizeof head);
  write_pattern (fixture, sizeof head, SIZE);
  await_parts (fixture, 30);
  write_pattern (fixture, 0, sizeof head);
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "create_session"), ==, 2);
}

static void
test_an_outage_makes_parts_wait (Fixture *fixture, gconstpointer data)
{
  begin (fixture);
  write_pattern (fixture, 0, SIZE / 2);
  await_parts (fixture, 5);
  box_emulator_set_down (fixture->kit.emulator, TRUE);
  write_pattern (fixture, SIZE / 2 / 65536 * 65536 + SIZE / 2 % 65536, SIZE);
  box_emulator_set_down (fixture->kit.emulator, FALSE);
  await_parts (fixture, 44);
  finish (fixture);
  assert_right (fixture, SIZE);
}

/* A part whose answer is lost is found in the list, and at the end by its SHA-512. */
static void
test_a_part_whose_answer_was_lost_is_found_again (Fixture *fixture, gconstpointer data)
{
  kit_load_rules (fixture->kit.emulator,
                  "[{\"route\":\"upload_part\",\"part\":3,\"nth\":1,\"do\":\"reset\","
                  "\"at\":\"stored\"}]");
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  await_parts (fixture, 44);
  g_assert_true (
      box_emulator_wait_done (fixture->kit.emulator, "list_parts", 1, KIT_PATIENCE * 1000));
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (count_stored (fixture), ==, 44);
}

/* A reason for Box not to take the seed. */
static const char *const refusals[] = {
  "[{\"route\":\"create_session\",\"nth\":1,\"do\":\"reply\",\"status\":403,"
  "\"json\":{\"code\":\"storage_limit_exceeded\"}}]",
  "[{\"route\":\"create_session\",\"nth\":1,\"do\":\"reply\",\"status\":400,"
  "\"json\":{\"code\":\"invalid_file_size\"}}]",
  "[{\"route\":\"upload_part\",\"nth\":3,\"do\":\"reply\",\"status\":410,"
  "\"json\":{\"code\":\"session_expired\"}}]",
};

static void
test_a_seed_that_is_refused_is_done_without (Fixture *fixture, gconstpointer data)
{
  kit_load_rules (fixture->kit.emulator, data);
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  g_assert_true (
      box_emulator_wait_done (fixture->kit.emulator, "create_session", 1, KIT_PATIENCE * 1000));
  finish (fixture);
  assert_right (fixture, SIZE);
}

/* Ends the recorder while the part is held that the rule calls "next". Returns the journal's
 * path. */
static char *
stop_at_next (Fixture *fixture)
{
  const char *data_path = box_delivery_get_path (fixture->delivery);
  g_autofree char *path =
      g_strdup_printf ("%.*s" BOX_RECORDING_JOURNAL_SUFFIX,
                       (int) (strlen (data_path) - strlen (BOX_RECORDING_DATA_SUFFIX)), data_path);

  g_clear_pointer (&fixture->delivery, box_delivery_free);
  box_emulator_clear_scenario (fixture->kit.emulator);
  return g_steal_pointer (&path);
}

/* Records all of it. One part leaves at a time: when the next one is on its way, the journal has
 * the one before. */
static void
record_until_next (Fixture *fixture, const char *rule)
{
  fixture->settings.upload.parallel = 1;
  kit_load_rules (fixture->kit.emulator, rule);
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  g_assert_true (box_emulator_wait_held (fixture->kit.emulator, "next", KIT_PATIENCE * 1000));
}

/* The muxer may have gone on, and back, unseen: the SHA-512 are computed anew. */
static void
test_a_recording_that_was_stopped_is_finished_with_what_box_has (Fixture *fixture,
                                                                 gconstpointer data)
{
  g_autofree char *path = NULL;

  record_until_next (fixture,
                     RULE ({ "route": "upload_part", "nth": 41, "do": "hold", "name": "next"}));
  path = stop_at_next (fixture);
  g_assert_cmpuint (kit_count_open_sessions (fixture->kit.emulator), ==, 1);
  g_assert_cmpint (spool_kit_finish (&fixture->kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_right (fixture, SIZE);
  /* The part whose request was held may be stored when it is let go, and again. */
  g_assert_cmpuint (count_stored (fixture), <=, 46);
}

/* The only part that Box has is not the file's any more: nothing can be found of it. */
static void
test_a_rewritten_part_of_a_stopped_recording_says_nothing_of_the_account (Fixture *fixture,
                                                                          gconstpointer data)
{
  BoxRecoverySettings settings = { .client = fixture->kit.client,
                                   .account_file = fixture->account_file,
                                   .retry_timeout = 60 };
  const guint8 head[100] = { 0 };
  g_autofree char *path = NULL;
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) error = NULL;
  BoxRecovered how;

  record_until_next (fixture,
                     RULE ({ "route": "upload_part", "nth": 2, "do": "hold", "name": "next"}));
  box_delivery_write (fixture->delivery, 0, head, sizeof head);
  path = stop_at_next (fixture);
  recording = box_recording_open (path, &error);
  g_assert_no_error (error);
  box_recovery_run (recording, &settings, NULL, NULL, NULL, &how, &file, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "plan"), ==, 1);
  assert_not_noted (fixture);
}

static void
test_a_flush_aborts_the_seed (Fixture *fixture, gconstpointer data)
{
  begin (fixture);
  write_pattern (fixture, 0, SIZE / 2);
  await_parts (fixture, 5);
  g_assert_true (box_delivery_discard (fixture->delivery, NULL));
  g_clear_pointer (&fixture->delivery, box_delivery_free);
  g_assert_true (box_emulator_wait_done (fixture->kit.emulator, "abort", 1, KIT_PATIENCE * 1000));
  g_assert_cmpuint (kit_count_open_sessions (fixture->kit.emulator), ==, 0);
  g_assert_cmpuint (spool_kit_count (&fixture->kit), ==, 0);
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  finish (fixture);
  assert_right (fixture, SIZE);
}

static void
test_a_version_is_sent_ahead_too (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (fixture->kit.emulator, "0", "clip", "old", 3);
  g_autofree char *sha1 = kit_pattern_sha1 (SIZE, 0);
  g_autoptr (BoxEmulatorFile) file = NULL;

  fixture->settings.upload.if_exists = BOX_IF_EXISTS_VERSION;
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  await_parts (fixture, 40);
  finish (fixture);
  file = box_emulator_get_file (fixture->kit.emulator, id);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_cmpuint (file->n_versions, ==, 2);
  g_assert_cmpuint (kit_count_open_sessions (fixture->kit.emulator), ==, 0);
  g_assert_cmpuint (count_stored (fixture), ==, 45);
}

static void
test_the_next_seed_has_the_size_of_the_last_recording (Fixture *fixture, gconstpointer data)
{
  g_autoptr (BoxDestination) next = box_destination_new_folder ("0", "next", NULL);
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) seed = NULL;

  fixture->settings.expected_size = 0;
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (box_history_get_size (fixture->kit.dir, fixture->destination), ==, SIZE);
  fixture->settings.upload.destination = next;
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  await_parts (fixture, 60);
  ids = box_emulator_get_session_ids (fixture->kit.emulator);
  seed = box_emulator_get_session (fixture->kit.emulator, g_ptr_array_index (ids, ids->len - 1));
  g_assert_cmpuint (seed->size, ==, SIZE);
  finish (fixture);
}

static void
test_an_account_that_is_noted_gets_nothing_ahead (Fixture *fixture, gconstpointer data)
{
  g_assert_true (box_account_set_plan (fixture->account_file, fixture->kit.client,
                                       GPOINTER_TO_INT (data), "probe", NULL, NULL));
  begin (fixture);
  write_pattern (fixture, 0, SIZE);
  finish (fixture);
  assert_right (fixture, SIZE);
  g_assert_cmpuint (box_emulator_count (fixture->kit.emulator, "create_session"), ==, 1);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
    gconstpointer data;
  } tests[] = {
    { "a-stream-longer-than-the-seed-is-sent-to-its-end",
      test_a_stream_longer_than_the_seed_is_sent_to_its_end, NULL },
    { "parts-of-another-size-are-all-sent-again", test_parts_of_another_size_are_all_sent_again,
      NULL },
    { "a-seed-of-the-right-size-is-filled-and-committed",
      test_a_seed_of_the_right_size_is_filled_and_committed, NULL },
    { "a-spoiled-seed-of-the-right-size-goes-first",
      test_a_spoiled_seed_of_the_right_size_goes_first, NULL },
    { "an-outage-makes-parts-wait", test_an_outage_makes_parts_wait, NULL },
    { "a-part-whose-answer-was-lost-is-found-again",
      test_a_part_whose_answer_was_lost_is_found_again, NULL },
    { "a-full-account-is-done-without", test_a_seed_that_is_refused_is_done_without, refusals[0] },
    { "a-size-that-is-refused-is-done-without", test_a_seed_that_is_refused_is_done_without,
      refusals[1] },
    { "a-seed-that-is-gone-is-done-without", test_a_seed_that_is_refused_is_done_without,
      refusals[2] },
    { "a-recording-that-was-stopped-is-finished-with-what-box-has",
      test_a_recording_that_was_stopped_is_finished_with_what_box_has, NULL },
    { "a-rewritten-part-of-a-stopped-recording-says-nothing-of-the-account",
      test_a_rewritten_part_of_a_stopped_recording_says_nothing_of_the_account, NULL },
    { "a-flush-aborts-the-seed", test_a_flush_aborts_the_seed, NULL },
    { "a-version-is-sent-ahead-too", test_a_version_is_sent_ahead_too, NULL },
    { "the-next-seed-has-the-size-of-the-last-recording",
      test_the_next_seed_has_the_size_of_the_last_recording, NULL },
    { "scope-none-gets-nothing-ahead", test_an_account_that_is_noted_gets_nothing_ahead,
      GINT_TO_POINTER (BOX_PLAN_SCOPE_NONE) },
    { "scope-file-gets-nothing-ahead", test_an_account_that_is_noted_gets_nothing_ahead,
      GINT_TO_POINTER (BOX_PLAN_SCOPE_FILE) },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path = g_strconcat ("/ahead-edges/", tests[i].path, NULL);

      g_test_add (path, Fixture, tests[i].data, set_up, tests[i].test, tear_down);
    }
  return g_test_run ();
}
