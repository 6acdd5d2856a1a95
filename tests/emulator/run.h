/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A command that runs with an emulated Box: box-emulator --run. The command finds the emulator in
 * its environment, and gets every signal that the emulator's process gets, once.
 */
#pragma once

#include "emulator/box-emulator.h"

G_BEGIN_DECLS

/* Exit codes of a command that cannot be executed, as shells and env have them. */
#define EMU_RUN_CANNOT  126
#define EMU_RUN_NO_SUCH 127

/* Keeps the signals that end a process for emu_run(). Call it before the first thread begins. */
void emu_run_block_signals (void);

/**
 * emu_run:
 * @token: (nullable): BOX_ACCESS_TOKEN of the command; NULL: the environment's credentials stay.
 * @command: program and arguments; empty: the user's shell.
 *
 * Returns: the command's exit code, 128 + the signal that killed it, or one of those above.
 */
int emu_run (BoxEmulator *emulator, const char *token, char **command);

G_END_DECLS
