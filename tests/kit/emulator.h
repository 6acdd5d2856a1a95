/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The emulator as all tests use it: what must work is asserted.
 */
#pragma once

#include "emulator/box-emulator.h"

G_BEGIN_DECLS

/* @options may be NULL. */
BoxEmulator *kit_emulator_new (const BoxEmulatorOptions *options);

/* Adds rules, as RULE () writes them. */
void kit_load_rules (BoxEmulator *emulator, const char *rules);

/* Fails unless Box has NAME in @folder with this size and SHA-1 (hex), as the only version. */
void kit_assert_stored (BoxEmulator *emulator, const char *folder, const char *name, guint64 size,
                        const char *sha1);

G_END_DECLS
