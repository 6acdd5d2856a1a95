/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Shared by the emulator's own tests: an emulator with small parts, and a plain client.
 */
#pragma once

#include "emulator/box-emulator.h"
#include "kit/patience.h"
#include "kit/pattern.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define PART 1000

typedef struct
{
  BoxEmulator *emulator;
  SoupSession *http;
} Fixture;

/* Options are those of an emulator with parts of PART bytes and no minimal size. */
extern const BoxEmulatorOptions small;

void fixture_set_up (Fixture *fixture, gconstpointer options);
void fixture_tear_down (Fixture *fixture, gconstpointer options);

/* A test with an emulator; @options: BoxEmulatorOptions, or NULL for small. */
#define ADD_TEST(path, function, options)                                                          \
  g_test_add (path, Fixture, (options) != NULL ? (options) : &small, fixture_set_up, function,     \
              fixture_tear_down)

typedef struct
{
  guint status; /* 0: no answer */
  SoupMessageHeaders *headers;
  GBytes *body;
  JsonObject *json; /* NULL: is not an object */
} Answer;

void answer_free (Answer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Answer, answer_free)

#define OCTETS "Content-Type: application/octet-stream"

/* Sends a request with token "t" to @path below the API's root, or to an absolute URL. The headers
 * ("Name: value") end with NULL. A body is JSON unless they say otherwise. */
Answer *ask (Fixture *fixture, const char *method, const char *path, const char *body,
             ...) G_GNUC_NULL_TERMINATED;
Answer *ask_bytes (Fixture *fixture, const char *method, const char *path, GBytes *body,
                   const char *const *headers);

/* A connection of its own, on which @request was written. */
GSocketConnection *connect_and_say (Fixture *fixture, const char *request);

/* Whether the answer is an error of this status and code. */
void assert_refused (Answer *answer, guint status, const char *code);

/* The same of the upload service's own form: code, message and request_id, nothing else. */
void assert_upload_refused (Answer *answer, guint status, const char *code);

/* Whether the answer has no body, and WWW-Authenticate with this error (NULL: with none). */
void assert_challenged (Answer *answer, guint status, const char *error);

/* A member of the answer by names that end with NULL. */
const char *get_string (Answer *answer, ...) G_GNUC_NULL_TERMINATED;
gint64 get_int (Answer *answer, const char *name);

/* Also closes the client's connections: libsoup repeats a request by itself if an idle connection
 * is reset. */
void load_scenario (Fixture *fixture, const char *json);

char *sha1_hex (GBytes *bytes);
char *sha1_base64 (GBytes *bytes);

/* Creates a session for "NAME" in the root; the result is its id. */
char *create_session (Fixture *fixture, const char *name, gsize size);

/* PUTs the part of @data at @offset. */
Answer *put_part (Fixture *fixture, const char *session, GBytes *data, gsize offset);

/* PUTs all parts; the result is the body of a commit. */
char *put_all (Fixture *fixture, const char *session, GBytes *data);
Answer *commit (Fixture *fixture, const char *session, GBytes *data, const char *body);

G_END_DECLS
