/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuCall: one request and its reply, as the handlers of routes see them. It lives in its
 * connection's thread. Scenario rules strike while it goes on: in emu_call_read(), and around the
 * handler (routes/exchange.c).
 */
#pragma once

#include "emulator/http/connection.h"
#include "emulator/routes/world.h"

G_BEGIN_DECLS

typedef struct _EmuCall EmuCall;
typedef void (*EmuHandler) (EmuCall *call);

/* Whether a rule, or the network, has taken the call out of its handler's hands. */
typedef enum
{
  EMU_VERDICT_NONE,
  EMU_VERDICT_REPLY, /* the reply is decided: send it */
  EMU_VERDICT_LOST,  /* nothing more can be sent */
} EmuVerdict;

typedef struct
{
  const char *name; /* in the log, and for rules */
  const char *method;
  const char *path; /* below the API's root; ":id" stands for one segment, "*" for two at the end */
  gboolean streams; /* the handler reads the body, else it has it whole */
  gboolean open;    /* needs no token */
  EmuHandler handler;
} EmuRoute;

struct _EmuCall
{
  EmuWorld *world;
  EmuConnection *connection; /* NULL: a late call (routes/late.h), answered long ago */

  /* the request */
  guint number; /* in the log */
  gboolean tls;
  const EmuRoute *route;
  char *method;
  char *path; /* with the query */
  SoupMessageHeaders *headers;
  SoupHTTPVersion version;
  char *id;          /* for ":id", or NULL */
  char *tail;        /* for "*", or NULL */
  GHashTable *query; /* of char *, never NULL */
  char *token;       /* bearer, or NULL */
  gint64 offset;     /* first byte by Content-Range, -1: none */
  EmuIdentity identity;
  GByteArray *body; /* unless the route streams; of a late call always */
  JsonObject *json; /* the body, if it is a JSON object */

  /* faults */
  GPtrArray *rules; /* of EmuRule */
  guint64 body_read;
  EmuVerdict verdict;

  /* the reply */
  guint status; /* 0: not decided */
  SoupMessageHeaders *reply_headers;
  GBytes *reply_body;     /* NULL: empty */
  JsonObject *reply_json; /* instead, until it is sent */
  char *reply_file;       /* instead: from file_offset, file_length bytes */
  guint64 file_offset;
  guint64 file_length;
  gboolean foreign; /* it is not Box's own */
  gboolean close;   /* the connection ends after it */
  gboolean endless;
  gboolean read_on;      /* it is sent early, and the request is read to its end */
  gboolean keeps_pieces; /* a file that is cut is stored as far as it came */
  const EmuRule *drip;   /* it goes out a byte at a time from here on */
};

/* @connection NULL: a late call. */
EmuCall *emu_call_new (EmuWorld *world, EmuConnection *connection);
void emu_call_free (EmuCall *call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuCall, emu_call_free)

/* Refuses a call of a token or user that is not good; else its identity is set. */
gboolean emu_call_authorise (EmuCall *call);

/* Counts a call that was authorised; refuses it with 429 if its user has had too many this minute.
 */
gboolean emu_call_check_limits (EmuCall *call);

/* --- for handlers ------------------------------------------------------------------------------
 */

/* Streams the body. 0: it is over; -1: the call has been taken away, return. */
gssize emu_call_read (EmuCall *call, gpointer data, gsize size);

/* NULL or the default if it is absent. */
const char *emu_call_get_header (EmuCall *call, const char *name);
const char *emu_call_get_query (EmuCall *call, const char *name);
gint64 emu_call_get_query_int (EmuCall *call, const char *name, gint64 fallback);

/* Refuses a bad token with 401; fills @identity (may be NULL) from a good one. */
gboolean emu_call_check_token (EmuCall *call, EmuIdentity *identity);

/* "https://host:port" as the client called it; free with g_free(). */
char *emu_call_get_origin (EmuCall *call);

/* The same for the host of uploads, if that is another one. */
char *emu_call_get_upload_origin (EmuCall *call);

/* The replies take their JSON. */
void emu_call_reply (EmuCall *call, guint status);
void emu_call_reply_json (EmuCall *call, guint status, JsonObject *object);
void emu_call_reply_problem (EmuCall *call, const EmuProblem *problem);
void emu_call_refuse (EmuCall *call, guint status, const char *code, const char *message);

/* A representation reduced to what the query's "fields" asks for. */
JsonObject *emu_call_select (EmuCall *call, JsonObject *object);

/* {"total_count":1,"entries":[FILE]}, as uploads answer. Takes @file. */
void emu_call_reply_file (EmuCall *call, JsonObject *file);

/* Refuses with 403 what the token's folder does not cover; @folder is a folder's id. */
gboolean emu_call_check_scope (EmuCall *call, const char *folder, EmuProblem *problem);

/* A downscoped token may upload, and look at what it uploads; nothing else: 403. */
gboolean emu_call_check_full (EmuCall *call);

/* Refuses with 415 a body that is not @type. */
gboolean emu_call_check_type (EmuCall *call, const char *type);

G_END_DECLS
