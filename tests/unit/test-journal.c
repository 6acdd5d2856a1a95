/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/journal.h"

#include <string.h>

#define SIZE G_GUINT64_CONSTANT (20000000)
#define PART G_GUINT64_CONSTANT (8388608)

static BoxRecordingIntent *
new_intent (void)
{
  BoxRecordingIntent *intent = g_new0 (BoxRecordingIntent, 1);

  intent->destination = box_destination_new_folder ("42", "Süd \"1\".mp4", NULL);
  intent->sizing = BOX_SIZING_RESERVE;
  intent->size = SIZE;
  intent->padding = BOX_PADDING_MP4;
  intent->if_exists = BOX_IF_EXISTS_RENAME;
  intent->commit = TRUE;
  intent->description = g_strdup ("line\nbreak");
  intent->created = 1795000000;
  return intent;
}

static BoxSession *
new_session (const char *id)
{
  BoxSession *session = g_new0 (BoxSession, 1);

  session->id = g_strdup (id);
  session->part_size = PART;
  session->total_parts = 3;
  session->expires_at = g_date_time_new_utc (2026, 12, 1, 0, 0, 0);
  session->upload_part_url = g_strdup_printf ("https://upload.box.com/api/2.0/s/%s", id);
  session->commit_url = g_strdup_printf ("https://upload.box.com/api/2.0/s/%s/commit", id);
  session->abort_url = g_strdup_printf ("https://upload.box.com/api/2.0/s/%s", id);
  session->list_parts_url = g_strdup_printf ("https://upload.box.com/api/2.0/s/%s/parts", id);
  session->status_url = g_strdup_printf ("https://upload.box.com/api/2.0/s/%s", id);
  return session;
}

/* Takes @line. */
static void
append (GString *journal, char *line)
{
  g_string_append (journal, line);
  g_free (line);
}

static void
append_part (GString *journal, const char *session_id, guint64 offset, guint64 size)
{
  BoxPart part = { .id = (char *) "AB12", .offset = offset, .size = size, .has_sha1 = TRUE };

  part.sha1.bytes[3] = (guint8) offset;
  append (journal, box_journal_format_part (session_id, &part));
}

/* The life of a recording until its commit begins. */
static GString *
new_journal (void)
{
  GString *journal = g_string_new (NULL);
  g_autoptr (BoxRecordingIntent) intent = new_intent ();
  g_autoptr (BoxSession) old = new_session ("OLD1"), session = new_session ("NEW2");
  BoxRecordingEnd end = {
    .size = SIZE - 1000, .total = SIZE, .padding = BOX_PADDING_MP4, .has_sha1 = TRUE
  };

  append (journal, box_journal_format_intent (intent));
  append (journal, box_journal_format_session (old, SIZE));
  append_part (journal, "OLD1", 0, PART);
  append (journal, box_journal_format_session (session, SIZE));
  append_part (journal, "NEW2", 2 * PART, SIZE - 2 * PART);
  append_part (journal, "NEW2", 0, PART);
  append (journal, box_journal_format_end (&end));
  append (journal, box_journal_format_committing ());
  return journal;
}

static BoxJournalState *
replay (GString *journal)
{
  return box_journal_replay (journal->str, journal->len);
}

/* Invariants of the state that even a broken journal must keep. */
static void
check_invariants (const BoxJournalState *state, gsize length)
{
  g_assert_cmpuint (state->valid_length, <=, length);
  g_assert_true (state->session != NULL || state->parts->len == 0);
  g_assert_true (state->file != NULL || !state->kept);
  for (guint i = 0; i < state->parts->len; i++)
    {
      BoxPart *part = state->parts->pdata[i];

      g_assert_cmpuint (part->offset % state->session->part_size, ==, 0);
      g_assert_cmpuint (part->offset + part->size, <=, state->session_size);
      if (i > 0)
        g_assert_cmpuint (part->offset, >, ((BoxPart *) state->parts->pdata[i - 1])->offset);
    }
  if (state->ended)
    g_assert_cmpuint (state->end.size, <=, state->end.total);
}

