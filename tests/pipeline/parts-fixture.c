/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parts-fixture.h"

#include "kit/emulator.h"

SinkFixture *
parts_fixture_new (const char *scenario)
{
  BoxEmulatorOptions options = { .part_size = PART };
  SinkFixture *fixture = sink_fixture_new (&options);

  if (scenario != NULL)
    kit_load_rules (fixture->emulator, scenario);
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

  g_assert_cmpuint (ids->len, ==, 1);
  kit_assert_sent_once (fixture->emulator, ids->pdata[0]);
}

void
parts_fixture_play_to_the_end (SinkFixture *fixture, const char *path)
{
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
  sink_fixture_assert_progress_balanced (fixture);
  parts_fixture_assert_sent_once (fixture);
}
