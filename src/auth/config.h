/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxAuthConfig: the JSON file with the settings for obtaining tokens. One of
 *
 *   Box's own, of an application with a key pair (JWT):
 *     {"boxAppSettings": {"clientID", "clientSecret",
 *                         "appAuth": {"publicKeyID", "privateKey", "passphrase"}},
 *      "enterpriseID" or "userID"}
 *   client credentials:
 *     {"client_id", "client_secret", "enterprise_id" or "user_id"}
 *   OAuth 2 with a user's consent; rewritten on each renewal:
 *     {"client_id", "client_secret", "refresh_token"}
 *
 * Parsing is pure. Every error is BOX_ERROR_CREDENTIALS, and names the file and the field, never
 * the content.
 */
#pragma once

#include <gio/gio.h>

#include "auth/jwt.h"
#include "auth/token.h"

G_BEGIN_DECLS

/* Largest file that is read, in bytes; Box's own file has about 2500. */
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

/* Reads and parses @path. @origin is the setting that named it. A missing, unreadable or incomplete
 * file is BOX_ERROR_CREDENTIALS at first, and BOX_ERROR_TRANSIENT at a renewal, because another
 * program may be writing it. BOX_ERROR_SETTINGS: it is not a regular file, or too long. */
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
 * sure that it can be written, use its token, replace it. The file is whole at every moment. The
 * new content is on the disk before it takes the file's place. If the writer dies in between, the
 * next process that locks the file finds it.
 *
 *   file = box_config_file_lock (origin, path, cancellable, &error);
 *   config = box_config_file_get_config (file);
 *   box_config_file_prepare (file, &error);
 *   …use config->refresh_token…
 *   box_config_file_replace (file, text, &error);
 *   box_config_file_unlock (file);
 */
typedef struct _BoxConfigFile BoxConfigFile;

/* Waits for other processes and threads; reads the file under the lock. BOX_ERROR_CANCELLED, or as
 * box_auth_config_load() at a renewal; the configuration must be one with a refresh token. */
BoxConfigFile *box_config_file_lock (const char *origin, const char *path,
                                     GCancellable *cancellable, GError **error);
void box_config_file_unlock (BoxConfigFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxConfigFile, box_config_file_unlock)

/* Owned by @file. */
const BoxAuthConfig *box_config_file_get_config (BoxConfigFile *file);

/* Opens the replacement of the file and reserves its space. BOX_ERROR_STORAGE, BOX_ERROR_SPACE: the
 * refresh token has not been used yet. */
gboolean box_config_file_prepare (BoxConfigFile *file, GError **error);

/* Replaces the file by @text, durably; its mode and owner are kept. If this fails, @text is
 * kept in memory: this process uses it as the file's content, and the next lock tries to write it
 * again. If the new content had reached the disk, the next process that locks the file installs it.
 */
gboolean box_config_file_replace (BoxConfigFile *file, const char *text, GError **error);

G_END_DECLS
