/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the journal says of parts that left before the size was known, and of parts in sessions that
 * were lost; and what is remembered of accounts and sizes. */
#include "api/account.h"
#include "kit/places.h"
#include "spool/note.h"
#include "spool/journal.h"

#include <string.h>

#define PART G_GUINT64_CONSTANT (8388608)
#define SIZE (3 * PART)

static BoxSession *
new_session (const char *id)
{
  BoxSession *session = g_new0 (BoxSession, 1);

  session->id = g_strdup (id);
  session->part_size = PART;
  session->total_parts = 3;
  session->upload_part_url = g_strdup ("https://upload.box.com/api/2.0/s");
  session->commit_url = g_strdup ("https://upload.box.com/api/2.0/s/commit");
  session->abort_url = g_strdup ("https://upload.box.com/api/2.0/s");
  session->list_parts_url = g_strdup ("https://upload.box.com/api/2.0/s/parts");
  session->status_url = g_strdup ("https://upload.box.com/api/2.0/s");
  session->plan_url = g_strdup ("https://upload.box.com/api/2.0/s/plan");
  return session;
}

/* Takes @line. */
static void
append (GString *journal, char *line)
{
  g_string_append (journal, line);
  g_free (line);
}

/* Part @i with its digests. */
static BoxPart
make_part (guint i)
{
  BoxPart part = {
    .id = (char *) "AB12", .offset = i * PART, .size = PART, .has_sha1 = TRUE, .has_sha512 = TRUE
  };

  part.sha512.bytes[63] = (guint8) (i + 1);
  return part;
}

static void
append_ahead (GString *journal, const char *session_id, guint i)
{
  BoxPart part = make_part (i);

  append (journal, box_journal_format_ahead (session_id, &part, 1000));
}

/* A recording that is sent ahead: parts 0 and 1 of a seed. */
static GString *
new_journal (void)
{
  GString *journal = g_string_new (NULL);
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("42", "a.mp4", NULL);
  BoxRecordingIntent intent = { .destination = destination, .padding = BOX_PADDING_NONE };
  g_autoptr (BoxSession) seed = new_session ("5EED");

  append (journal, box_journal_format_intent (&intent));
  append (journal, box_journal_format_seed (seed, SIZE));
  append_ahead (journal, "5EED", 0);
  append_ahead (journal, "5EED", 1);
  return journal;
}

static void
append_end (GString *journal)
{
  BoxRecordingEnd end = { .size = SIZE, .total = SIZE, .padding = BOX_PADDING_NONE };

  append (journal, box_journal_format_end (&end));
}

static BoxJournalState *
replay (GString *journal)
{
  g_autoptr (BoxJournalState) state = box_journal_replay (journal->str, journal->len);

  g_assert_false (state->damaged);
  return box_journal_state_copy (state);
}

static void
test_the_seed_and_its_parts_are_known (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;
  const BoxPart *part;

  append_end (journal);
  state = replay (journal);
  g_assert_cmpstr (state->seed->id, ==, "5EED");
  g_assert_cmpstr (state->seed->plan_url, ==, "https://upload.box.com/api/2.0/s/plan");
  g_assert_cmpuint (state->seed_size, ==, SIZE);
  g_assert_false (state->seed_spoiled);
  g_assert_null (state->session);
  g_assert_cmpuint (state->elsewhere->len, ==, 2);
  part = state->elsewhere->pdata[1];
  g_assert_cmpuint (part->offset, ==, PART);
  g_assert_true (part->has_sha512);
  g_assert_cmpint (part->sha512.bytes[63], ==, 2);
}

/* Its writer died: nobody knows what it wrote after the line. */
static void
test_without_an_end_digests_are_not_believed (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = replay (journal);

  g_assert_cmpuint (state->elsewhere->len, ==, 2);
  g_assert_false (((BoxPart *) state->elsewhere->pdata[0])->has_sha512);
}

