/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuJwt: a JSON Web Token as Box wants it for its JWT grant. Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct
{
  JsonObject *header;
  JsonObject *claims;
  char *signed_part; /* what the signature is over */
  guchar *signature;
  gsize signature_size;
} EmuJwt;

/* NULL: @text is not a token. */
EmuJwt *emu_jwt_parse (const char *text);
void emu_jwt_free (EmuJwt *jwt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuJwt, emu_jwt_free)

/* Whether the signature (RS256, RS384, RS512 by the header) is by the key of @pem: a public key or
 * certificate. */
gboolean emu_jwt_verify (const EmuJwt *jwt, const char *pem);

G_END_DECLS
