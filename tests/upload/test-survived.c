/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: what networks and servers do that an upload survives. Faults are
 * a table of scenarios.
 */
#include "kit/emulator.h"
#include "upload-fixture.h"

typedef struct
{
  const char *name;
  const char *rules;
  gboolean sent_once; /* no part's body may have arrived whole twice */
} Fault;

static const Fault faults[] = {
  { "a-token-refused", "{'route':'upload_part','nth':2,'do':'reply','at':'head','status':401}",
    TRUE },
  { "a-rate-limit",
    "{'route':'upload_part','nth':[1,2],'do':'reply','status':429,"
    "'headers':{'Retry-After':'1'}}",
    FALSE },
  { "a-rate-limit-before-the-body",
    "{'route':'upload_part','nth':[1,3],'do':'reply','at':'head','status':429,"
    "'headers':{'Retry-After':'1','Connection':'close'}}",
    TRUE },
  { "500", "{'route':'upload_part','nth':2,'do':'reply','status':500}", FALSE },
  { "500-though-stored", "{'route':'upload_part','nth':2,'do':'reply','at':'stored','status':500}",
    TRUE },
  { "520-though-stored", "{'route':'upload_part','nth':2,'do':'reply','at':'stored','status':520}",
    TRUE },
  { "damage-after-three-resets",
    "{'route':'upload_part','nth':[1,2,3,4,5,6,7,8,9],'do':'reset'},"
    "{'route':'upload_part','nth':10,'do':'reply','status':400,'json':{'code':'bad_digest'}}",
    FALSE },
  { "502-with-html",
    "{'route':'upload_part','nth':3,'do':'reply','status':502,"
    "'body':'<html>Bad Gateway</html>'}",
    FALSE },
  { "503", "{'route':'upload_part','nth':[1,2,3],'do':'reply','status':503}", FALSE },
  { "a-reset-before-a-part", "{'route':'upload_part','nth':2,'do':'reset'}", TRUE },
  { "a-reset-within-a-part",
    "{'route':'upload_part','nth':2,'do':'reset','at':'body','bytes':30000}", TRUE },
  { "an-answer-lost-after-the-part-was-stored",
    "{'route':'upload_part','nth':2,'do':'reset','at':'stored'}", TRUE },
  { "all-answers-lost-once", "{'route':'upload_part','nth':[1,2,3],'do':'reset','at':'stored'}",
    TRUE },
  { "garbage-instead-of-http",
    "{'route':'list_parts','nth':1,'do':'reply','status':500},"
    "{'route':'upload_part','nth':2,'do':'close','at':'stored'}",
    TRUE },
  { "an-answer-lost-of-a-part-that-no-list-shows",
    "{'route':'upload_part','nth':2,'do':'reset','at':'stored'},"
    "{'route':'list_parts','from':2,'do':'reply','status':200,'json':{'entries':[],'limit':1000}}",
    FALSE },
  { "an-open-that-fails-at-first", "{'route':'get_session','times':2,'do':'reply','status':503}",
    TRUE },
  { "a-commit-that-is-still-processed",
    "{'route':'commit','times':3,'do':'reply','status':202,'headers':{'Retry-After':'1'}}", TRUE },
  { "a-parts-mismatch-once",
    "{'route':'commit','times':1,'do':'reply','status':400,'json':{"
    "'type':'error','status':400,'code':'parts_mismatch','message':'No'}}",
    TRUE },
  { "a-commit-refused-for-its-rate",
    "{'route':'commit','times':1,'do':'reply','status':429,"
    "'headers':{'Retry-After':'1'}}",
    TRUE },
  { "a-commit-whose-answer-was-lost", "{'route':'commit','times':1,'do':'reset','at':'stored'}",
    TRUE },
  { "a-commit-lost-before-it-worked", "{'route':'commit','times':1,'do':'reset','at':'end'}",
    TRUE },
};

