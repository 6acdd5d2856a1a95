/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rate of all uploads of this process together: a timetable (base/timetable.h), from the
 * environment's BOXUPLOAD_RATE or set by the application, at any time. Every BoxPace keeps to it
 * beside its own rate. Functions may be called from any thread.
 */
#pragma once

#include "http/pace.h"

G_BEGIN_DECLS

/* From now on: the timetable @text, or "@FILE", a file with one, which is looked at again while
 * bytes are sent; NULL: no limit. @what: what it was given as, for the error
 * (BOX_ERROR_SETTINGS), after which nothing has changed. */
gboolean box_process_rate_set (const char *text, const char *what, GError **error);

/* The pace of the process at @now (monotonic, microseconds), to be unreferenced; NULL: no limit has
 * been set. */
BoxPace *box_process_rate_get (gint64 now);

G_END_DECLS
