/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the tests of the spool: a private directory and an intent to record.
 */
#pragma once

#include "spool/recording.h"

/* A new directory; free with remove_directory(). */
char *new_directory (void);

/* Removes the directory @path with the files in it and frees @path. */
void remove_directory (char *path);

/* To record "clip.mp4" into folder 0, of unknown size. */
BoxRecordingIntent *new_intent (void);

/* The path of the journal of @recording; free with g_free(). */
char *journal_path_of (BoxRecording *recording);

/* The permission bits of the file @path. */
guint mode_of (const char *path);
