/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxGrant: one way to an access token, by a configuration. What a request says is built by pure
 * functions; the rest is sending it and keeping what came.
 */
#pragma once

#include "auth/config.h"
#include "auth/token-reply.h"
#include "http/transport.h"

G_BEGIN_DECLS

/* What a grant works with. Used by one thread at a time. */
typedef struct
{
  const char *origin; /* the setting that named the configuration */
  const char *path;   /* of the configuration */
  const char *token_url;
  BoxTransportConfig *transport_config;
  const char *const *refused; /* tokens that Box refused; NULL-terminated */
  const char *present;        /* the one to be replaced where Box has not refused it; nullable */
  gint64 *clock_skew; /* server's clock less ours, as far as known; seconds; kept between calls */
  GCancellable *cancellable;
} BoxGrantContext;

typedef struct
{
  /* Another token than those of the context. */
  BoxToken *(*obtain) (const BoxAuthConfig *config, const BoxGrantContext *context, GError **error);
} BoxGrant;

extern const BoxGrant box_grant_jwt;
extern const BoxGrant box_grant_client;
extern const BoxGrant box_grant_refresh;

/* The grant of @kind. */
const BoxGrant *box_grant_for (BoxAuthKind kind);

/* A form (application/x-www-form-urlencoded) of name, value, name, value, NULL. Free with
 * box_secret_free(). */
char *box_grant_form (const char *name, ...) G_GNUC_NULL_TERMINATED;

/* The forms of the grants. */
char *box_grant_jwt_form (const BoxAuthConfig *config, BoxKey *key, const char *id, gint64 now,
                          GError **error);
char *box_grant_client_form (const BoxAuthConfig *config);
char *box_grant_refresh_form (const BoxAuthConfig *config);
char *box_grant_exchange_form (const char *token, const char *folder_id);

/* Sends @form (taken, overwritten) to the token endpoint, over a connection of its own. */
BoxReply *box_grant_send (const BoxGrantContext *context, char *form, GError **error);

G_END_DECLS
