/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: commits and one-request uploads that took effect although they
 * were answered otherwise, at once or late, and what others did to the file meanwhile. However it
 * goes, there is one file, or one new version.
 */
#include "upload-fixture.h"

#include "kit/pattern.h"

#define SMALL 1000
#define LARGE 20000000

typedef struct
{
  const char *name;
  const char *rule;
  gboolean late;
} Answered;

/* The request is done, and answered as if it were not; or it is answered, and done when the file
 * has been looked for, or when the repeated request has been done. */
static const Answered answered[] = {
  { "408", "'do':'reply','at':'stored','status':408" },
  { "429", "'do':'reply','at':'stored','status':429,'headers':{'Retry-After':'1'}" },
  { "503", "'do':'reply','at':'stored','status':503" },
  { "nothing", "'do':'reset','at':'stored'" },
  { "408-and-late", "'do':'reply','status':408,'later':{'requests':1}", TRUE },
  { "429-and-late", "'do':'reply','status':429,'later':{'requests':1}", TRUE },
  { "503-and-late", "'do':'reply','status':503,'later':{'requests':1}", TRUE },
  { "silence-and-late", "'do':'hold','later':{'requests':1}", TRUE },
  { "503-and-later-than-the-next", "'do':'reply','status':503,'later':{'requests':2}", TRUE },
  { "nothing-and-later-than-the-next", "'do':'reset','later':{'requests':2}", TRUE },
};

static void
load_for (Fixture *f, const char *routes, const char *rule)
{
  g_autofree char *text = g_strdup_printf ("{'route':[%s],'times':1,%s}", routes, rule);

  load (f, text);
}

static void
assert_versions (Fixture *f, const char *file_id, guint n)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_get_file (f->emulator, file_id);

  g_assert_cmpuint (file->n_versions, ==, n);
}

static void
run_and_wait_for_effects (Fixture *f, const Answered *answer, const BoxUploadSettings *settings)
{
  run_to_the_end (f, settings);
  assert_done (f);
  g_assert_true (box_emulator_wait_late (f->emulator, answer->late ? 1 : 0, KIT_PATIENCE_MS));
}

static void
upload_version (Fixture *f, const Answered *answer, guint64 size)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);

  load_for (f, "'commit','upload_version'", answer->rule);
  run_and_wait_for_effects (f, answer, &settings);
  assert_versions (f, file_id, 2);
}

static void
upload_file (Fixture *f, const Answered *answer, guint64 size)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "n.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);

  load_for (f, "'commit','upload_file'", answer->rule);
  run_and_wait_for_effects (f, answer, &settings);
  assert_stored (f, "n.bin", size);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
}

static void
test_version (Fixture *f, gconstpointer data)
{
  upload_version (f, data, LARGE);
}

static void
test_small_version (Fixture *f, gconstpointer data)
{
  upload_version (f, data, SMALL);
}

static void
test_file (Fixture *f, gconstpointer data)
{
  upload_file (f, data, LARGE);
}

static void
test_small_file (Fixture *f, gconstpointer data)
{
  upload_file (f, data, SMALL);
}

/* --- What others did meanwhile --- */

/* Whatever they did before the commit: it is made, once, and theirs stays. */
static void
test_a_version_of_theirs_before_the_commit_does_not_refuse_ours (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, LARGE);
  g_autoptr (BoxEmulatorFile) file = NULL;

  begin (f, &settings);
  g_assert_true (produce (f, 0, settings.size));
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", 1, KIT_PATIENCE_MS));
  add_version (f, file_id, "theirs");
  box_upload_finish (f->upload);
  assert_done (f);
  file = box_emulator_get_file (f->emulator, file_id);
  g_assert_cmpuint (file->n_versions, ==, 3);
  g_assert_cmpuint (file->size, ==, settings.size);
}

/* The commit works, its answer is held; then they make a version of theirs, and the answer is lost.
 */
