/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ScriptServer: answers requests with given replies, one after the other, whatever was asked, and
 * remembers what was. "%s" in a reply's body becomes the server's base URL.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  guint status;
  const char *body;
  const char *headers; /* nullable; lines that end in \r\n */
} ScriptReply;

typedef struct _ScriptServer ScriptServer;

/* @replies: @n of them; the last one is repeated. */
ScriptServer *script_server_new (const ScriptReply *replies, guint n);
void script_server_free (ScriptServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ScriptServer, script_server_free)

/* "http://127.0.0.1:PORT" */
const char *script_server_get_base (ScriptServer *server);

guint script_server_get_requests (ScriptServer *server);

/* Of request @i, owned by the server. */
const char *script_server_get_head (ScriptServer *server, guint i);
GBytes *script_server_get_body (ScriptServer *server, guint i);
