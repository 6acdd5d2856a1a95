/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What scenario rules do to a call when they strike.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* Applies the call's rules of @stage in their order, until one decides the call's fate (its
 * verdict). */
void emu_faults_strike (EmuCall *call, EmuStage stage);

/* How many bytes of the body can be read before a rule strikes in it. */
guint64 emu_faults_get_body_room (EmuCall *call);

/* The rule that cuts the reply, or NULL. */
const EmuRule *emu_faults_get_cut (EmuCall *call);

/* Ends the connection as @rule (reset, close) says. */
void emu_faults_end_connection (EmuCall *call, const EmuRule *rule);

G_END_DECLS
