/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fixture of the engine's tests: an emulator, a client, an upload with its events counted, and
 * the test stream.
 */
#pragma once

#include "emulator/box-emulator.h"
#include "kit/patience.h"
#include "upload/upload.h"

#define PART   65536
#define SECOND G_USEC_PER_SEC

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  BoxUpload *upload;
  GMutex mutex;
  GCond cond;
  /* with mutex: counts of the events */
  guint opened, parts, adopted, retries, outages, recoveries, committing, completed, failed;
  char *last_retry, *last_reason;
} Fixture;

/* An emulator with small parts, or with other @options, and a client for it; then all that, and the
 * upload, away. */
void set_up (Fixture *f, gconstpointer data);
void set_up_with (Fixture *f, const BoxEmulatorOptions *options);
void tear_down (Fixture *f, gconstpointer data);

/* For a file of @size bytes, three parts in flight. */
BoxUploadSettings settings_for (Fixture *f, const BoxDestination *destination, guint64 size);

/* Creates and starts the upload, whose events are counted. */
void begin (Fixture *f, const BoxUploadSettings *settings);

/* A session of @size bytes at the emulator, and its destination. */
BoxDestination *new_session (Fixture *f, const char *name, guint64 size, char **id);

/* Writes bytes [@offset, @end); FALSE: the upload failed. */
gboolean produce (Fixture *f, guint64 offset, guint64 end);

/* Loads a scenario's rules, written with single quotes. */
void load (Fixture *f, const char *rules);

/* begin(), produce() and the end of the stream. */
void run_to_the_end (Fixture *f, const BoxUploadSettings *settings);

/* Somebody else makes @text the newest version of the file. */
void add_version (Fixture *f, const char *file_id, const char *text);

/* The emulator has the test stream of @size bytes as @name, in one version. */
void assert_stored (Fixture *f, const char *name, guint64 size);

/* Waits; it was completed, once. */
void assert_done (Fixture *f);

/* Waits; it failed with @code, once, and nothing was committed. */
void assert_failed (Fixture *f, BoxErrorCode code);

/* Every part of the session arrived whole once, and once only. */
void assert_sent_once (Fixture *f, const char *id);

/* Uploads a file of @size bytes, too small for a session. */
void upload_small (Fixture *f, guint64 size);
