/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A BoxClient with the token "secret-token" at a ScriptServer, and Box's replies to play with. */
#pragma once

#include "api/client.h"

#include "script-server.h"

#include <string.h>

typedef struct
{
  ScriptServer *server;
  BoxClient *client;
  BoxTransport *transport;
} Fixture;

#define SHA1_OF_ABC "a9993e364706816aba3e25717850c26c9cd0d89d"
#define ENDPOINTS(base)                                                                            \
  "{\"upload_part\":\"" base "/s/5E55\",\"commit\":\"" base "/s/5E55/commit\",\"abort\":\"" base   \
  "/s/5E55/abort\",\"list_parts\":\"" base "/s/5E55/parts\",\"status\":\"" base "/s/5E55\"}"
#define SESSION(part_size, total_parts, base)                                                      \
  "{\"id\":\"5E55\",\"part_size\":" part_size ",\"total_parts\":" total_parts                      \
  ",\"session_endpoints\":" ENDPOINTS (base) "}"
#define STORED_FILE                                                                                \
  "{\"type\":\"file\",\"id\":\"12\",\"name\":\"a.mp4\",\"etag\":\"0\",\"size\":3,\"sha1\":"        \
  "\"" SHA1_OF_ABC "\",\"file_version\":{\"id\":\"34\"}}"

/* Begins the test program, without any credentials of the environment. */
void fixture_init_program (int *argc, char ***argv);

void fixture_init (Fixture *fixture, const ScriptReply *replies, guint n);
void fixture_init_as (Fixture *fixture, const ScriptReply *replies, guint n, const char *as_user);
void fixture_clear (Fixture *fixture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* Whether request @i has the header line "@name: @value". */
gboolean fixture_sent_header (Fixture *fixture, guint i, const char *name, const char *value);

/* Request @i's first line, without the version. */
void fixture_assert_asked (Fixture *fixture, guint i, const char *request);

/* Request @i's body as JSON equals @text. */
void fixture_assert_json (Fixture *fixture, guint i, const char *text);

/* Whether @error is one of BOX_ERROR with @code, and no secret in it. */
void fixture_assert_error (const GError *error, BoxErrorCode code);

/* The session that SESSION("3", "1", "%s") describes. */
BoxSession *fixture_new_session (Fixture *fixture);

void fixture_sha1_of_abc (BoxSha1 *sha1);