static void
commit_then_theirs (Fixture *f, const BoxUploadSettings *settings, const char *file_id)
{
  g_autofree char *id = g_strdup (file_id);

  load (f, "{'route':['commit','upload_file','upload_version'],'times':1,'do':'hold',"
           "'at':'stored','name':'gate'},"
           "{'route':['commit','upload_file','upload_version'],'times':1,'do':'reset',"
           "'at':'stored'}");
  run_to_the_end (f, settings);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  if (id == NULL)
    {
      g_autoptr (BoxEmulatorFile) file =
          box_emulator_find_file (f->emulator, "0", settings->destination->name);

      id = g_strdup (file->id);
    }
  add_version (f, id, "theirs");
  box_emulator_release (f->emulator, "gate");
  assert_done (f);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
}

/* The upload reports our own version, in the right file. */
static void
assert_made_our_version (Fixture *f, const char *file_id)
{
  g_autoptr (BoxFile) made = box_upload_get_file (f->upload);
  g_autoptr (BoxEmulatorFile) newest = box_emulator_get_file (f->emulator, file_id);

  g_assert_cmpstr (made->id, ==, file_id);
  g_assert_nonnull (made->version_id);
  g_assert_cmpstr (made->version_id, !=, newest->version_id);
}

static void
version_followed (Fixture *f, guint64 size)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);

  commit_then_theirs (f, &settings, file_id);
  assert_versions (f, file_id, 3);
  assert_made_our_version (f, file_id);
}

static void
test_a_version_that_theirs_followed (Fixture *f, gconstpointer data)
{
  version_followed (f, LARGE);
}

static void
test_a_small_version_that_theirs_followed (Fixture *f, gconstpointer data)
{
  version_followed (f, SMALL);
}

static void
file_followed (Fixture *f, guint64 size, BoxIfExists if_exists)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "n.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);
  g_autoptr (BoxEmulatorFile) file = NULL;

  settings.if_exists = if_exists;
  commit_then_theirs (f, &settings, NULL);
  file = box_emulator_find_file (f->emulator, "0", "n.bin");
  assert_versions (f, file->id, 2);
  assert_made_our_version (f, file->id);
}

static void
test_a_file_that_theirs_followed (Fixture *f, gconstpointer data)
{
  file_followed (f, LARGE, BOX_IF_EXISTS_ERROR);
}

static void
test_a_small_file_that_theirs_followed (Fixture *f, gconstpointer data)
{
  file_followed (f, SMALL, BOX_IF_EXISTS_RENAME);
}

/* The commit works, the file is renamed, and the answer is lost. */
static void
file_renamed (Fixture *f, guint64 size)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "n.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);
  g_autoptr (BoxFile) made = NULL;

  load (f, "{'route':['commit','upload_file'],'nth':1,'do':'others',"
           "'others':{'name':'renamed.bin'}},"
           "{'route':['commit','upload_file'],'nth':1,'do':'reset','at':'stored'}");
  run_to_the_end (f, &settings);
  assert_done (f);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 1);
  made = box_upload_get_file (f->upload);
  g_assert_cmpstr (made->name, ==, "renamed.bin");
}

static void
test_a_file_that_was_renamed (Fixture *f, gconstpointer data)
{
  file_renamed (f, LARGE);
}

static void
test_a_small_file_that_was_renamed (Fixture *f, gconstpointer data)
{
  file_renamed (f, SMALL);
}

/* An equal file of another name was there before, and is not ours. */
static void
test_an_equal_file_is_not_ours (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = g_malloc (SMALL);
  g_autofree char *other = NULL;
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "n.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, SMALL);

  kit_pattern_fill (0, bytes, SMALL);
  other = box_emulator_add_file (f->emulator, "0", "equal.bin", bytes, SMALL);
  load (f, "{'route':'upload_file','nth':1,'do':'reply','status':503}");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_stored (f, "n.bin", SMALL);
  g_assert_cmpuint (box_emulator_count_files (f->emulator), ==, 2);
}

/* Credentials that may upload and nothing else see the file by its name. */
static void
test_a_version_without_the_right_to_read (Fixture *f, gconstpointer data)
{
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "v.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, LARGE);

  settings.if_exists = BOX_IF_EXISTS_VERSION;
  load (f, "{'route':['get_file','list_versions'],'do':'reply','status':403,"
           "'json':{'code':'access_denied_insufficient_permissions'}},"
           "{'route':'commit','times':1,'do':'reply','at':'stored','status':503}");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_versions (f, file_id, 2);
}

/* --- After a crash --- */

