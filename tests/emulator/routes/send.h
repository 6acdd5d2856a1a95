/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The sending of a reply, with the rules that strike in its head and its body.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

/* Afterwards the connection may be lost. */
void emu_send_reply (EmuCall *call);

/* Sends "HTTP/1.1 STATUS" alone, as often as @rule says, until the client goes or all are sent. */
void emu_send_interim (EmuCall *call, const EmuRule *rule);

G_END_DECLS
