/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions of an earlier run that Box refuses in one way or another. */

#include <string.h>

#include "kit/emulator.h"
#include "kit/spool-kit.h"

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

/* How the session of an earlier run does not help: a rule for one of its routes. */
typedef struct
{
  const char *name;
  const char *rule;
} Useless;

#define USELESS(name, route, what)                                                                 \
  {                                                                                                \
    name, "[{'route':'" route "','do':'reply'," what "}]"                                          \
  }

static const Useless useless[] = {
  USELESS ("list-302", "list_parts", "'status':302,'headers':{'Location':'https://portal.test/'}"),
  USELESS ("list-400", "list_parts", "'status':400"),
  USELESS ("list-400-parameter", "list_parts", "'status':400,'json':{'code':'invalid_parameter'}"),
  USELESS ("list-403", "list_parts", "'status':403"),
  USELESS ("list-404", "list_parts", "'status':404"),
  USELESS ("list-405", "list_parts", "'status':405"),
  USELESS ("list-409", "list_parts", "'status':409"),
  USELESS ("list-410", "list_parts", "'status':410"),
  USELESS ("list-412", "list_parts", "'status':412"),
  USELESS ("list-413", "list_parts", "'status':413"),
  USELESS ("list-416", "list_parts", "'status':416"),
  USELESS ("list-416-range", "list_parts", "'status':416,'json':{'code':'invalid_range'}"),
  USELESS ("list-421", "list_parts", "'status':421"),
  USELESS ("list-422", "list_parts", "'status':422"),
  USELESS ("list-501", "list_parts", "'status':501"),
  USELESS ("list-505", "list_parts", "'status':505"),
  USELESS ("list-is-nonsense", "list_parts", "'status':200,'body':'no'"),
  USELESS ("list-has-another-grid", "list_parts",
           "'status':200,'json':{'entries':[{'part_id':'00','offset':0,'size':4096,'sha1':"
           "'0000000000000000000000000000000000000000'}],'limit':1000,'offset':0,'total_count':1}"),
  USELESS ("part-400", "upload_part", "'times':1,'status':400"),
  USELESS ("part-404", "upload_part", "'times':1,'status':404"),
  USELESS ("part-410", "upload_part", "'times':1,'status':410"),
  USELESS ("part-413", "upload_part", "'times':1,'status':413"),
  USELESS ("part-416-range", "upload_part",
           "'times':1,'status':416,"
           "'json':{'code':'invalid_range'}"),
  USELESS ("part-421", "upload_part", "'times':1,'status':421"),
  USELESS ("part-422", "upload_part", "'times':1,'status':422"),
  USELESS ("part-501", "upload_part", "'times':1,'status':501"),
  USELESS ("commit-400", "commit", "'times':1,'status':400"),
  USELESS ("commit-422", "commit", "'times':1,'status':422"),
};

/* Finishes the recording at @path; what can pass is tried for a second only. */
static GError *
recover_soon (Fixture *kit, const char *path)
{
  BoxRecoverySettings settings = { .client = kit->client, .retry_timeout = 1 };
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (BoxFile) file = NULL;
  GError *error = NULL;
  BoxRecovered how;

  recording = box_recording_open (path, &error);
  g_assert_no_error (error);
  box_recovery_run (recording, &settings, NULL, NULL, NULL, &how, &file, &error);
  return error;
}

static void
test_session_that_does_not_help_is_replaced (Fixture *kit, gconstpointer data)
{
  const Useless *useless_one = data;
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autoptr (BoxEmulatorSession) old = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  spool_kit_add_part (kit, recording, session, 0, SPOOL_KIT_SIZE);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  kit_load_rules (kit->emulator, useless_one->rule);
  error = recover_soon (kit, path);
  g_assert_no_error (error);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
  old = box_emulator_get_session (kit->emulator, session->id);
  /* A session that is refused once may work later. */
  if (strstr (useless_one->rule, "times") == NULL)
    g_assert_cmpint (old->state, !=, BOX_EMULATOR_SESSION_COMMITTED);
}

/* If another session cannot help, none is opened: the parts of the old one stay. */
static void
test_session_is_kept_where_another_could_not_help (Fixture *kit, gconstpointer data)
{
  const Useless *useless_one = data;
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autoptr (BoxEmulatorSession) old = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  kit_load_rules (kit->emulator, useless_one->rule);
  error = recover_soon (kit, path);
  g_assert_nonnull (error);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
  old = box_emulator_get_session (kit->emulator, session->id);
  g_assert_cmpint (old->state, ==, BOX_EMULATOR_SESSION_OPEN);
}

static const Useless kept_ones[] = {
  USELESS ("list-401", "list_parts", "'status':401"),
  USELESS ("list-429", "list_parts", "'status':429,'headers':{'Retry-After':'1'}"),
  USELESS ("list-500", "list_parts", "'status':500"),
  USELESS ("list-503", "list_parts", "'status':503"),
  USELESS ("list-407", "list_parts", "'status':407"),
  USELESS ("list-507", "list_parts", "'status':507"),
  USELESS ("part-storage-limit", "upload_part",
           "'status':403,'json':{'code':'storage_limit_exceeded'}"),
};

/* Parts are at Box for a week; an outage at the moment of resuming is no reason to send them
 * again. */
static void
test_session_outlives_a_resume_without_a_network (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  spool_kit_add_part (kit, recording, session, 0, SPOOL_KIT_SIZE);
  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  box_emulator_set_down (kit->emulator, TRUE);
  error = recover_soon (kit, path);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
  box_emulator_set_down (kit->emulator, FALSE);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "upload_part"), ==, 2);
}

