/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: sessions of more parts than Box lists. What is behind the list
 * is found by the refusal of a part that is sent again.
 */
#include "upload-fixture.h"

#include "kit/pattern.h"

#define SHORT_PART 64
#define N_PARTS    (BOX_LISTED_PARTS_MAX + 20)
#define SIZE       (N_PARTS * SHORT_PART - 7)

static void
set_up_short_parts (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = SHORT_PART, .min_size = 1 };

  set_up_with (f, &options);
}

/* A session with the first @n parts in it. */
static BoxDestination *
session_with_parts (Fixture *f, guint n)
{
  g_autofree char *id = NULL;
  BoxDestination *destination = new_session (f, "many.bin", SIZE, &id);
  guint8 part[SHORT_PART];

  for (guint i = 0; i < n; i++)
    {
      guint64 offset = (guint64) i * SHORT_PART;
      gsize length = (gsize) MIN (SHORT_PART, SIZE - offset);

      kit_pattern_fill (offset, part, length);
      g_assert_true (box_emulator_add_part (f->emulator, id, offset, part, length));
    }
  return destination;
}

static void
test_a_lost_answer_behind_the_list_is_no_end (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = session_with_parts (f, BOX_LISTED_PARTS_MAX);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);

  load (f, "{'route':'upload_part','nth':[3,7],'do':'reset','at':'stored'}");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "many.bin", SIZE);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "upload_part", 416), ==, 2);
}

static void
test_a_full_session_is_committed (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = session_with_parts (f, N_PARTS);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);

  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "many.bin", SIZE);
  g_assert_cmpuint (f->adopted, ==, N_PARTS);
}

/* Of the parts behind the list's end, as Box draws it, its refusals tell. */
static void
test_a_full_session_is_committed_if_the_last_page_is_refused (Fixture *f, gconstpointer status)
{
  g_autoptr (BoxDestination) destination = session_with_parts (f, N_PARTS);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  g_autofree char *scenario = g_strdup_printf (
      "{'route':'list_parts','nth':11,'do':'reply','status':%d}", GPOINTER_TO_INT (status));

  load (f, scenario);
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "many.bin", SIZE);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "upload_part", 416), ==,
                    N_PARTS - 10000);
}

/* An earlier run had them acknowledged: none is sent again. */
static void
test_what_was_acknowledged_behind_the_list_is_not_sent_again (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "many.bin", NULL);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (GPtrArray) acknowledged =
      g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  BoxUploadSettings settings = settings_for (f, destination, SIZE);
  g_autoptr (BoxDestination) given = session_with_parts (f, BOX_LISTED_PARTS_MAX);
  g_autoptr (BoxSession) session =
      box_client_get_session (f->client, transport, given->session_id, NULL, NULL);

  for (guint i = BOX_LISTED_PARTS_MAX; i < BOX_LISTED_PARTS_MAX + 10; i++)
    {
      guint64 offset = (guint64) i * SHORT_PART;
      guint8 bytes[SHORT_PART];
      g_autoptr (GBytes) content = g_bytes_new_static (bytes, sizeof bytes);
      g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GLIB);
      BoxSha1 sha1;
      BoxBody body;
      BoxPart *part;

      kit_pattern_fill (offset, bytes, sizeof bytes);
      box_digest_update (digest, bytes, sizeof bytes);
      box_digest_finish (digest, &sha1);
      box_body_init_bytes (&body, content);
      part = box_client_upload_part (f->client, transport, session, offset, SIZE, &sha1, &body,
                                     NULL, NULL);
      g_assert_nonnull (part);
      g_ptr_array_add (acknowledged, part);
    }
  settings.session = session;
  settings.known_parts = acknowledged;
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "many.bin", SIZE);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==,
                    N_PARTS - BOX_LISTED_PARTS_MAX);
  g_assert_cmpuint (f->adopted, ==, BOX_LISTED_PARTS_MAX + 10);
}

/* --- Parts of other sessions ---------------------------------------------------------------- */

#define PLANNED_PART (4u << 20)
#define PLANNED_SIZE (5 * PLANNED_PART)

static void
set_up_plan (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = PLANNED_PART, .plan = BOX_EMULATOR_PLAN_ACCOUNT };

  set_up_with (f, &options);
}

/* The parts of a session that was lost, all of which Box has; their digests are not known. */
static GPtrArray *
leave_parts (Fixture *f)
{
  GPtrArray *parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) lost = new_session (f, "lost.bin", PLANNED_SIZE, &id);
  g_autofree guint8 *bytes = g_malloc (PLANNED_PART);

  g_assert_nonnull (lost);
  for (guint64 offset = 0; offset < PLANNED_SIZE; offset += PLANNED_PART)
    {
      BoxPart *part = g_new0 (BoxPart, 1);

      kit_pattern_fill (offset, bytes, PLANNED_PART);
      g_assert_true (box_emulator_add_part (f->emulator, id, offset, bytes, PLANNED_PART));
      part->offset = offset;
      part->size = PLANNED_PART;
      g_ptr_array_add (parts, part);
    }
  return parts;
}

/* The digests are those of the file, whatever has come to the block that is being filled. */
static void
test_parts_are_asked_for_before_they_are_written (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "many.bin", NULL);
  g_autoptr (GPtrArray) earlier = leave_parts (f);
  BoxBlocksFile file = { .read = kit_pattern_read };
  BoxUploadSettings settings = settings_for (f, destination, PLANNED_SIZE);
  BoxUploadStats stats;

  settings.file = &file;
  settings.earlier = earlier;
  begin (f, &settings);
  g_assert_true (produce (f, 0, 1000));
  g_assert_true (box_emulator_wait_done (f->emulator, "plan", 1, KIT_PATIENCE_MS));
  g_assert_true (produce (f, 1000, PLANNED_SIZE));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "many.bin", PLANNED_SIZE);
  box_upload_get_stats (f->upload, &stats);
  g_assert_cmpuint (stats.parts_asked, ==, 5);
  g_assert_cmpuint (stats.parts_hit, ==, 5);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_part"), ==, 0);
}

#define ADD(path, func)                                                                            \
  g_test_add ("/many-parts/" path, Fixture, NULL, set_up_short_parts, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("lost-answer-behind-the-list-is-no-end", test_a_lost_answer_behind_the_list_is_no_end);
  ADD ("full-session-is-committed", test_a_full_session_is_committed);
  g_test_add ("/many-parts/full-session-is-committed-if-the-last-page-answers-400", Fixture,
              GINT_TO_POINTER (400), set_up_short_parts,
              test_a_full_session_is_committed_if_the_last_page_is_refused, tear_down);
  g_test_add ("/many-parts/full-session-is-committed-if-the-last-page-answers-416", Fixture,
              GINT_TO_POINTER (416), set_up_short_parts,
              test_a_full_session_is_committed_if_the_last_page_is_refused, tear_down);
  ADD ("acknowledged-behind-the-list-are-not-sent-again",
       test_what_was_acknowledged_behind_the_list_is_not_sent_again);
  g_test_add ("/many-parts/asked-for-before-they-are-written", Fixture, NULL, set_up_plan,
              test_parts_are_asked_for_before_they_are_written, tear_down);
  return g_test_run ();
}