static void
test_fault (Fixture *f, gconstpointer data)
{
  const Fault *fault = data;
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "f.bin", 12 * PART + 5, &id);
  BoxUploadSettings settings = settings_for (f, destination, 12 * PART + 5);
  g_autoptr (GString) scenario = g_string_new (NULL);
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_string_printf (scenario, "{'rules':[%s]}", fault->rules);
  g_string_replace (scenario, "'", "\"", 0);
  kit_load_rules (f->emulator, scenario->str);
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "f.bin", settings.size);
  session = box_emulator_get_session (f->emulator, id);
  g_assert_cmpuint (session->n_commits, ==, 1);
  if (fault->sent_once)
    assert_sent_once (f, id);
}

/* Of a version session every further commit makes another version. */
static void
test_a_versions_commit_whose_answer_was_lost_makes_one_version (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20000000);
  g_autoptr (BoxEmulatorFile) file = NULL;

  kit_load_rules (
      f->emulator,
      "{\"rules\":[{\"route\":\"commit\",\"times\":2,\"do\":\"reset\",\"at\":\"stored\"}]}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 2);
}

static void
test_a_small_file_whose_answer_was_lost_is_stored_once (Fixture *f, gconstpointer data)
{
  kit_load_rules (
      f->emulator,
      "{\"rules\":[{\"route\":\"upload_file\",\"times\":1,\"do\":\"reset\",\"at\":\"stored\"}]}");
  upload_small (f, 100000);
}

static void
test_an_outage_is_told_when_it_begins_and_when_it_is_over (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = new_session (f, "o.bin", 20 * PART, &id);
  BoxUploadSettings settings = settings_for (f, destination, 20 * PART);

  settings.max_memory = 2 * settings.size;
  begin (f, &settings);
  g_assert_true (produce (f, 0, 10 * PART));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 4, KIT_PATIENCE_MS));
  box_emulator_set_down (f->emulator, TRUE);
  g_assert_true (produce (f, 10 * PART, settings.size));
  box_upload_finish (f->upload);
  g_mutex_lock (&f->mutex);
  while (f->outages == 0)
    g_cond_wait (&f->cond, &f->mutex);
  g_mutex_unlock (&f->mutex);
  box_emulator_set_down (f->emulator, FALSE);
  assert_done (f);
  assert_stored (f, "o.bin", settings.size);
  g_assert_cmpuint (f->recoveries, ==, f->outages);
}

static void
test_answers_that_ask_to_wait_are_no_outage (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "r.bin", 8 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 8 * PART);

  kit_load_rules (f->emulator,
                  "{\"rules\":[{\"route\":\"upload_part\",\"nth\":[1,2,3,4],\"do\":\"reply\","
                  "\"status\":429,\"headers\":{\"Retry-After\":\"1\"}}]}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  box_upload_finish (f->upload);
  assert_done (f);
  g_assert_cmpuint (f->retries, ==, 4);
  g_assert_cmpuint (f->outages, ==, 0);
}

static void
test_an_outage_beyond_the_retry_timeout_is_an_error (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "g.bin", 20 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 20 * PART);

  settings.retry_timeout = 1;
  box_emulator_set_down (f->emulator, TRUE);
  begin (f, &settings);
  assert_failed (f, BOX_ERROR_TRANSIENT);
}

#define ADD(path, func) g_test_add ("/upload/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-versions-commit-whose-answer-was-lost-makes-one-version",
       test_a_versions_commit_whose_answer_was_lost_makes_one_version);
  ADD ("a-small-file-whose-answer-was-lost-is-stored-once",
       test_a_small_file_whose_answer_was_lost_is_stored_once);
  ADD ("an-outage-is-told-when-it-begins-and-when-it-is-over",
       test_an_outage_is_told_when_it_begins_and_when_it_is_over);
  ADD ("answers-that-ask-to-wait-are-no-outage", test_answers_that_ask_to_wait_are_no_outage);
  ADD ("an-outage-beyond-the-retry-timeout-is-an-error",
       test_an_outage_beyond_the_retry_timeout_is_an_error);
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = g_strconcat ("/upload/survives/", faults[i].name, NULL);

      g_test_add (path, Fixture, &faults[i], set_up, test_fault, tear_down);
    }
  return g_test_run ();
}