static void
test_what_was_written_is_read_back (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;
  BoxFile file = { .id = (char *) "77", .has_size = TRUE, .size = SIZE, .has_sha1 = TRUE };
  BoxPart *last;

  append (journal, box_journal_format_committed (&file));
  state = replay (journal);
  check_invariants (state, journal->len);
  g_assert_false (state->damaged);
  g_assert_false (state->torn);
  g_assert_cmpuint (state->valid_length, ==, journal->len);
  g_assert_cmpstr (state->intent->destination->name, ==, "Süd \"1\".mp4");
  g_assert_cmpstr (state->intent->description, ==, "line\nbreak");
  g_assert_cmpint (state->intent->sizing, ==, BOX_SIZING_RESERVE);
  g_assert_cmpint (state->intent->if_exists, ==, BOX_IF_EXISTS_RENAME);
  g_assert_cmpstr (state->session->id, ==, "NEW2");
  g_assert_cmpstr (state->session->commit_url, ==, "https://upload.box.com/api/2.0/s/NEW2/commit");
  g_assert_cmpuint (state->parts->len, ==, 2);
  last = state->parts->pdata[1];
  g_assert_cmpuint (last->offset, ==, 2 * PART);
  g_assert_true (last->has_sha1 && last->sha1.bytes[3] == (guint8) (2 * PART));
  g_assert_true (state->ended && state->commit_begun);
  g_assert_cmpuint (state->end.size, ==, SIZE - 1000);
  g_assert_cmpint (state->end.padding, ==, BOX_PADDING_MP4);
  g_assert_cmpstr (state->file->id, ==, "77");
}

/* Cut off at a byte, a journal says what its whole lines say, and no more. */
static void
test_truncation_anywhere_keeps_the_whole_lines (void)
{
  g_autoptr (GString) journal = new_journal ();

  for (gsize length = 0; length <= journal->len; length++)
    {
      g_autofree char *cut = g_memdup2 (journal->str, length + 1);
      g_autoptr (BoxJournalState) state = box_journal_replay (cut, length);
      const char *newline = g_strrstr_len (journal->str, (gssize) length, "\n");
      gsize whole = newline != NULL ? (gsize) (newline - journal->str) + 1 : 0;

      check_invariants (state, length);
      g_assert_false (state->damaged);
      g_assert_cmpuint (state->valid_length, ==, whole);
      g_assert_cmpint (state->torn, ==, whole < length);
      g_assert_true ((state->intent != NULL) == (whole > 0));
    }
}

/* Any flipped bit is noticed: as damage, or as a torn tail if it hit the last newline.
 * Everything that is still believed was written. */
static void
test_every_flipped_bit_is_noticed (void)
{
  g_autoptr (GString) journal = new_journal ();

  for (gsize at = 0; at < journal->len; at++)
    for (guint bit = 0; bit < 8; bit++)
      {
        g_autoptr (BoxJournalState) state = NULL;

        journal->str[at] ^= (char) (1 << bit);
        state = replay (journal);
        check_invariants (state, journal->len);
        g_assert_true (state->damaged || state->torn);
        g_assert_null (state->file);
        if (state->intent != NULL)
          g_assert_cmpstr (state->intent->destination->folder_id, ==, "42");
        if (state->ended)
          g_assert_cmpuint (state->end.size, ==, SIZE - 1000);
        journal->str[at] ^= (char) (1 << bit);
      }
}

static void
test_lost_lines_never_mix_sessions (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_auto (GStrv) lines = g_strsplit (journal->str, "\n", -1);

  for (guint lost = 0; lines[lost + 1] != NULL; lost++)
    {
      g_autoptr (GString) rest = g_string_new (NULL);
      g_autoptr (BoxJournalState) state = NULL;

      for (guint i = 0; lines[i + 1] != NULL; i++)
        if (i != lost)
          g_string_append_printf (rest, "%s\n", lines[i]);
      state = replay (rest);
      check_invariants (state, rest->len);
      if (state->session != NULL && strcmp (state->session->id, "OLD1") == 0)
        {
          g_assert_cmpuint (state->parts->len, ==, 1);
          g_assert_true (state->damaged);
        }
    }
}

