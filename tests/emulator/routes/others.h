/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What somebody else does to the account while a request is on its way.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* Does what @others says (docs/emulator.md) to the file that the call is about, or beside it. */
void emu_others_act (EmuCall *call, JsonObject *others);

G_END_DECLS
