/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of BoxClient: the client itself and how every call is sent. */
#pragma once

#include "api/client.h"
#include "api/error.h"

G_BEGIN_DECLS

struct _BoxClient
{
  gatomicrefcount ref_count;

  /* immutable */
  char *endpoint;     /* without a slash at the end */
  char *api_endpoint; /* likewise */
  char *web_app;      /* origin of Box's web app; NULL: the API is not Box's */
  char *as_user;      /* nullable */
  BoxTransportConfig *config;
  BoxCredentials *credentials;

  /* atomic */
  gint64 clock;         /* Box's time less the monotonic clock, microseconds; 0: not known */
  gint64 doubted_since; /* monotonic: since when a 401 without Box's words is all; 0: it is not */
};

/* A word for the account behind @client, for what the process remembers of it: the token is part of
 * it, in a form that tells nothing. Free with g_free(). */
char *box_client_dup_owner (BoxClient *client, GCancellable *cancellable, GError **error);

/* @headers: name, value, name, value, NULL; NULL for none. Authorization and As-User are added. The
 * URL must belong to one of the client's endpoints (BOX_ERROR_TRUST). */
typedef struct
{
  const char *method;
  const char *url;
  const char *const *headers;
  const char *content_type; /* with @body */
  const BoxBody *body;      /* nullable */
  gboolean once;            /* @body cannot be sent again with another token */
} BoxClientCall;

/* Sends @call with a token, and once more with another one after a 401, unless it may be sent only
 * once. A 401 without Box's words is TRANSIENT at first, and believed if it comes again later: the
 * token may be as good as it was. Any other reply is returned, whatever its status. */
BoxReply *box_client_send (BoxClient *client, BoxTransport *transport, const BoxClientCall *call,
                           GCancellable *cancellable, GError **error);

/* The same with @root (nullable) as its JSON body. */
BoxReply *
box_client_send_json (BoxClient *client, BoxTransport *transport, const BoxClientCall *call,
                      JsonNode *root, GCancellable *cancellable, GError **error);

/* The JSON of a reply to GET; anything else is an error. @attempt completes "could not …". Free
 * with json_node_unref(). */
JsonNode *box_client_get_json (BoxClient *client, BoxTransport *transport, const char *url,
                               const char *attempt, GCancellable *cancellable, GError **error);

/* Whether a file may have @size bytes at all: JSON of Box's kind has no larger number than 2^63 - 1
 * (BOX_ERROR_SIZE). */
gboolean box_client_check_size (guint64 size, GError **error);

/* Adds the times and the description that are set as members of the object being built. */
void box_client_build_attributes (JsonBuilder *builder, const BoxAttributes *attributes);

/* Parses the file in a successful @reply and compares it with what was sent; if the reply does not
 * carry the SHA-1, the file is asked for. INTEGRITY; nonsense is TRANSIENT and unsure: it has
 * taken effect. */
BoxFile *box_client_verify_file (BoxClient *client, BoxTransport *transport, const BoxReply *reply,
                                 const BoxSha1 *sha1, guint64 size, const char *attempt,
                                 GCancellable *cancellable, GError **error);

/* The parts of @asked (BoxPart with SHA-512) that the body @reply of a plan says Box has: BoxPart
 * with Box's part ids and a free function, each once. BOX_ERROR_PROTOCOL: it is no such body. Pure.
 */
GPtrArray *box_plan_parse_hits (GBytes *reply, GPtrArray *asked, GError **error);

G_END_DECLS