/* Lines with a right checksum and wrong content, as a hostile hand would write them. */
typedef struct
{
  const char *name;
  const char *json; /* without its last brace and its checksum */
} Hostile;

static const Hostile hostile[] = {
  { "part-beyond-the-end",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":25165824,"
    "\"size\":8388608" },
  { "part-off-the-grid",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":5,\"size\":8388608" },
  { "part-too-long",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":8388608,\"size\":16777216" },
  { "part-huge",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":9223372036854775807,"
    "\"size\":9223372036854775807" },
  { "part-negative",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":-8388608,\"size\":8388608" },
  { "part-of-strings", "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":\"0\","
                       "\"size\":\"8388608\"" },
  { "part-with-a-bad-sha1",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"id\":\"A\",\"offset\":8388608,"
    "\"size\":8388608,\"sha1\":\"zz\"" },
  { "part-without-id",
    "{\"record\":\"part\",\"session\":\"NEW2\",\"offset\":8388608,\"size\":8388608" },
  { "part-of-another-session",
    "{\"record\":\"part\",\"session\":\"X\",\"id\":\"A\",\"offset\":8388608,\"size\":8388608" },
  { "session-null", "{\"record\":\"session\",\"size\":20000000,\"session\":null" },
  { "session-of-another-size", "{\"record\":\"session\",\"size\":1,\"session\":{\"id\":\"A\"}" },
  { "end-shorter-in-total", "{\"record\":\"end\",\"size\":10,\"total\":5,\"padding\":\"none\"" },
  { "end-with-a-gap-too-small",
    "{\"record\":\"end\",\"size\":10,\"total\":12,\"padding\":\"mp4\"" },
  { "end-with-unknown-padding", "{\"record\":\"end\",\"size\":10,\"total\":12,\"padding\":\"x\"" },
  { "another-end", "{\"record\":\"end\",\"size\":10,\"total\":10,\"padding\":\"none\"" },
  { "another-intent",
    "{\"record\":\"recording\",\"version\":1,\"created\":1,\"file\":\"1\",\"sizing\":"
    "\"spool\",\"padding\":\"none\",\"size\":0,\"if-exists\":\"error\",\"commit\":true" },
  { "committed-without-id", "{\"record\":\"committed\",\"sha1\":null" },
  { "kept-without-a-file", "{\"record\":\"kept\"" },
  { "live-for-nothing", "{\"record\":\"live\"" },
  { "redirected-to-nothing", "{\"record\":\"redirected\",\"if-exists\":\"error\"" },
  { "redirected-to-a-session",
    "{\"record\":\"redirected\",\"session\":\"NEW2\",\"if-exists\":\"error\"" },
  { "redirected-with-an-unknown-policy",
    "{\"record\":\"redirected\",\"folder\":\"1\",\"name\":\"a\",\"if-exists\":\"x\"" },
  { "redirected-to-a-path",
    "{\"record\":\"redirected\",\"folder\":\"1\",\"name\":\"a/b\",\"if-exists\":\"error\"" },
  { "failed-for-no-reason", "{\"record\":\"failed\",\"time\":1" },
  { "no-record", "{\"part\":1" },
  { "record-is-an-object", "{\"record\":{\"a\":1}" },
};

static void
append_hostile (GString *journal, const char *json)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA1, json, -1);

  g_string_append_printf (journal, "%s,\"check\":\"%.8s\"}\n", json, sum);
}

static void
test_hostile_line_is_refused (gconstpointer data)
{
  const Hostile *line = data;
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;

  append_hostile (journal, line->json);
  state = replay (journal);
  check_invariants (state, journal->len);
  g_assert_true (state->damaged);
  g_assert_null (state->file);
  g_assert_cmpstr (state->intent->destination->folder_id, ==, "42");
  g_assert_cmpuint (state->parts->len, <=, 2);
}

