/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuMetadata: the metadata of one file: instances of templates, each an object with keys and
 * values, at most one of each template. Not locked: the store does that.
 */
#pragma once

#include "emulator/box/problem.h"

G_BEGIN_DECLS

/* "SCOPE/TEMPLATE" to the instance's keys, values and "$version". Templates are "global/properties"
 * (any keys, strings only) and whatever there is in "enterprise" and "enterprise_N". */
typedef JsonObject EmuMetadata;

/* Each gives an instance as Box shows it, or NULL with @problem. @file: its id. */

/* 409 where there is one; 404 where there is no such template; 400 for a value that it cannot have.
 */
JsonObject *emu_metadata_create (EmuMetadata *metadata, const char *file, const char *name,
                                 JsonObject *values, EmuProblem *problem);
JsonObject *
emu_metadata_get (EmuMetadata *metadata, const char *file, const char *name, EmuProblem *problem);

/* By JSON-Patch: add, replace, remove and test of one key each, all or none. */
JsonObject *emu_metadata_patch (EmuMetadata *metadata, const char *file, const char *name,
                                JsonArray *operations, EmuProblem *problem);
gboolean emu_metadata_remove (EmuMetadata *metadata, const char *name, EmuProblem *problem);

G_END_DECLS
