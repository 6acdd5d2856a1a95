/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The token endpoint: all grants that Box gives to servers, and revocation.
 */
#pragma once

#include "emulator/box/tokens.h"

G_BEGIN_DECLS

/* @form: name to value. Fill @reply and return the status. */
guint emu_oauth_token (EmuTokens *tokens, GHashTable *form, JsonObject *reply);
guint emu_oauth_revoke (EmuTokens *tokens, GHashTable *form, JsonObject *reply);

G_END_DECLS
