/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kill -9 of recorders and of those who finish their recordings, at random moments: every byte that
 * reached the file is committed, once, and no part that the journal had as acknowledged is sent
 * again. BOXUPLOAD_TEST_KILLS (default 20) recorders are killed; the seed is printed by GLib.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "kit/places.h"
#include "kit/spool-kit.h"
#include "spool/data-file.h"

/* The longest that a victim lives; about what a whole recording takes. Microseconds. */
#define LIFE 700000

static const char *worker;

typedef struct
{
  pid_t pid;
  GIOChannel *out;
} Victim;

/* Starts the worker with @arguments after its name. */
static Victim
start (const char *const *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  Victim victim;
  gint out;

  g_ptr_array_add (argv, (gpointer) worker);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);
  g_spawn_async_with_pipes (NULL, (char **) argv->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                            NULL, &victim.pid, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  victim.out = g_io_channel_unix_new (out);
  g_io_channel_set_close_on_unref (victim.out, TRUE);
  return victim;
}

/* Reads a victim's output until @until, or its end. Returns the last whole number. */
static guint64
listen_until (Victim *victim, gint64 until)
{
  guint64 told = 0;

  g_io_channel_set_flags (victim->out, G_IO_FLAG_NONBLOCK, NULL);
  while (until < 0 || g_get_monotonic_time () < until)
    {
      GPollFD poll = { .fd = g_io_channel_unix_get_fd (victim->out), .events = G_IO_IN };
      g_autofree char *line = NULL;
      GIOStatus status = g_io_channel_read_line (victim->out, &line, NULL, NULL, NULL);

      if (status == G_IO_STATUS_NORMAL && strchr (line, '\n') != NULL)
        told = g_ascii_strtoull (line, NULL, 10);
      else if (status == G_IO_STATUS_AGAIN)
        g_poll (&poll, 1,
                until < 0 ? -1 : (gint) MAX (1, (until - g_get_monotonic_time ()) / 1000));
      else
        break;
    }
  return told;
}

/* Kills the victim after @life microseconds. Returns the last number that it printed. */
static guint64
kill_after (Victim *victim, gint64 life)
{
  guint64 before = listen_until (victim, g_get_monotonic_time () + life), after;

  kill (victim->pid, SIGKILL);
  waitpid (victim->pid, NULL, 0);
  after = listen_until (victim, -1);
  g_io_channel_unref (victim->out);
  return MAX (before, after);
}

/* Bytes that the emulator must have received once, because the journal says that Box has them. */
static GPtrArray *
list_acknowledged (SpoolKit *kit)
{
  g_autoptr (GPtrArray) list = box_spool_list (kit->spool, NULL);
  GPtrArray *states = g_ptr_array_new_with_free_func ((GDestroyNotify) box_journal_state_free);

  for (guint i = 0; i < list->len; i++)
    g_ptr_array_add (states, box_journal_state_copy (((BoxSpoolEntry *) list->pdata[i])->state));
  return states;
}

/* Where the session could go on (the recording was whole), its acknowledged parts came once. How
 * many these were. */
static guint
assert_not_sent_again (SpoolKit *kit, GPtrArray *states)
{
  guint n_checked = 0;

  for (guint i = 0; i < states->len; i++)
    {
      const BoxJournalState *state = states->pdata[i];
      g_autoptr (BoxEmulatorSession) session = NULL;

      if (state->session == NULL)
        continue;
      session = box_emulator_get_session (kit->emulator, state->session->id);
      /* One that was replaced by a session of the right size is aborted, and has no parts. */
      if (session == NULL || session->state == BOX_EMULATOR_SESSION_ABORTED)
        continue;
      n_checked += state->parts->len;
      for (guint k = 0; k < state->parts->len; k++)
        {
          const BoxPart *part = state->parts->pdata[k];

          g_assert_cmpuint (session->received[part->offset / state->session->part_size], ==, 1);
        }
    }
  return n_checked;
}

static guint64
kill_recorder (SpoolKit *kit, const char *how, const char *name)
{
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, SPOOL_KIT_SIZE);
  const char *arguments[] = { how,  kit->dir, box_emulator_get_origin (kit->emulator, FALSE),
                              name, size,     NULL };
  Victim victim = start (arguments);

  return kill_after (&victim, g_test_rand_int_range (0, LIFE));
}

static void
kill_recoverer (SpoolKit *kit)
{
  const char *arguments[] = { "recover", kit->dir, box_emulator_get_origin (kit->emulator, FALSE),
                              NULL };
  Victim victim = start (arguments);

  kill_after (&victim, g_test_rand_int_range (0, LIFE / 2));
}

/* One file, once, that begins the pattern and has at least @told bytes of it, but for those that
 * may wait in memory. */
static void
assert_committed_once (SpoolKit *kit, const char *name, guint64 told)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (kit->emulator, "0", name);

  if (file == NULL)
    {
      g_assert_cmpuint (told, <=, BOX_RUN_SIZE);
      return;
    }
  g_assert_cmpuint (file->size + BOX_RUN_SIZE, >=, told);
  spool_kit_assert_stored (kit, name, file->size);
}

static void
test_nothing_is_lost_or_doubled (gconstpointer how)
{
  guint n = kit_get_kills (20);
  guint n_files = 0, n_parts = 0;

  for (guint i = 0; i < n; i++)
    {
      SpoolKit kit;
      guint64 told;
      g_autoptr (GPtrArray) acknowledged = NULL;
      g_autofree char *name = g_strdup_printf ("clip-%u.mp4", i);

      spool_kit_set_up (&kit);
      told = kill_recorder (&kit, how, name);
      acknowledged = list_acknowledged (&kit);
      for (gint k = g_test_rand_int_range (0, 3); k > 0; k--)
        kill_recoverer (&kit);
      spool_kit_finish_all (&kit);
      assert_committed_once (&kit, name, told);
      n_parts += assert_not_sent_again (&kit, acknowledged);
      n_files += box_emulator_count_files (kit.emulator);
      g_test_message ("%u: %" G_GUINT64_FORMAT " bytes had been recorded", i, told);
      spool_kit_tear_down (&kit);
    }
  g_test_message ("%u recorders killed, %u files, %u acknowledged parts not sent again", n, n_files,
                  n_parts);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  worker = g_getenv ("BOXUPLOAD_TEST_SPOOL_WORKER");
  g_assert_nonnull (worker);
  g_test_add_data_func ("/kill/nothing-is-lost-or-doubled/session", "record",
                        test_nothing_is_lost_or_doubled);
  g_test_add_data_func ("/kill/nothing-is-lost-or-doubled/live", "live",
                        test_nothing_is_lost_or_doubled);
  return g_test_run ();
}