static void
test_a_rewritten_part_is_of_no_use (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;

  append (journal, box_journal_format_rewritten (0));
  append_end (journal);
  state = replay (journal);
  g_assert_true (state->seed_spoiled);
  g_assert_cmpuint (state->elsewhere->len, ==, 1);
  g_assert_cmpuint (((BoxPart *) state->elsewhere->pdata[0])->offset, ==, PART);
}

static void
test_an_aborted_seed_is_forgotten (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;

  append (journal, box_journal_format_seed_aborted ());
  append_end (journal);
  state = replay (journal);
  g_assert_null (state->seed);
  g_assert_cmpuint (state->elsewhere->len, ==, 0);
}

/* Parts that the exact session got are its own; those of one that was lost may be found. */
static void
test_parts_of_a_lost_session_may_be_found (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxSession) lost = new_session ("105E"), session = new_session ("AAAA");
  g_autoptr (BoxJournalState) state = NULL;
  BoxPart part = make_part (2);

  append_end (journal);
  append (journal, box_journal_format_session (lost, SIZE));
  append (journal, box_journal_format_part ("105E", &part));
  append (journal, box_journal_format_session (session, SIZE));
  part = make_part (0);
  append (journal, box_journal_format_part ("AAAA", &part));
  state = replay (journal);
  g_assert_cmpstr (state->session->id, ==, "AAAA");
  g_assert_cmpuint (state->parts->len, ==, 1);
  g_assert_true (((BoxPart *) state->parts->pdata[0])->has_sha512);
  g_assert_cmpuint (state->elsewhere->len, ==, 3);
  g_assert_cmpuint (((BoxPart *) state->elsewhere->pdata[2])->offset, ==, 2 * PART);
}

/* Lines with a good checksum that make no sense. */
static void
test_nonsense_is_damage (void)
{
  static const char *const lines[] = {
    "{\"record\":\"ahead\",\"session\":\"0000\",\"id\":\"1\",\"offset\":0,\"size\":8388608}",
    "{\"record\":\"ahead\",\"session\":\"5EED\",\"id\":\"1\",\"offset\":0,\"size\":8388608,"
    "\"sha512\":\"00\"}",
    "{\"record\":\"ahead\",\"session\":\"5EED\",\"offset\":0,\"size\":8388608}",
    "{\"record\":\"seed\",\"size\":1}",
    "{\"record\":\"rewritten\"}",
    "{\"record\":\"rewritten\",\"offset\":-1}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autoptr (GString) journal = new_journal ();
      gsize length = strlen (lines[i]) - 1;
      g_autofree char *check =
          g_compute_checksum_for_data (G_CHECKSUM_SHA1, (const guchar *) lines[i], length);
      g_autoptr (BoxJournalState) state = NULL;

      g_string_append_printf (journal, "%.*s,\"check\":\"%.8s\"}\n", (int) length, lines[i], check);
      state = box_journal_replay (journal->str, journal->len);
      g_assert_true (state->damaged);
      g_assert_nonnull (state->intent);
    }
}

/* --- Accounts and sizes --------------------------------------------------------------------- */

static BoxClient *
new_client (const char *endpoint, const char *as_user)
{
  BoxClientSettings settings = { .endpoint = endpoint,
                                 .as_user = as_user,
                                 .access_token = "a-very-secret-token" };
  BoxClient *client = box_client_new (&settings, NULL);

  g_assert_nonnull (client);
  return client;
}

