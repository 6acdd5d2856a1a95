/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FaultReport: what came of each cell, in the file that BOXUPLOAD_FAULT_REPORT names, a line of
 * JSON each. A run that was ended is continued by one with the same file: cells that are in it are
 * not played again. scripts/lib/faults-table.py makes the tables of docs/reliability.md of it.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Whether the file has @cell of @matrix. FALSE without a file. */
gboolean fault_report_has (const char *matrix, const char *cell);

/* Adds it. @problem: (nullable): of a cell that is wrong, which is also told to the test's log. Any
 * thread. */
void
fault_report_add (const char *matrix, const char *cell, const char *outcome, const char *problem);

/* The seed of the sample: BOXUPLOAD_FAULT_SEED, 1. */
guint fault_report_get_seed (void);

/* The share of @n_all cells that is played: @variable names it, as a number or "all"; without it
 * @sample are. */
double fault_report_get_share (const char *variable, guint sample, guint n_all);

G_END_DECLS
