/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the files of EmuTokens: the accounts (box/tokens.c), the tokens that are kept
 * (box/tokens-file.c) and the grants (routes/oauth.c).
 */
#pragma once

#include "emulator/box/tokens.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *secret;
  char *enterprise;
  char *user;       /* acts for the enterprise: the service account */
  GHashTable *keys; /* key id to PEM */
} EmuClient;

typedef struct
{
  EmuIdentity identity;
  gint64 expires; /* µs since 1970, 0: never */
  gboolean revoked;
} EmuAccess;

typedef struct
{
  char *client; /* NULL: of any */
  char *user;
  gint64 expires; /* 0: never */
  gboolean used;
} EmuRefresh;

struct _EmuTokens
{
  /* immutable */
  EmuClock *clock;
  gboolean any;
  guint lifetime;
  gboolean strict_clients;
  char *path; /* of the tokens that are kept; NULL: nowhere */

  GMutex lock;

  /* with lock */
  GHashTable *users;   /* id to JsonObject */
  GHashTable *clients; /* id to EmuClient */
  GHashTable *access;  /* token to EmuAccess */
  GHashTable *refresh; /* token to EmuRefresh */
  GHashTable *jtis;    /* set: JWT ids that were used */
};

EmuTokenState emu_tokens_check_locked (EmuTokens *tokens, const char *token, EmuIdentity *identity);
gboolean emu_tokens_has_user_locked (EmuTokens *tokens, const char *id);

/* New tokens, owned by @tokens. @folder may be NULL. */
const char *emu_tokens_issue_locked (EmuTokens *tokens, const char *user, const char *folder);
const char *
emu_tokens_issue_refresh_locked (EmuTokens *tokens, const char *user, const char *client);
void emu_tokens_revoke_locked (EmuTokens *tokens, const char *token);

/* Replaces what is known of @token. */
void emu_tokens_add_access_locked (EmuTokens *tokens, const char *token, const char *user,
                                   const char *folder, gint64 expires);
EmuRefresh *emu_tokens_add_refresh_locked (EmuTokens *tokens, const char *token, const char *user,
                                           const char *client);

/* Adds to the tokens' file what was issued, and what is of no use any more; reads it. */
void emu_tokens_keep_access_locked (EmuTokens *tokens, const char *token);
void emu_tokens_keep_refresh_locked (EmuTokens *tokens, const char *token);
void emu_tokens_keep_end_locked (EmuTokens *tokens, const char *token);
void emu_tokens_read_locked (EmuTokens *tokens);

G_END_DECLS
