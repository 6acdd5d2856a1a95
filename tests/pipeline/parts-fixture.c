/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts-fixture.h"

SinkFixture *
parts_fixture_new (const char *scenario)
{
  BoxEmulatorOptions options = { .part_size = PART };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_autoptr (GError) error = NULL;

  if (scenario != NULL)
    box_emulator_load_scenario (fixture->emulator, scenario, &error);
  g_assert_no_error (error);
  return fixture;
}

char *
parts_fixture_launch (SinkFixture *fixture, const char *properties)
{
  char *path = sink_fixture_make_file (fixture, SIZE);

  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/a "
                       "timeout=600 %s",
                       path, properties);
  return path;
}

void
parts_fixture_assert_sent_once (SinkFixture *fixture)
{
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (fixture->emulator);
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_assert_cmpuint (ids->len, ==, 1);
  session = box_emulator_get_session (fixture->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpuint (session->n_commits, ==, 1);
  for (guint i = 0; i < session->n_parts; i++)
    g_assert_cmpuint (session->received[i], ==, 1);
}

void
parts_fixture_play_to_the_end (SinkFixture *fixture, const char *path)
{
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
  sink_fixture_assert_progress_balanced (fixture);
  parts_fixture_assert_sent_once (fixture);
}
