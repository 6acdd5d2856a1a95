/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file gets after its commit, whatever the process comes to between the two: the journals
 * here are those that a kill leaves behind at each step.
 */
#include "kit/spool-kit.h"

#include "kit/emulator.h"
#include "kit/pattern.h"

#include <string.h>

#define SIZE 12345

typedef SpoolKit Fixture;

static void
set_up (Fixture *kit, gconstpointer data)
{
  spool_kit_set_up (kit);
}

static void
tear_down (Fixture *kit, gconstpointer data)
{
  spool_kit_tear_down (kit);
}

static BoxRecordingIntent *
new_intent (void)
{
  BoxRecordingIntent *intent = spool_kit_intent ("clip.ts");

  intent->metadata = box_metadata_new_from_pairs (
      NULL, (const char *const[]){ "camera=3", "scene=one", NULL }, NULL);
  return intent;
}

static BoxRecording *
new_recording (Fixture *kit)
{
  g_autoptr (BoxRecordingIntent) intent = new_intent ();
  BoxRecording *recording = spool_kit_record (kit, intent, SIZE);

  spool_kit_end (recording);
  return recording;
}

/* The emulator has the file once, with one instance that was made once, and nothing is left. */
static void
assert_whole (Fixture *kit, const char *name)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (kit->emulator, "0", name);
  g_autoptr (JsonObject) instance = NULL;

  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, 1);
  instance = box_emulator_get_metadata (kit->emulator, file->id, "global/properties");
  g_assert_nonnull (instance);
  g_assert_cmpstr (json_object_get_string_member (instance, "camera"), ==, "3");
  g_assert_cmpstr (json_object_get_string_member (instance, "scene"), ==, "one");
  g_assert_cmpint (json_object_get_int_member (instance, "$version"), ==, 0);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
  g_assert_cmpuint (spool_kit_count (kit), ==, 0);
}

static void
test_recording_gets_its_metadata (Fixture *kit, gconstpointer data)
{
  g_autofree char *path = spool_kit_leave (new_recording (kit));

  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_whole (kit, "clip.ts");
}

/* The file as an earlier process committed it. */
static BoxFile *
commit_earlier (Fixture *kit)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autofree guint8 *bytes = g_malloc (SIZE);
  g_autofree char *id = NULL;
  BoxFile *file;

  kit_pattern_fill (0, bytes, SIZE);
  id = box_emulator_add_file (kit->emulator, "0", "clip.ts", bytes, SIZE);
  file = box_client_get_file (kit->client, transport, id, NULL, NULL);
  g_assert_nonnull (file);
  return file;
}

static void
give_metadata (Fixture *kit, const BoxFile *file)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxRecordingIntent) intent = new_intent ();

  g_assert_true (
      box_client_set_metadata (kit->client, transport, file->id, intent->metadata, NULL, NULL));
}

/* Where the earlier process was killed. */
typedef enum
{
  KILLED_COMMITTING, /* the commit was sent, and worked */
  KILLED_COMMITTED,  /* that is in the journal */
  KILLED_GIVEN,      /* the file has its metadata */
  KILLED_SETTLED,    /* that is in the journal, too */
  KILLED_CLEARING,   /* the data is gone */
} Killed;

static void
test_kill_leaves_one_instance (Fixture *kit, gconstpointer data)
{
  Killed killed = (Killed) GPOINTER_TO_INT (data);
  BoxRecording *recording = new_recording (kit);
  g_autoptr (BoxFile) file = commit_earlier (kit);
  g_autofree char *path = NULL;

  g_assert_true (box_recording_set_committing (recording, NULL));
  if (killed >= KILLED_COMMITTED)
    g_assert_true (box_recording_set_committed (recording, file, NULL));
  if (killed >= KILLED_GIVEN)
    give_metadata (kit, file);
  if (killed >= KILLED_SETTLED)
    g_assert_true (box_recording_set_settled (recording, NULL));
  if (killed >= KILLED_CLEARING)
    g_assert_true (box_recording_remove_data (recording, NULL));
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_whole (kit, "clip.ts");
}