static void
test_each_account_has_its_note (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *below = g_build_filename (dir, "boxupload", NULL);
  g_autofree char *path = g_build_filename (below, "account.json", NULL);
  g_autoptr (BoxClient) one = new_client ("https://upload.box.com/api/2.0", NULL);
  g_autoptr (BoxClient) other = new_client ("https://upload.box.com/api/2.0", "77");
  g_autofree char *text = NULL;

  g_assert_cmpint (box_account_get_plan (path, one), ==, BOX_PLAN_SCOPE_UNKNOWN);
  g_assert_true (box_account_set_plan (path, one, BOX_PLAN_SCOPE_NONE, "settle", "why\nnot", NULL));
  g_assert_true (box_account_set_plan (path, other, BOX_PLAN_SCOPE_ACCOUNT, "probe", NULL, NULL));
  g_assert_cmpint (box_account_get_plan (path, one), ==, BOX_PLAN_SCOPE_NONE);
  g_assert_cmpint (box_account_get_plan (path, other), ==, BOX_PLAN_SCOPE_ACCOUNT);
  g_assert_true (box_account_set_plan (path, one, BOX_PLAN_SCOPE_FILE, "probe", NULL, NULL));
  g_assert_cmpint (box_account_get_plan (path, one), ==, BOX_PLAN_SCOPE_FILE);

  text = kit_read_text (path);
  g_assert_null (strstr (text, "secret"));
  g_assert_null (strstr (text, "why"));
  g_assert_true (g_file_set_contents (path, "[1, 2", -1, NULL));
  g_assert_cmpint (box_account_get_plan (path, one), ==, BOX_PLAN_SCOPE_UNKNOWN);
  g_assert_true (box_account_set_plan (path, one, BOX_PLAN_SCOPE_NONE, "settle", NULL, NULL));
  g_assert_cmpint (box_account_get_plan (path, one), ==, BOX_PLAN_SCOPE_NONE);
  kit_remove_directory (g_steal_pointer (&below));
  kit_remove_empty_directory (dir);
}

static void
test_each_folder_has_its_size (void)
{
  char *dir = kit_new_directory ();
  g_autofree char *path = g_build_filename (dir, "sizes.json", NULL);
  g_autoptr (BoxDestination) one = box_destination_new_folder ("0", "a", NULL);
  g_autoptr (BoxDestination) same = box_destination_new_folder ("0", "b", NULL);
  g_autoptr (BoxDestination) other = box_destination_new_folder ("7", "a", NULL);
  g_autoptr (BoxDestination) file = box_destination_new_file ("7", NULL);

  g_assert_cmpuint (box_history_get_size (dir, one), ==, 0);
  box_history_set_size (dir, one, 1000);
  box_history_set_size (dir, file, 5000);
  box_history_set_size (dir, one, 0);
  g_assert_cmpuint (box_history_get_size (dir, same), ==, 1000);
  g_assert_cmpuint (box_history_get_size (dir, other), ==, 0);
  g_assert_cmpuint (box_history_get_size (dir, file), ==, 5000);
  g_assert_true (g_file_set_contents (path, "{\"folder 0\": -3, \"file 7\": \"x\"}", -1, NULL));
  g_assert_cmpuint (box_history_get_size (dir, same), ==, 0);
  g_assert_cmpuint (box_history_get_size (dir, file), ==, 0);
  kit_remove_directory (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/journal-ahead/the-seed-and-its-parts-are-known",
                   test_the_seed_and_its_parts_are_known);
  g_test_add_func ("/journal-ahead/without-an-end-digests-are-not-believed",
                   test_without_an_end_digests_are_not_believed);
  g_test_add_func ("/journal-ahead/a-rewritten-part-is-of-no-use",
                   test_a_rewritten_part_is_of_no_use);
  g_test_add_func ("/journal-ahead/an-aborted-seed-is-forgotten",
                   test_an_aborted_seed_is_forgotten);
  g_test_add_func ("/journal-ahead/parts-of-a-lost-session-may-be-found",
                   test_parts_of_a_lost_session_may_be_found);
  g_test_add_func ("/journal-ahead/nonsense-is-damage", test_nonsense_is_damage);
  g_test_add_func ("/account/each-account-has-its-note", test_each_account_has_its_note);
  g_test_add_func ("/history/each-folder-has-its-size", test_each_folder_has_its_size);
  return g_test_run ();
}
