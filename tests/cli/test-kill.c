/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload watch killed at random moments, again and again, while recordings come: in the end
 * "boxupload resume" has made each of them one file with its bytes, and no part that a journal had
 * as acknowledged was sent again.
 */
#include <stdlib.h>

#include "cli-recordings.h"

#include "kit/places.h"

static guint64
count_bytes (Fixture *f)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (f->emulator, NULL);
  guint64 bytes = 0;

  for (guint i = 0; i < requests->len; i++)
    bytes += ((BoxEmulatorRequest *) g_ptr_array_index (requests, i))->body_bytes;
  return bytes;
}

/* A moment of an upload: somewhere within its bytes, or around its commit. Where it does not come,
 * soon. */
static void
wait_for_a_moment (Fixture *f)
{
  if (g_test_rand_int_range (0, 4) == 0)
    box_emulator_wait_seen (f->emulator, "commit", box_emulator_count (f->emulator, "commit") + 1,
                            2000);
  else
    box_emulator_wait_bytes (
        f->emulator,
        count_bytes (f) + (guint64) g_test_rand_int_range (0, SESSION_FILE_SIZE + PART_SIZE), 2000);
}

/* @acknowledged: "SESSION INDEX" of a part that a journal had → how often its body had arrived by
 * then. */
static void
remember_acknowledged (Fixture *f, GHashTable *acknowledged)
{
  g_autoptr (GPtrArray) recordings = recordings_list (f);

  for (guint i = 0; i < recordings->len; i++)
    {
      const BoxJournalState *state = ((BoxSpoolEntry *) g_ptr_array_index (recordings, i))->state;
      g_autoptr (BoxEmulatorSession) session = NULL;

      if (state->session == NULL)
        continue;
      session = box_emulator_get_session (f->emulator, state->session->id);
      g_assert_nonnull (session);
      for (guint k = 0; k < state->parts->len; k++)
        {
          const BoxPart *part = g_ptr_array_index (state->parts, k);
          guint index = (guint) (part->offset / PART_SIZE);

          g_hash_table_insert (acknowledged, g_strdup_printf ("%s %u", session->id, index),
                               GUINT_TO_POINTER (session->received[index]));
        }
    }
}

static void
assert_not_sent_again (Fixture *f, GHashTable *acknowledged)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, acknowledged);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      g_auto (GStrv) words = g_strsplit (key, " ", 2);
      g_autoptr (BoxEmulatorSession) session = box_emulator_get_session (f->emulator, words[0]);

      g_assert_cmpuint (session->received[atoi (words[1])], ==, GPOINTER_TO_UINT (value));
    }
}

static void
watch_and_kill (Fixture *f)
{
  g_autoptr (GSubprocess) process = START (f, "watch", "--first-wait", "1");

  wait_for_a_moment (f);
  g_subprocess_force_exit (process);
  g_assert_true (g_subprocess_wait (process, NULL, NULL));
}

static void
test_recordings_survive_a_watch_that_is_killed (Fixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) acknowledged =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n_kills = kit_get_kills (20);
  g_auto (Answer) answer = { 0 };

  for (guint i = 0; i < n_kills; i++)
    {
      g_autofree char *name = g_strdup_printf ("recording-%u", i);

      fixture_write_file (f, name, SESSION_FILE_SIZE + i, i);
      if (i % 3 == 0)
        recordings_leave_interrupted (f, name);
      else
        recordings_leave_complete (f, name);
      watch_and_kill (f);
      remember_acknowledged (f, acknowledged);
    }
  answer = RUN (f, "resume");
  g_assert_cmpint (answer.code, ==, 0);

  g_test_message ("%u parts were acknowledged in journals at kills",
                  g_hash_table_size (acknowledged));
  assert_not_sent_again (f, acknowledged);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, n_kills);
  for (guint i = 0; i < n_kills; i++)
    {
      g_autofree char *name = g_strdup_printf ("recording-%u", i);
      g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", name);

      fixture_assert_at_box (f, name, name);
      g_assert_cmpuint (file->n_versions, ==, 1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/watch/recordings-survive-its-kill",
            test_recordings_survive_a_watch_that_is_killed);
  return g_test_run ();
}