/* An earlier attempt has committed at some time, and others have followed. @begun: seconds from
 * now. */
static void
resume_after_theirs (Fixture *f, gint64 begun, guint versions)
{
  g_autofree guint8 *bytes = g_malloc (SMALL);
  g_autofree char *file_id = NULL;
  g_autoptr (BoxDestination) destination = NULL;
  BoxUploadSettings settings;

  kit_pattern_fill (0, bytes, SMALL);
  file_id = box_emulator_add_file (f->emulator, "0", "v.bin", bytes, SMALL);
  destination = box_destination_new_file (file_id, NULL);
  settings = settings_for (f, destination, SMALL);
  settings.commit_unsure = TRUE;
  settings.begun = g_get_real_time () / G_USEC_PER_SEC + begun;
  add_version (f, file_id, "theirs");
  run_to_the_end (f, &settings);
  assert_done (f);
  assert_versions (f, file_id, versions);
}

static void
test_of_an_earlier_attempt_that_theirs_followed_is_found (Fixture *f, gconstpointer data)
{
  resume_after_theirs (f, -60, 2);
}

static void
test_that_is_older_than_the_recording_is_not_ours (Fixture *f, gconstpointer data)
{
  resume_after_theirs (f, 3600, 3);
}

/* The earlier attempt's commit takes effect after it was looked for, and before the version that is
 * there is remembered. */
static void
test_of_an_earlier_attempt_that_comes_late_is_found (Fixture *f, gconstpointer data)
{
  g_autofree guint8 *bytes = g_malloc (SMALL);
  g_autofree char *file_id = box_emulator_add_file (f->emulator, "0", "v.bin", "old", 3);
  g_autoptr (BoxDestination) destination = box_destination_new_file (file_id, NULL);
  BoxUploadSettings settings = settings_for (f, destination, SMALL);

  kit_pattern_fill (0, bytes, SMALL);
  settings.commit_unsure = TRUE;
  load (f, "{'route':'get_file','nth':2,'do':'hold','name':'gate'}");
  run_to_the_end (f, &settings);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  g_assert_true (box_emulator_add_version (f->emulator, file_id, bytes, SMALL));
  box_emulator_release (f->emulator, "gate");
  assert_done (f);
  assert_versions (f, file_id, 2);
}

static void
add_answered (const char *what, const Answered *answer, void (*test) (Fixture *, gconstpointer))
{
  g_autofree char *path =
      g_strdup_printf ("/effects/%s-answered-with-%s-is-made-once", what, answer->name);

  g_test_add (path, Fixture, answer, set_up, test, tear_down);
}

#define ADD(path, func) g_test_add ("/effects/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (answered); i++)
    {
      add_answered ("version", &answered[i], test_version);
      add_answered ("small-version", &answered[i], test_small_version);
      add_answered ("file", &answered[i], test_file);
      add_answered ("small-file", &answered[i], test_small_file);
    }
  ADD ("version-is-not-refused-for-what-others-did-before",
       test_a_version_of_theirs_before_the_commit_does_not_refuse_ours);
  ADD ("version-that-theirs-followed-is-found", test_a_version_that_theirs_followed);
  ADD ("small-version-that-theirs-followed-is-found", test_a_small_version_that_theirs_followed);
  ADD ("file-that-theirs-followed-is-found", test_a_file_that_theirs_followed);
  ADD ("small-file-that-theirs-followed-is-found", test_a_small_file_that_theirs_followed);
  ADD ("file-that-was-renamed-is-found", test_a_file_that_was_renamed);
  ADD ("small-file-that-was-renamed-is-found", test_a_small_file_that_was_renamed);
  ADD ("file-that-is-equal-is-not-ours", test_an_equal_file_is_not_ours);
  ADD ("version-needs-no-right-to-read", test_a_version_without_the_right_to_read);
  ADD ("version-of-an-earlier-attempt-that-theirs-followed-is-found",
       test_of_an_earlier_attempt_that_theirs_followed_is_found);
  ADD ("version-of-an-earlier-attempt-that-comes-late-is-found",
       test_of_an_earlier_attempt_that_comes_late_is_found);
  ADD ("version-that-is-older-than-the-recording-is-not-ours",
       test_that_is_older_than_the_recording_is_not_ours);
  return g_test_run ();
}
