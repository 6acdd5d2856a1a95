/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody else does to the account while a request is on its way.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* Does what @others says (docs/emulator.md) to the file that the call is about, or beside it. */
void emu_others_act (EmuCall *call, JsonObject *others);

/* Answers that the name is in use: 409, with the file that the call is about as what has it. Box
 * was seen to do so also where that is the very file a version is for. */
void emu_others_keep_name (EmuCall *call);

G_END_DECLS
