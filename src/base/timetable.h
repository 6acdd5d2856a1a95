/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTimetable: a rate that depends on the time of day, as in "08:00-18:00 2MB, off". Pure.
 *
 * The entries are separated by commas. The first one whose hours include the time counts; one
 * without hours counts at any time, and without one there is no limit in the hours that are not
 * named. Hours may go over midnight ("22:00-06:00"). "off" and 0 mean no limit.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BOX_MINUTES_OF_DAY 1440

typedef struct _BoxTimetable BoxTimetable;

/* @what: what @text was given as, for the error (BOX_ERROR_SETTINGS). */
BoxTimetable *box_timetable_parse (const char *text, const char *what, GError **error);
void box_timetable_free (BoxTimetable *timetable);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTimetable, box_timetable_free)

/* Bytes a second at @minute of the day; 0: no limit. */
guint64 box_timetable_get_rate (const BoxTimetable *timetable, guint minute);

G_END_DECLS
