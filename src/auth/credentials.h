/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxCredentials: the source of access tokens, shared by all threads of an upload. Threads share a
 * renewal: while one thread asks, the others wait for its answer. No token appears in any message
 * or log of this module.
 */
#pragma once

#include "http/transport.h"

G_BEGIN_DECLS

typedef struct _BoxCredentials BoxCredentials;

/**
 * BoxCredentialsSettings:
 * @access_token: (nullable): a token, as it is.
 * @token_file: (nullable): a file whose first line is a token; read again after a 401 and when it
 * has changed.
 * @auth_config: (nullable): a JSON file: Box's app configuration (JWT), client credentials or a
 * refresh token.
 * @token_url: where tokens are issued (the API endpoint's origin with /oauth2/token).
 * @use_environment: whether BOX_ACCESS_TOKEN, BOX_TOKEN_FILE and BOX_AUTH_CONFIG are asked after
 * these, in this order.
 *
 * The first that is set is used.
 */
typedef struct
{
  const char *access_token;
  const char *token_file;
  const char *auth_config;
  const char *token_url;
  gboolean use_environment;
} BoxCredentialsSettings;

/* Makes all checks that need no network (unless access_token is given), and logs a message if
 * everybody can read a file with secrets. BOX_ERROR_SETTINGS or BOX_ERROR_CREDENTIALS names the
 * file and the field, never the content. Without any setting a request function must be given
 * later. */
BoxCredentials *box_credentials_new (const BoxCredentialsSettings *settings,
                                     BoxTransportConfig *config, GError **error);
void box_credentials_free (BoxCredentials *credentials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxCredentials, box_credentials_free)

/* A new access token from the application; takes effect with the next request. NULL takes it away.
 */
void box_credentials_set_access_token (BoxCredentials *credentials, const char *token);

/* Asks the application for a token before a refusal becomes an error: returns a token (taken) or
 * NULL. It is called without locks, in a separate thread with a time limit, so that an
 * application that never answers does not stop an upload forever.
 * @destroy is called on @user_data when it is no longer needed. NULL as @request takes it away. */
typedef char *(*BoxTokenRequest) (gpointer user_data);
void box_credentials_set_request (BoxCredentials *credentials, BoxTokenRequest request,
                                  gpointer user_data, GDestroyNotify destroy);

/* Time limit for the application's answer (microseconds); 0: 30 seconds, the default. */
void box_credentials_set_request_limit (BoxCredentials *credentials, gint64 limit);

/**
 * box_credentials_get_token:
 * @refused: (nullable): the token that got a 401; another one is wanted.
 * @lasting: seconds for which the token is needed. A token that expires earlier is renewed first,
 * if possible. 0: now only.
 *
 * A token to use now. Tokens are renewed over a separate connection, in the background while
 * the old token is still valid. Otherwise this waits, and all waiting threads share the answer.
 * Errors: BOX_ERROR_CREDENTIALS or BOX_ERROR_SETTINGS (no token, or refused), BOX_ERROR_TRANSIENT
 * (token endpoint unreachable), BOX_ERROR_CANCELLED. Free with box_credentials_free_token().
 */
char *box_credentials_get_token (BoxCredentials *credentials, const char *refused, guint lasting,
                                 GCancellable *cancellable, GError **error);

/**
 * BoxCredentialsInfo:
 * @grant: "auth-config" (unreadable by now), "access-token", "token-file", "jwt",
 * "client-credentials", "refresh-token", "application" or "none".
 * @origin: the setting that named it: "access-token", "BOX_TOKEN_FILE", …; NULL for "none".
 * @path: the file, or NULL.
 * @subject: its user or enterprise, if the configuration says: "enterprise 123", "user 45"; or
 * NULL.
 * @expires: when the present token expires (Unix time, seconds); 0: not known.
 * @warning: advice to the owner of the credentials, or NULL.
 *
 * Facts about credentials that are known without asking Box; no secret.
 */
typedef struct
{
  const char *grant;
  char *origin;
  char *path;
  char *subject;
  gint64 expires;
  char *warning;
} BoxCredentialsInfo;

/* Reads nothing and asks nobody. Free with box_credentials_info_free(). */
BoxCredentialsInfo *box_credentials_describe (BoxCredentials *credentials);
void box_credentials_info_free (BoxCredentialsInfo *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxCredentialsInfo, box_credentials_info_free)

/**
 * box_credentials_downscope:
 * @folder_id: digits.
 * @expires_in: (out) (optional): how long it lasts, seconds; 0: not known.
 *
 * A token that can only upload into one folder (and the folders below it), for machines that
 * need no other rights. It cannot be renewed. Errors as for box_credentials_get_token(). Free
 * with box_credentials_free_token().
 */
char *box_credentials_downscope (BoxCredentials *credentials, const char *folder_id,
                                 gint64 *expires_in, GCancellable *cancellable, GError **error);

/* Overwrites @token before it is freed. NULL is fine. */
void box_credentials_free_token (char *token);

G_END_DECLS
