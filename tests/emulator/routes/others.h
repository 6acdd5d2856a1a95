/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes that another user makes to the account while a request is on its way.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* Does what @others says (docs/emulator.md) to the file that the call is about, or beside it. */
void emu_others_act (EmuCall *call, JsonObject *others);

/* Answers that the name is in use: 409, and names the call's own file as its owner. Box was
 * seen to do so even for the very file that gets a version. */
void emu_others_keep_name (EmuCall *call);

G_END_DECLS
