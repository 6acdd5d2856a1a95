/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxTokenSource: where tokens come from by the settings: a file, a configuration, the environment.
 * Immutable but for the clock skew; obtaining a token may take long and is done by one thread at a
 * time.
 */
#pragma once

#include "auth/credentials.h"
#include "auth/token.h"
#include "base/secret.h"

G_BEGIN_DECLS

typedef enum
{
  BOX_TOKEN_SOURCE_NONE,
  BOX_TOKEN_SOURCE_TOKEN,
  BOX_TOKEN_SOURCE_FILE,
  BOX_TOKEN_SOURCE_CONFIG,
} BoxTokenSourceKind;

typedef struct
{
  BoxTokenSourceKind kind;
  char *origin; /* the setting or variable that named it; NULL for NONE */
  char *path;   /* FILE, CONFIG */
  char *token;  /* TOKEN */
  char *token_url;
  BoxTransportConfig *transport_config; /* nullable */
  gint64 clock_skew; /* of the token endpoint; seconds; whoever obtains a token */
} BoxTokenSource;

/* The first of @settings, access_token aside, that is set. Nothing is read. */
BoxTokenSource *
box_token_source_new (const BoxCredentialsSettings *settings, BoxTransportConfig *config);
void box_token_source_free (BoxTokenSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxTokenSource, box_token_source_free)

/* What can be had and checked without the network, of a FILE or CONFIG: *@token stays NULL where
 * one must be asked for.
 * @rotates: whether obtaining a token uses up what it is obtained with, so that it must not be cut
 * short. */
gboolean box_token_source_open (const BoxTokenSource *source, BoxToken **token, gboolean *rotates,
                                GError **error);

/* Of a FILE or CONFIG: another token than those @refused (NULL-terminated), and a later one than
 * @present (nullable) where there can be. A file that is gone, empty or not whole for the
 * moment is BOX_ERROR_TRANSIENT: whoever supplies it may be writing it. */
BoxToken *box_token_source_obtain (BoxTokenSource *source, const char *const *refused,
                                   const char *present, GCancellable *cancellable, GError **error);

G_END_DECLS
