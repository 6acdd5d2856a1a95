/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A file of 25 parts, uploaded as box://0/a: what the tests share that look at one at every stage.
 */
#pragma once

#include "../element/sink-fixture.h"

#include "kit/watchdog.h"

#define PART  1000000
#define PARTS 25
#define SIZE  (PARTS * PART)

/* "At once", on a machine that is busy with other things: what waits for Box waits for ten times as
 * long, the timeout of parts_fixture_launch(). */
#define AT_ONCE (60 * G_USEC_PER_SEC)

/* With an emulator of such parts; @scenario is nullable. */
SinkFixture *parts_fixture_new (const char *scenario);

/* The pipeline, its sink named "sink" with these properties besides. Returns the file's path. */
char *parts_fixture_launch (SinkFixture *fixture, const char *properties);

/* Every part of the only session arrived once, and it was committed once. */
void parts_fixture_assert_sent_once (SinkFixture *fixture);

/* Plays until EOS; the file is there, sent once, and no progress was left open. */
void parts_fixture_play_to_the_end (SinkFixture *fixture, const char *path);