static void
test_another_destination_begins_anew_and_remembers_a_commit (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxDestination) other = box_destination_new_folder ("43", "b.mp4", NULL);
  g_autoptr (BoxDestination) third = box_destination_new_file ("77", NULL);
  g_autoptr (BoxJournalState) state = NULL;
  const BoxDestination *earlier;

  append (journal, box_journal_format_redirected (other, BOX_IF_EXISTS_ERROR));
  append (journal, box_journal_format_redirected (third, BOX_IF_EXISTS_VERSION));
  state = replay (journal);
  check_invariants (state, journal->len);
  g_assert_false (state->damaged || state->commit_begun);
  g_assert_cmpstr (state->intent->destination->file_id, ==, "77");
  g_assert_cmpint (state->intent->if_exists, ==, BOX_IF_EXISTS_VERSION);
  g_assert_cmpstr (state->intent->description, ==, "line\nbreak");
  g_assert_null (state->session);
  g_assert_cmpuint (state->earlier->len, ==, 1);
  earlier = state->earlier->pdata[0];
  g_assert_cmpstr (earlier->folder_id, ==, "42");
}

/* What it was for may have a file, wherever the recording goes afterwards. */
static void
test_live_request_is_read_back (void)
{
  g_autoptr (BoxDestination) target = box_destination_new_folder ("42", "a (1).mp4", NULL);
  g_autoptr (BoxDestination) other = box_destination_new_file ("77", NULL);
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL, copy = NULL, redirected = NULL;
  guint before;

  state = replay (journal);
  before = state->earlier->len;
  g_assert_null (state->live);
  append (journal, box_journal_format_live (target));
  box_journal_state_free (state);
  state = replay (journal);
  copy = box_journal_state_copy (state);
  g_assert_false (copy->damaged);
  g_assert_true (copy->commit_begun);
  g_assert_cmpstr (copy->live->name, ==, "a (1).mp4");

  append (journal, box_journal_format_redirected (other, BOX_IF_EXISTS_ERROR));
  redirected = replay (journal);
  check_invariants (redirected, journal->len);
  g_assert_false (redirected->commit_begun);
  g_assert_null (redirected->live);
  g_assert_cmpuint (redirected->earlier->len, ==, before + 2);
}

static void
test_what_stays_and_why_is_read_back (void)
{
  g_autoptr (GString) journal = new_journal ();
  BoxFile file = { .id = (char *) "77" };
  g_autoptr (BoxJournalState) state = NULL;
  g_autoptr (BoxJournalState) copy = NULL;

  append (journal, box_journal_format_failed ("first", 1));
  append (journal, box_journal_format_failed ("the \"name\"\nis taken", 1795000001));
  append (journal, box_journal_format_committed (&file));
  append (journal, box_journal_format_kept ());
  state = replay (journal);
  copy = box_journal_state_copy (state);
  g_assert_false (state->damaged);
  g_assert_true (copy->kept);
  g_assert_cmpstr (copy->failure, ==, "the \"name\"\nis taken");
  g_assert_cmpint (copy->failed_at, ==, 1795000001);
}

static void
test_nesting_and_length_are_limited (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (GString) deep = g_string_new ("{\"record\":\"part\",\"a\":");
  g_autoptr (GString) wide = g_string_new ("{\"record\":\"part\",\"a\":\"");
  g_autoptr (BoxJournalState) state = NULL;

  for (guint i = 0; i < 50000; i++)
    g_string_append_c (deep, '[');
  for (guint i = 0; i < 5000000; i++)
    g_string_append_c (wide, 'a');
  g_string_append_c (wide, '"');
  append_hostile (journal, deep->str);
  append_hostile (journal, wide->str);
  state = replay (journal);
  check_invariants (state, journal->len);
  g_assert_true (state->damaged);
  g_assert_true (state->commit_begun);
}

static void
test_another_format_is_named_and_not_interpreted (void)
{
  g_autoptr (GString) journal = g_string_new (NULL);
  g_autoptr (BoxJournalState) state = NULL;

  append_hostile (journal, "{\"record\":\"recording\",\"version\":9,\"file\":\"1\"");
  append (journal, box_journal_format_committing ());
  state = replay (journal);
  g_assert_cmpuint (state->foreign_version, ==, 9);
  g_assert_null (state->intent);
  g_assert_false (state->commit_begun);
}

