/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SpoolKit: an emulator, a client of it, a spool, and recordings to put there: what the tests of
 * recovery share. The content of all recordings is one pattern, so that any of them can be checked
 * by its size alone.
 */
#pragma once

#include "api/client.h"
#include "delivery/recovery.h"
#include "emulator/box-emulator.h"
#include "kit/patience.h"
#include "spool/spool.h"

G_BEGIN_DECLS

/* Parts of the emulator's sessions, and a recording of two and a half of them: just above the size
 * from which sessions are used. */
#define SPOOL_KIT_PART (G_GUINT64_CONSTANT (8) << 20)
#define SPOOL_KIT_SIZE (2 * SPOOL_KIT_PART + SPOOL_KIT_PART / 2 + 17)

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  char *dir;
  BoxSpool *spool;
} SpoolKit;

void spool_kit_set_up (SpoolKit *kit);

/* The same, with parts of another size. */
void spool_kit_set_up_with (SpoolKit *kit, guint64 part_size);
void spool_kit_tear_down (SpoolKit *kit);

/* A client of the emulator (or of any endpoint). */
BoxClient *spool_kit_new_client (const char *endpoint, const char *api_endpoint);

/* To record NAME into folder 0, of unknown size. */
BoxRecordingIntent *spool_kit_intent (const char *name);

/* A recording of @size bytes of the pattern. */
BoxRecording *spool_kit_record (SpoolKit *kit, const BoxRecordingIntent *intent, guint64 size);

/* Its stream came to an end at its size. */
void spool_kit_end (BoxRecording *recording);

/* The journal's path. */
char *spool_kit_journal_path (BoxRecording *recording);

/* Opens the recording with this journal and finishes it. NULL if that worked. */
GError *spool_kit_recover (SpoolKit *kit, const char *journal_path, BoxRecovered *how);

/* The same, and fails the test if it does not work. */
BoxRecovered spool_kit_finish (SpoolKit *kit, const char *journal_path);

/* Finishes all recordings of the spool, so that it is empty. */
void spool_kit_finish_all (SpoolKit *kit);

/* Closes a recording, as a process that ends does. Returns its journal; free with g_free(). */
char *spool_kit_leave (BoxRecording *recording);

/* A session at the emulator for a file of @size bytes, in the journal of @recording. */
BoxSession *
spool_kit_open_session (SpoolKit *kit, BoxRecording *recording, const char *name, guint64 size);

/* Box has part @i of the pattern, and the journal says so. */
void spool_kit_add_part (SpoolKit *kit, BoxRecording *recording, const BoxSession *session, guint i,
                         guint64 size);

/* How many recordings are in the spool. */
guint spool_kit_count (SpoolKit *kit);

/* Asserts that the emulator has @name in folder 0 once, with the first @size bytes of the
 * pattern. */
void spool_kit_assert_stored (SpoolKit *kit, const char *name, guint64 size);

G_END_DECLS