/* The session vanishes while several of its parts are on their way: all go into the next one, and
 * none to the old one. */
static void
test_all_parts_go_into_the_session_that_replaces_one (Fixture *kit, gconstpointer data)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autoptr (BoxSession) session =
      spool_kit_open_session (kit, recording, "clip.mp4", SPOOL_KIT_SIZE);
  g_autofree char *rule = g_strdup_printf (
      RULE ({"route": "upload_part", "path": "*%s*", "from": 2, "do": "reply", "status": 404}),
            session->id);
  g_autoptr (BoxEmulatorSession) next = NULL;
  g_autoptr (GPtrArray) ids = NULL;
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  kit_load_rules (kit->emulator, rule);
  g_assert_cmpint (spool_kit_finish (kit, path), ==, BOX_RECOVERED_COMMITTED);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  ids = box_emulator_get_session_ids (kit->emulator);
  g_assert_cmpuint (ids->len, ==, 2);
  for (guint i = 0; i < ids->len; i++)
    if (!g_str_equal (ids->pdata[i], session->id))
      next = box_emulator_get_session (kit->emulator, ids->pdata[i]);
  g_assert_cmpint (next->state, ==, BOX_EMULATOR_SESSION_COMMITTED);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (next->received[i], ==, 1);
}

#define REFUSED(times)                                                                             \
  "[{'route':'commit','do':'reply'," times "'status':400,'json':{'code':'digest_mismatch'}}]"

/* Data: the rules. A recording that nobody has tried to upload before. */
static GError *
recover_new (Fixture *kit, gconstpointer rules)
{
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  BoxRecording *recording = spool_kit_record (kit, intent, SPOOL_KIT_SIZE);
  g_autofree char *path = NULL;

  spool_kit_end (recording);
  path = spool_kit_leave (recording);
  kit_load_rules (kit->emulator, rules);
  return recover_soon (kit, path);
}

static void
test_commit_that_is_refused_for_its_bytes_gets_another_session (Fixture *kit, gconstpointer rules)
{
  g_autoptr (GError) error = recover_new (kit, rules);

  g_assert_no_error (error);
  spool_kit_assert_stored (kit, "clip.mp4", SPOOL_KIT_SIZE);
  g_assert_cmpuint (box_emulator_count_files (kit->emulator), ==, 1);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 2);
  g_assert_cmpuint (kit_count_open_sessions (kit->emulator), ==, 0);
}

static void
test_commit_that_is_refused_again_gets_no_third_session (Fixture *kit, gconstpointer rules)
{
  g_autoptr (GError) error = recover_new (kit, rules);

  g_assert_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY);
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 2);
  g_assert_cmpuint (spool_kit_count (kit), ==, 1);
}

/* It has a part of something else, and no other session can take its place. */
static void
test_given_session_with_other_bytes_names_the_way_out (Fixture *kit, gconstpointer data)
{
  g_autofree char *id =
      box_emulator_add_session (kit->emulator, "0", "clip.mp4", NULL, SPOOL_KIT_SIZE);
  g_autoptr (BoxRecordingIntent) intent = spool_kit_intent ("clip.mp4");
  g_autofree guint8 *zeros = g_malloc0 (SPOOL_KIT_PART);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  box_destination_free (intent->destination);
  intent->destination = box_destination_new_session (id, NULL);
  intent->sizing = BOX_SIZING_EXACT;
  intent->size = SPOOL_KIT_SIZE;
  path = spool_kit_leave (spool_kit_record (kit, intent, SPOOL_KIT_SIZE));
  g_assert_true (box_emulator_add_part (kit->emulator, id, 0, zeros, (gsize) SPOOL_KIT_PART));
  error = recover_soon (kit, path);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY);
  g_assert_nonnull (strstr (error->message, "boxupload resume --spool-dir '"));
  g_assert_cmpuint (box_emulator_count (kit->emulator, "create_session"), ==, 0);
}

static void
add_session_tests (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (useless); i++)
    {
      g_autofree char *path = g_strconcat ("/recovery/useless-session/", useless[i].name, NULL);

      g_test_add (path, Fixture, &useless[i], set_up, test_session_that_does_not_help_is_replaced,
                  tear_down);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (kept_ones); i++)
    {
      g_autofree char *path = g_strconcat ("/recovery/kept-session/", kept_ones[i].name, NULL);

      g_test_add (path, Fixture, &kept_ones[i], set_up,
                  test_session_is_kept_where_another_could_not_help, tear_down);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_session_tests ();
  g_test_add ("/recovery/session-outlives-a-resume-without-a-network", Fixture, NULL, set_up,
              test_session_outlives_a_resume_without_a_network, tear_down);
  g_test_add ("/recovery/commit-that-is-refused-for-its-bytes-gets-another-session", Fixture,
              REFUSED ("'times':1,"), set_up,
              test_commit_that_is_refused_for_its_bytes_gets_another_session, tear_down);
  g_test_add ("/recovery/commit-that-is-refused-again-gets-no-third-session", Fixture, REFUSED (""),
              set_up, test_commit_that_is_refused_again_gets_no_third_session, tear_down);
  g_test_add ("/recovery/given-session-with-other-bytes-names-the-way-out", Fixture, NULL, set_up,
              test_given_session_with_other_bytes_names_the_way_out, tear_down);
  g_test_add ("/recovery/all-parts-go-into-the-session-that-replaces-one", Fixture, NULL, set_up,
              test_all_parts_go_into_the_session_that_replaces_one, tear_down);
  return g_test_run ();
}