/* The data has gone, the metadata is refused: only the journal is left, and says why. */
static void
assert_unsettled (Fixture *kit)
{
  g_autoptr (GPtrArray) list = box_spool_list (kit->spool, NULL);
  const BoxSpoolEntry *entry;

  g_assert_cmpuint (list->len, ==, 1);
  entry = g_ptr_array_index (list, 0);
  g_assert_cmpint (entry->status, ==, BOX_SPOOL_UNSETTLED);
  g_assert_cmpuint (entry->size, ==, 0);
  g_assert_nonnull (strstr (entry->state->failure, "scope"));
  g_assert_false (g_file_test (entry->data_path, G_FILE_TEST_EXISTS));
}

static void
test_refusal_is_kept_for_other_credentials (Fixture *kit, gconstpointer data)
{
  g_autofree char *path = spool_kit_leave (new_recording (kit));
  BoxRecovered how = BOX_RECOVERED_EMPTY;

  kit_load_rules (
      kit->emulator,
      RULE ({
          "route": "create_metadata",
          "times": 2,
          "do": "reply",
          "status": 403,
          "headers": { "WWW-Authenticate": "Bearer realm=\"S\", error=\"insufficient_scope\"" }
        }));
  for (guint i = 0; i < 2; i++)
    {
      how = spool_kit_finish (kit, path);
      g_assert_cmpint (how, ==, BOX_RECOVERED_UNSETTLED);
      spool_kit_assert_stored (kit, "clip.ts", SIZE);
      assert_unsettled (kit);
    }
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_whole (kit, "clip.ts");
}

static void
test_passing_failures_are_waited_for (Fixture *kit, gconstpointer data)
{
  g_autofree char *path = spool_kit_leave (new_recording (kit));

  kit_load_rules (kit->emulator, RULE ({ "route": "create_metadata", "times": 1, "do": "reset" },
                   { "route": "create_metadata", "nth": 2, "do": "reply", "at": "stored",
                     "status": 503 }));
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  assert_whole (kit, "clip.ts");
}

/* A version has the file's instance: what differs is changed. */
static void
test_version_changes_the_instance_of_the_file (Fixture *kit, gconstpointer data)
{
  g_autofree char *id = box_emulator_add_file (kit->emulator, "0", "clip.ts", "x", 1);
  g_autoptr (BoxRecordingIntent) intent = new_intent ();
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxMetadata) before = box_metadata_new_from_pairs (
      NULL, (const char *const[]){ "camera=2", "owner=me", NULL }, NULL);
  g_autoptr (JsonObject) instance = NULL;
  g_autofree char *path = NULL;
  BoxRecording *recording;

  g_assert_true (box_client_set_metadata (kit->client, transport, id, before, NULL, NULL));
  intent->if_exists = BOX_IF_EXISTS_VERSION;
  recording = spool_kit_record (kit, intent, SIZE);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  instance = box_emulator_get_metadata (kit->emulator, id, "global/properties");
  g_assert_cmpstr (json_object_get_string_member (instance, "camera"), ==, "3");
  g_assert_cmpstr (json_object_get_string_member (instance, "scene"), ==, "one");
  g_assert_cmpstr (json_object_get_string_member (instance, "owner"), ==, "me");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    Killed killed;
  } kills[] = {
    { "/unsettled/killed/committing", KILLED_COMMITTING },
    { "/unsettled/killed/committed", KILLED_COMMITTED },
    { "/unsettled/killed/given", KILLED_GIVEN },
    { "/unsettled/killed/settled", KILLED_SETTLED },
    { "/unsettled/killed/clearing", KILLED_CLEARING },
  };

  g_test_init (&argc, &argv, NULL);
#define ADD(path, function, data) g_test_add (path, Fixture, data, set_up, function, tear_down)
  ADD ("/unsettled/recording", test_recording_gets_its_metadata, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kills); i++)
    ADD (kills[i].path, test_kill_leaves_one_instance, GINT_TO_POINTER (kills[i].killed));
  ADD ("/unsettled/refused", test_refusal_is_kept_for_other_credentials, NULL);
  ADD ("/unsettled/passing", test_passing_failures_are_waited_for, NULL);
  ADD ("/unsettled/version", test_version_changes_the_instance_of_the_file, NULL);
#undef ADD
  return g_test_run ();
}
