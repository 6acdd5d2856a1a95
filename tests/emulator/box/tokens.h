/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuTokens: who may do what: users, clients with their secrets and keys, access tokens and refresh
 * tokens.
 */
#pragma once

#include "emulator/base/clock.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The user of tokens that no account was given for. */
#define EMU_DEFAULT_USER "1001"

typedef struct _EmuTokens EmuTokens;

/* The user and rights of an access token. */
typedef struct
{
  char *user;
  char *folder; /* downscoped to uploading into this folder; NULL: everything */
} EmuIdentity;

void emu_identity_clear (EmuIdentity *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EmuIdentity, emu_identity_clear)

typedef enum
{
  EMU_TOKEN_GOOD,
  EMU_TOKEN_INVALID,
  EMU_TOKEN_EXPIRED,
} EmuTokenState;

/* @accepted NULL: any token that is not known to be bad, unless there are @strict_clients.
 * @lifetime: s. @path: the file of issued tokens, so that they are those of the same users after a
 * restart; NULL: not kept. */
EmuTokens *emu_tokens_new (EmuClock *clock, const char *const *accepted, guint lifetime,
                           gboolean strict_clients, const char *path);
void emu_tokens_free (EmuTokens *tokens);

gboolean emu_tokens_load_accounts (EmuTokens *tokens, const char *json, GError **error);

/* Fills @identity (if not NULL) if the token is good. */
EmuTokenState emu_tokens_check (EmuTokens *tokens, const char *token, EmuIdentity *identity);

/* @expires_in 0: never. */
void emu_tokens_set (EmuTokens *tokens, const char *token, guint expires_in);
void emu_tokens_revoke (EmuTokens *tokens, const char *token);
void emu_tokens_revoke_all (EmuTokens *tokens);

/* {"type","id","name","login"}; NULL: there is no such user. */
JsonObject *emu_tokens_get_user (EmuTokens *tokens, const char *id);

G_END_DECLS
