/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Effects of scenario rules on a call.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* Applies the call's rules of @stage in their order, until one decides the call's fate (its
 * verdict). */
void emu_faults_strike (EmuCall *call, EmuStage stage);

/* How many bytes of the body (or of the reply's head or body, by @stage) can pass beyond @position
 * before a rule strikes. */
guint64 emu_faults_get_room (EmuCall *call, EmuStage stage, guint64 position);

/* Applies the rules that strike in the reply's head or body up to @position. The verdict is LOST
 * if one ended the connection. */
void emu_faults_strike_reply (EmuCall *call, EmuStage stage, guint64 position);

/* Whether a rule answers the call before it is done. */
gboolean emu_faults_is_late (EmuCall *call);

G_END_DECLS
