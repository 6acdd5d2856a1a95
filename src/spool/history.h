/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxHistory: the sizes of the last recordings of a spool, by where they went: the file sizes.json
 * in its directory. It guesses the size of the next one. Losing it costs nothing but a worse guess.
 */
#pragma once

#include "api/destination.h"

G_BEGIN_DECLS

/* Bytes of the last file that was recorded in @directory and went to the folder (or the file) of
 * @destination; 0: not known. */
guint64 box_history_get_size (const char *directory, const BoxDestination *destination);

/* A file of @size bytes went there. */
void box_history_set_size (const char *directory, const BoxDestination *destination, guint64 size);

G_END_DECLS