static void
test_unknown_records_are_passed_over (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;

  append_hostile (journal, "{\"record\":\"weather\",\"size\":1");
  state = replay (journal);
  g_assert_false (state->damaged);
  g_assert_true (state->ended);
}

static void
test_a_part_told_twice_counts_once (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL, copy = NULL;

  append_part (journal, "NEW2", 0, PART);
  append_part (journal, "NEW2", PART, PART);
  append_part (journal, "NEW2", 0, PART);
  state = replay (journal);
  check_invariants (state, journal->len);
  g_assert_cmpuint (state->parts->len, ==, 3);
  copy = box_journal_state_copy (state);
  g_assert_cmpuint (copy->parts->len, ==, 3);
}

static void
test_random_bytes_are_harmless (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint round = 0; round < 2000; round++)
    {
      g_autoptr (GString) journal = new_journal ();
      g_autoptr (BoxJournalState) state = NULL;

      for (gint i = g_rand_int_range (random, 1, 60); i > 0; i--)
        journal->str[g_rand_int_range (random, 0, (gint32) journal->len)] =
            "\n{}[],:\"0\0a\xff"[g_rand_int_range (random, 0, 12)];
      state = replay (journal);
      check_invariants (state, journal->len);
    }
}

static void
set_path (BoxRecordingIntent *intent, gboolean create)
{
  static const char *const names[] = { "Archive", "Kamera \"3\"", NULL };

  box_destination_free (intent->destination);
  intent->destination = box_destination_new_in_path ("42", names, create, "a.mp4", NULL);
}

static void
test_path_and_its_folder_are_read_back (void)
{
  for (guint create = 0; create < 2; create++)
    {
      g_autoptr (GString) journal = g_string_new (NULL);
      g_autoptr (BoxRecordingIntent) intent = new_intent ();
      g_autoptr (BoxJournalState) state = NULL, copy = NULL;

      set_path (intent, create != 0);
      append (journal, box_journal_format_intent (intent));
      append (journal, box_journal_format_folder ("77"));
      append (journal, box_journal_format_folder ("78"));
      state = replay (journal);
      copy = box_journal_state_copy (state);
      g_assert_false (copy->damaged);
      g_assert_true (box_destination_is_same_name (copy->intent->destination, intent->destination));
      g_assert_cmpint (copy->intent->destination->no_create, ==, create == 0);
      g_assert_cmpstr (copy->folder_id, ==, "78");
    }
}

/* A version that knows no paths would upload into the folder above. */
static void
test_path_makes_the_journal_of_a_later_format (void)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ();
  g_autofree char *plain = box_journal_format_intent (intent);
  g_autofree char *with_path = NULL;

  set_path (intent, TRUE);
  with_path = box_journal_format_intent (intent);
  g_assert_nonnull (strstr (plain, "\"version\":1,"));
  g_assert_nonnull (strstr (with_path, "\"version\":2,"));
}

/* Where it may have been committed is known by the folder, whatever its path leads to now. */
static void
test_redirected_path_leaves_its_folder_behind (void)
{
  g_autoptr (GString) journal = g_string_new (NULL);
  g_autoptr (BoxRecordingIntent) intent = new_intent ();
  g_autoptr (BoxDestination) other = box_destination_new_folder ("9", "b.mp4", NULL);
  g_autoptr (BoxJournalState) state = NULL;
  const BoxDestination *earlier;

  set_path (intent, TRUE);
  append (journal, box_journal_format_intent (intent));
  append (journal, box_journal_format_folder ("77"));
  append (journal, box_journal_format_committing ());
  append (journal, box_journal_format_redirected (other, BOX_IF_EXISTS_ERROR));
  state = replay (journal);
  g_assert_false (state->damaged);
  g_assert_null (state->folder_id);
  g_assert_cmpuint (state->earlier->len, ==, 1);
  earlier = g_ptr_array_index (state->earlier, 0);
  g_assert_null (earlier->path);
  g_assert_cmpstr (earlier->folder_id, ==, "77");
  g_assert_cmpstr (earlier->name, ==, "a.mp4");
}

