/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a recording that was cut short plays. Some muxers write a part of the file at the end of
 * the stream that players need. The first bytes of the data decide, or else the file's name.
 * docs/spool.md has the measurements.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_CUT_UNKNOWN,      /* not a known container: it may not play */
  BOX_CUT_PLAYS,        /* up to its last whole frame or fragment */
  BOX_CUT_MAY_NOT_PLAY, /* its index or its lengths come at the end */
} BoxCut;

/* Whether the data in the file @path plays if it is cut off at its end. @name: (nullable): its name
 * at Box, for the extension. UNKNOWN if the file cannot be read. */
BoxCut box_container_judge (const char *path, const char *name);

G_END_DECLS
