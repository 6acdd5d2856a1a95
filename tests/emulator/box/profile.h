/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuProfile: how one account answers where Box's documents are silent, as "boxupload probe" has
 * found it (docs/probe.md): how large parts are, how wrong requests are refused, how far plans
 * look. Immutable.
 */
#pragma once

#include "emulator/base/views.h"
#include "emulator/box/problem.h"

G_BEGIN_DECLS

typedef struct _EmuProfile EmuProfile;

/* @text NULL: a profile that says nothing. */
EmuProfile *emu_profile_new (const char *text, GError **error);
void emu_profile_free (EmuProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuProfile, emu_profile_free)

/* The size of the parts of a file of @size bytes; @fallback: the profile does not say. */
guint64 emu_profile_get_part_size (const EmuProfile *profile, guint64 size, guint64 fallback);

/* FALSE: the profile does not say. @delay: seconds, of LATE. */
gboolean emu_profile_get_plan (const EmuProfile *profile, BoxEmulatorPlan *scope, guint *delay);

/* The status and the code with which the account refuses what a request of @route was refused for
 * with *@code here. */
void emu_profile_translate (const EmuProfile *profile, const char *route, guint *status,
                            const char **code);

G_END_DECLS