static void
test_folder_that_is_no_id_is_not_believed (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;

  append (journal, box_journal_format_folder ("../7"));
  state = replay (journal);
  g_assert_true (state->damaged);
  g_assert_null (state->folder_id);
}

static void
test_metadata_is_read_back (void)
{
  g_autoptr (GString) journal = g_string_new (NULL);
  g_autoptr (BoxRecordingIntent) intent = new_intent ();
  g_autoptr (BoxJournalState) before = NULL, after = NULL;
  BoxFile file = { .id = (char *) "12" };

  intent->metadata = box_metadata_new_from_pairs (
      "enterprise.scene", (const char *const[]){ "take:=7", "tags:=[\"a\"]", NULL }, NULL);
  append (journal, box_journal_format_intent (intent));
  append (journal, box_journal_format_committed (&file));
  before = replay (journal);
  g_assert_false (before->damaged);
  g_assert_true (box_journal_is_unsettled (before));
  g_assert_cmpstr (box_metadata_get_template (before->intent->metadata), ==, "enterprise.scene");
  g_assert_cmpint (
      json_object_get_int_member (box_metadata_get_values (before->intent->metadata), "take"), ==,
      7);
  append (journal, box_journal_format_settled ());
  after = replay (journal);
  g_assert_false (after->damaged);
  g_assert_false (box_journal_is_unsettled (after));
  g_assert_nonnull (strstr (journal->str, "\"version\":2,"));
}

/* Before a commit there is nothing to settle. */
static void
test_settled_before_the_commit_makes_no_sense (void)
{
  g_autoptr (GString) journal = new_journal ();
  g_autoptr (BoxJournalState) state = NULL;

  append (journal, box_journal_format_settled ());
  state = replay (journal);
  g_assert_true (state->damaged);
  g_assert_false (state->settled);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/journal/what-was-written-is-read-back", test_what_was_written_is_read_back);
  g_test_add_func ("/journal/truncation-anywhere-keeps-the-whole-lines",
                   test_truncation_anywhere_keeps_the_whole_lines);
  g_test_add_func ("/journal/every-flipped-bit-is-noticed", test_every_flipped_bit_is_noticed);
  g_test_add_func ("/journal/lost-lines-never-mix-sessions", test_lost_lines_never_mix_sessions);
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autofree char *path = g_strdup_printf ("/journal/hostile/%s", hostile[i].name);

      g_test_add_data_func (path, &hostile[i], test_hostile_line_is_refused);
    }
  g_test_add_func ("/journal/another-destination-begins-anew",
                   test_another_destination_begins_anew_and_remembers_a_commit);
  g_test_add_func ("/journal/live-request-is-read-back", test_live_request_is_read_back);
  g_test_add_func ("/journal/what-stays-and-why", test_what_stays_and_why_is_read_back);
  g_test_add_func ("/journal/nesting-and-length-are-limited", test_nesting_and_length_are_limited);
  g_test_add_func ("/journal/another-format-is-named-and-not-interpreted",
                   test_another_format_is_named_and_not_interpreted);
  g_test_add_func ("/journal/unknown-records-are-passed-over",
                   test_unknown_records_are_passed_over);
  g_test_add_func ("/journal/a-part-told-twice-counts-once", test_a_part_told_twice_counts_once);
  g_test_add_func ("/journal/random-bytes-are-harmless", test_random_bytes_are_harmless);
  g_test_add_func ("/journal/path-and-its-folder-are-read-back",
                   test_path_and_its_folder_are_read_back);
  g_test_add_func ("/journal/path-makes-the-journal-of-a-later-format",
                   test_path_makes_the_journal_of_a_later_format);
  g_test_add_func ("/journal/redirected-path-leaves-its-folder-behind",
                   test_redirected_path_leaves_its_folder_behind);
  g_test_add_func ("/journal/folder-that-is-no-id-is-not-believed",
                   test_folder_that_is_no_id_is_not_believed);
  g_test_add_func ("/journal/metadata-is-read-back", test_metadata_is_read_back);
  g_test_add_func ("/journal/settled-before-the-commit-makes-no-sense",
                   test_settled_before_the_commit_makes_no_sense);
  return g_test_run ();
}
