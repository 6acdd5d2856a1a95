/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A token endpoint on loopback, in its own thread, with prepared answers. It keeps the requests,
 * and checks only that they have no cookie (the emulator checks the rest).
 */
#pragma once

#include <glib.h>

/* NULL or 0: the default, which is a token "access-N" and a refresh token "refresh-N" (N: number of
 * the request, from 1). */
typedef struct
{
  guint status;
  const char *body;
  const char *retry_after;
  const char *location;
  const char *date; /* the Date header */
  const char *set_cookie;
  guint expires_in; /* of the default's token: 3600 */
  gboolean hold;    /* answer only after token_server_release() */
} TokenAnswer;

typedef struct _TokenServer TokenServer;

/* @answers: for the first, second, … request; the last is repeated. Copied; the strings must
 * outlive the server. */
TokenServer *token_server_new (const TokenAnswer *answers, guint n_answers);
void token_server_free (TokenServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenServer, token_server_free)

/* The URL of its endpoint. */
const char *token_server_get_url (TokenServer *server);

guint token_server_count (TokenServer *server);

/* Waits until @n requests have come. */
void token_server_wait (TokenServer *server, guint n);

/* A field of the form of the request with this number (from 1); NULL: it had none. Free with
 * g_free(). */
char *token_server_get_field (TokenServer *server, guint number, const char *name);

/* Lets the held ones go, and holds no more. */
void token_server_release (TokenServer *server);
