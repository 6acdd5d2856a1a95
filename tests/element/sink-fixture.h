/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkFixture: an emulator, a boxuploadsink that is set up for it, and the messages that came of
 * it. A test that takes too long is killed by a watchdog; when the fixture is freed, nothing may be
 * left: no element, no open file, no file that the test did not make.
 */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include "emulator/box-emulator.h"
#include "kit/patience.h"
#include "spool/spool.h"

G_BEGIN_DECLS

#define SINK_FIXTURE_TOKEN "fixture-token-7f3a"

/* Longest wait for an event that must happen. After it the test has failed. */
#define SINK_FIXTURE_PATIENCE (KIT_PATIENCE * GST_SECOND)

typedef struct
{
  BoxEmulator *emulator;
  gboolean tls;         /* which of the emulator's listeners sinks are set up for */
  char *dir;            /* removed at the end, with all that is in it */
  GstElement *pipeline; /* or NULL: a harness is used */
  GstElement *sink;
  GstHarness *harness;
  GstBus *bus;
  GPtrArray *messages; /* GstMessage: all that have been taken from the bus, in order */
  gboolean has_state;  /* the test itself makes files under XDG_STATE_HOME */

  /* private */
  char *files; /* that were open before */
} SinkFixture;

/* For main(): like g_test_init(), with directories of the test's own, and GStreamer. */
void sink_fixture_init (int *argc, char ***argv);

/* @options may be NULL. */
SinkFixture *sink_fixture_new (const BoxEmulatorOptions *options);
void sink_fixture_free (SinkFixture *fixture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SinkFixture, sink_fixture_free)

/* A file of the first @size bytes of the pattern, in the fixture's directory. Free the path. */
char *sink_fixture_make_file (SinkFixture *fixture, guint64 size);

/* Addresses and credentials of the emulator, on any sink. */
void sink_fixture_configure (SinkFixture *fixture, GstElement *sink);

/* A pipeline from a launch line, in NULL; its element named "sink" is set up. */
void sink_fixture_launch (SinkFixture *fixture, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A fixture with a pipeline that uploads a file (@path, freed with the fixture) of @size bytes in
 * parts of @part as box://0/a; then that it comes to its end, and that the file is there. */
SinkFixture *sink_fixture_new_upload (guint64 size, gboolean tls, guint64 part,
                                      const char *properties, char **path);
void sink_fixture_play_upload (SinkFixture *fixture, const char *path);

/* A sink without a pipeline, in NULL, set up; then a harness around it, which sets it to PLAYING.
 */
void sink_fixture_make_sink (SinkFixture *fixture);
void sink_fixture_start_harness (SinkFixture *fixture);

/* Pushes @size bytes of @bytes from @offset as one buffer, or EOS. */
GstFlowReturn sink_fixture_push (SinkFixture *fixture, GBytes *bytes, gsize offset, gsize size);
gboolean sink_fixture_push_eos (SinkFixture *fixture);

/* Takes messages from the bus until one of @types (from the sink or the pipeline) comes, which is
 * returned (owned by the fixture); fails the test if none comes. */
GstMessage *sink_fixture_wait (SinkFixture *fixture, GstMessageType types);

/* The same for an element message of this name. */
const GstStructure *sink_fixture_wait_element (SinkFixture *fixture, const char *name);

/* Plays the pipeline to its end: TRUE: EOS, FALSE: an ERROR. */
gboolean sink_fixture_run (SinkFixture *fixture);

/* Takes what is on the bus without waiting. */
void sink_fixture_drain (SinkFixture *fixture);

/* Of the messages that have been taken: how many of @type the sink or the pipeline (which keeps the
 * sink's EOS and posts its own) posted; the last element message of a name, or NULL; how many of
 * these. */
guint sink_fixture_count (SinkFixture *fixture, GstMessageType type);
const GstStructure *sink_fixture_find (SinkFixture *fixture, const char *name);
guint sink_fixture_count_element (SinkFixture *fixture, const char *name);

/* The sink's first ERROR: its domain must be GST_RESOURCE_ERROR. Free. NULL if there is no ERROR.
 */
GError *sink_fixture_get_error (SinkFixture *fixture);
const GstStructure *sink_fixture_get_error_details (SinkFixture *fixture);

/* Exactly one ERROR of the sink, with this code and a text that contains @words. */
void sink_fixture_assert_failed (SinkFixture *fixture, GstResourceError code, const char *words);

/* Messages from now on belong to another stream. */
void sink_fixture_forget_messages (SinkFixture *fixture);

/* EOS came, and the sink had said before it that the file is committed. */
void sink_fixture_assert_eos_is_last (SinkFixture *fixture);

/* Every progress that was begun has ended. */
void sink_fixture_assert_progress_balanced (SinkFixture *fixture);

/* The emulator has @folder/@name with exactly the content of the file @path, and the sink said so
 * before EOS. */
void sink_fixture_assert_stored (SinkFixture *fixture, const char *folder, const char *name,
                                 const char *path);
void sink_fixture_assert_stored_bytes (SinkFixture *fixture, const char *folder, const char *name,
                                       GBytes *bytes);

/* The only recording in the directory "spool" of the fixture's, owned by @list; NULL: it is empty.
 */
BoxSpoolEntry *sink_fixture_find_recording (SinkFixture *fixture, GPtrArray **list);

guint64 sink_fixture_get_stat (SinkFixture *fixture, const char *field);

G_END_DECLS
