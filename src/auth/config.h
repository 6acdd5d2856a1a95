/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxAuthConfig: the JSON file that says how tokens are to be had. One of
 *
 *   {"boxAppSettings": {"clientID", "clientSecret", "appAuth": {"publicKeyID", "privateKey",
 * "passphrase"}}, "enterpriseID" or "userID"}                                       Box's own: an
 * application with a key pair (JWT)
 *   {"client_id", "client_secret", "enterprise_id" or "user_id"}       client credentials
 *   {"client_id", "client_secret", "refresh_token"}                    OAuth 2 with a user's
 * consent; rewritten on each renewal
 *
 * Parsing is pure. Every error is BOX_ERROR_CREDENTIALS, and names the file and the field, never
 * the content.
 */
#pragma once

#include <gio/gio.h>

#include "auth/jwt.h"
#include "auth/token.h"

G_BEGIN_DECLS

/* Bytes that are read; Box's own file has about 2500. */
#define BOX_AUTH_CONFIG_LIMIT 131072

/* Room for the tokens and their times in a file that is rewritten. Bytes. */
#define BOX_AUTH_CONFIG_ROOM (4 * BOX_TOKEN_MAX_LENGTH + 64)

typedef enum
{
  BOX_AUTH_JWT,
  BOX_AUTH_CLIENT_CREDENTIALS,
  BOX_AUTH_REFRESH_TOKEN,
} BoxAuthKind;

/* Immutable. */
typedef struct
{
  BoxAuthKind kind;
  char *label; /* begins messages: "auth-config “FILE”" */
  char *client_id;
  char *client_secret;
  const char *subject_type; /* "enterprise" or "user"; NULL for REFRESH_TOKEN */
  char *subject_id;
  char *key_id;      /* JWT, and the four below */
  char *private_key; /* PEM */
  char *passphrase;  /* or NULL */
  BoxJwtAlgorithm algorithm;
  char *refresh_token; /* REFRESH_TOKEN, and the four below */
  char *access_token;  /* that came with it, or NULL */
  gint64 expires_at;   /* of the access token: Unix time, seconds; 0: not known */
  gint64 expires_in;   /* its whole life, seconds */
  char *text;          /* the whole file */
} BoxAuthConfig;

/* @label names the text in errors (BOX_ERROR_SETTINGS). */
BoxAuthConfig *
box_auth_config_parse (const char *label, const char *text, gsize length, GError **error);

typedef enum
{
  BOX_AUTH_CONFIG_BEGIN,
  BOX_AUTH_CONFIG_RENEW,
} BoxAuthConfigUse;

/* Reads and parses @path. @origin is the setting that named it. A file that is missing, unreadable
 * or not whole is BOX_ERROR_CREDENTIALS to begin with, and BOX_ERROR_TRANSIENT at a renewal, when
 * its supplier may be writing it. BOX_ERROR_SETTINGS: it is not a regular file, or too long. */
BoxAuthConfig *
box_auth_config_load (const char *origin, const char *path, BoxAuthConfigUse use, GError **error);

void box_auth_config_free (BoxAuthConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxAuthConfig, box_auth_config_free)

/* "jwt", "client-credentials", "refresh-token". */
const char *box_auth_kind_name (BoxAuthKind kind);

/* The private key of a JWT configuration. */
BoxKey *box_auth_config_open_key (const BoxAuthConfig *config, GError **error);

/* The text of the file after a renewal: @config's, with @token's refresh token, access token (NULL:
 * none) and expiry in place of the old ones; other members stay as they are written.
 * @now: Unix time, seconds. Free with box_secret_free(). */
char *box_auth_config_rewrite (const BoxAuthConfig *config, const BoxToken *token, gint64 now);

/*
 * BoxConfigFile: a configuration that is rewritten at each use, by several processes: lock it, make
 * sure that it can be written, use what is in it, replace it. At every moment the file is whole;
 * what replaces it is on the disk before it takes its place, and the next to lock it finds it
 * if the writer died in between.
 *
 *   store = box_config_file_lock (origin, path, cancellable, &error);
 *   config = box_config_file_get_config (store);
 *   box_config_file_prepare (store, &error);
 *   …use config->refresh_token…
 *   box_config_file_replace (store, text, &error);
 *   box_config_file_unlock (store);
 */
typedef struct _BoxConfigFile BoxConfigFile;

/* Waits for other processes and threads; reads the file under the lock. BOX_ERROR_CANCELLED, or as
 * box_auth_config_load() at a renewal; the configuration must be one with a refresh token. */
BoxConfigFile *box_config_file_lock (const char *origin, const char *path,
                                     GCancellable *cancellable, GError **error);
void box_config_file_unlock (BoxConfigFile *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxConfigFile, box_config_file_unlock)

/* Owned by @store. */
const BoxAuthConfig *box_config_file_get_config (BoxConfigFile *store);

/* Opens what will replace the file and reserves its space. BOX_ERROR_STORAGE, BOX_ERROR_SPACE:
 * nothing has been used up yet. */
gboolean box_config_file_prepare (BoxConfigFile *store, GError **error);

/* Puts @text in the file's place, durably; its mode and owner are kept. If that fails, @text is
 * kept in memory: to this process it is the file's content, and the next lock tries to write it
 * again. Any process that locks the file completes what had reached the disk. */
gboolean box_config_file_replace (BoxConfigFile *store, const char *text, GError **error);

G_END_DECLS
