/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPace: a limit of bytes per second shared by threads (a token bucket). box_pace_take() only
 * returns the time to wait; the caller sleeps. Besides, each keeps to the rate of the process.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BoxPace BoxPace;

/* @rate: bytes per second, 0: no limit. */
BoxPace *box_pace_new (guint64 rate);

/* The same, without the rate of the process. */
BoxPace *box_pace_new_alone (guint64 rate);
BoxPace *box_pace_ref (BoxPace *pace);
void box_pace_unref (BoxPace *pace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxPace, box_pace_unref)

/* Bytes per second from now on; 0: no limit. */
void box_pace_set_rate (BoxPace *pace, guint64 rate);

/* Takes @n bytes at @now (monotonic, microseconds) and returns the microseconds to wait before they
 * may leave. */
gint64 box_pace_take (BoxPace *pace, gsize n, gint64 now);

/* How many of @n bytes to take at once (at least 1), so that waits stay short and a new rate takes
 * effect soon. */
gsize box_pace_slice (BoxPace *pace, gsize n);

/*
 * The rate of all uploads of this process together: a timetable (base/timetable.h), from the
 * environment's BOXUPLOAD_RATE or set by the application, at any time. Every BoxPace keeps to it
 * beside its own rate. Functions may be called from any thread.
 */

/* From now on: the timetable @text, or "@FILE", a file with one, which is looked at again while
 * bytes are sent; NULL: no limit. @what: what it was given as, for the error
 * (BOX_ERROR_SETTINGS), after which nothing has changed. */
gboolean box_process_rate_set (const char *text, const char *what, GError **error);

/* The pace of the process at @now (monotonic, microseconds), to be unreferenced; NULL: no limit has
 * been set. */
BoxPace *box_process_rate_get (gint64 now);

G_END_DECLS
