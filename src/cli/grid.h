/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliGrid: which parts of an upload session are at Box: counted, listed, and drawn as a map. Pure.
 */
#pragma once

#include "api/part.h"
#include "api/session.h"

G_BEGIN_DECLS

typedef struct
{
  guint n;          /* parts that the session takes */
  guint n_listed;   /* the first of these, of which Box tells whether they are there */
  guint n_stored;   /* of these at Box */
  guint64 bytes;    /* in these */
  gboolean *stored; /* n */
} CliGrid;

/* @parts: BoxPart; those that are not where the session wants a part do not count. */
CliGrid *cli_grid_new (const BoxSession *session, GPtrArray *parts);
void cli_grid_free (CliGrid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliGrid, cli_grid_free)

/* The missing parts, counted from 1: "3, 7-9, 12"; "…" ends a list of more than @max_ranges. Free
 * with g_free(). */
char *cli_grid_format_missing (const CliGrid *grid, guint max_ranges);

/* Lines of at most @columns cells, in at most @rows: full, empty, half full where a cell stands for
 * several parts and only some are there, or "?" where Box does not tell. ASCII unless @utf8. Free
 * with g_free(). */
char *cli_grid_draw (const CliGrid *grid, guint columns, guint rows, gboolean utf8);

G_END_DECLS
