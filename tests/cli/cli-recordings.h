/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recordings in the spool of the fixture's state directory, for tests of the commands that finish
 * them.
 */
#pragma once

#include "cli-fixture.h"
#include "spool/spool.h"

/* The spool's directory; free with g_free(). */
char *recordings_dir (Fixture *f);

/* A recording with the bytes of the file @name of the working directory, to be @name at Box; still
 * open. */
BoxRecording *recordings_begin (Fixture *f, const char *name);

/* One whose recorder died. */
void recordings_leave_interrupted (Fixture *f, const char *name);

/* One whose stream came to its end. */
void recordings_leave_complete (Fixture *f, const char *name);

/* One whose stream came to its end, for a session that its application will commit. */
void recordings_leave_to_fill (Fixture *f, const char *name, const char *session_id);

/* Deletes the data file of the only recording there is, as a careless hand does. */
void recordings_lose_data (Fixture *f);

/* (element-type BoxSpoolEntry): all that are there. */
GPtrArray *recordings_list (Fixture *f);
