/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the files that a test left open, and counts threads.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Open files of the file system, one a line; sockets of idle connections may stay with workers. */
char *kit_list_open_files (void);

/* Fails unless the same files as @expected are open, or soon are: a worker that was cut short may
 * have one to close yet, and tells nobody when it has. */
void kit_assert_open_files (const char *expected);

/* Threads of the process whose names begin with @prefix. */
guint kit_count_threads (const char *prefix);

G_END_DECLS
