/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a recording that was cut short plays: some containers are useless, or wrong, without what
 * their muxers write at the end of the stream. Decided from the first bytes of the data, and from
 * the file's name if they say nothing. docs/spool.md has what was measured.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_CUT_UNKNOWN,      /* no container that is known here: it may not play */
  BOX_CUT_PLAYS,        /* up to its last whole frame or fragment */
  BOX_CUT_MAY_NOT_PLAY, /* its index or its lengths come at the end */
} BoxCut;

/* What the data in the file @path is, cut off at its end. @name: (nullable): the name that it has
 * for people, for its extension. UNKNOWN where it cannot be read. */
BoxCut box_container_judge (const char *path, const char *name);

G_END_DECLS
