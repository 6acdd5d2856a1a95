/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The emulator, and clients of it, as all tests use them: what must work is asserted.
 */
#pragma once

#include "api/client.h"
#include "emulator/box-emulator.h"

G_BEGIN_DECLS

/* @options may be NULL. */
BoxEmulator *kit_emulator_new (const BoxEmulatorOptions *options);

/* A client of one of the emulator's listeners, else as @settings say; their addresses are not read.
 */
BoxClient *kit_client_new (BoxEmulator *emulator, gboolean tls, const BoxClientSettings *settings);

/* Adds rules, as RULE () writes them. */
void kit_load_rules (BoxEmulator *emulator, const char *rules);

/* Users, clients, their keys and tokens, as JSON (docs/emulator.md). */
void kit_load_accounts (BoxEmulator *emulator, const char *accounts);

/* Fails unless Box has NAME in @folder with this size and SHA-1 (hex), as the only version. */
void kit_assert_stored (BoxEmulator *emulator, const char *folder, const char *name, guint64 size,
                        const char *sha1);

/* How many upload sessions were begun and have not ended. */
guint kit_count_open_sessions (BoxEmulator *emulator);

/* Fails unless every part of the session came whole once, and the file was committed once. */
void kit_assert_sent_once (BoxEmulator *emulator, const char *session_id);

G_END_DECLS
