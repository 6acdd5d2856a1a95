/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuLateCalls: requests that were answered (or met with silence) before they were done, and are
 * done later: Box may carry out what it has answered with 503. A rule's "later" says when. What
 * comes of them is in the log only.
 *
 * All functions but the last two may be called from any thread.
 */
#pragma once

#include "emulator/routes/call.h"

G_BEGIN_DECLS

EmuLateCalls *emu_late_calls_new (void);

/* Takes over what is to be done of @call, whose body was read whole, before @rule answers it. Where
 * the rule's name was released already it is done at once. */
void emu_late_calls_add (EmuLateCalls *late, EmuCall *call, const EmuRule *rule);

/* Does what waits for @name; it is done when this returns. */
void emu_late_calls_release (EmuLateCalls *late, const char *name);

/* Request @number of @route was handled, and is about to be answered. */
void emu_late_calls_note_handled (EmuLateCalls *late, guint number, const char *route);

/* Request @number was answered, or its client has gone. */
void emu_late_calls_note_ended (EmuLateCalls *late, guint number);

/* Waits until @n calls were done late. FALSE: not within @timeout_ms. */
gboolean emu_late_calls_wait (EmuLateCalls *late, guint n, guint timeout_ms);

/* Forgets what has not been done. */
void emu_late_calls_free (EmuLateCalls *late);

G_END_DECLS
