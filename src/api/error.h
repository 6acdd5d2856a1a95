/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The meaning of Box's refusals: a table from a reply's status and code to a BoxErrorCode, and to a
 * message that says what was attempted, what Box said and what to do. BoxRefusal: the words of a
 * reply. Pure.
 */
#pragma once

#include "base/error.h"
#include "http/message.h"
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* What the request was about: "not found" means different things. */
typedef enum
{
  BOX_SUBJECT_ITEM,    /* a folder, a file, a user */
  BOX_SUBJECT_LOOKUP,  /* a session that is asked for by its id */
  BOX_SUBJECT_SESSION, /* a session that was open: its parts, its commit */
} BoxSubject;

/* @box_code: (nullable). */
BoxErrorCode box_api_classify (guint status, const char *box_code, BoxSubject subject);

/* The error of an unsuccessful @reply. @attempt completes "could not …". A reply that is not Box's
 * own (BoxRefusal) is TRANSIENT and unsure, whatever its status: a proxy or gateway may have sent
 * it. */
GError *box_api_error_from_reply (const BoxReply *reply, BoxSubject subject, const char *attempt);

/* The same for the question whether Box takes an upload: a refusal is its answer, and is said to be
 * one. */
GError *box_api_error_from_preflight (const BoxReply *reply, const char *attempt);

/* Whether a commit or upload that failed in passing (TRANSIENT) with @error may have worked, or may
 * still do so: it was answered, or lost, after all of it had left, and not by Box's word that it
 * was not done. Box carries out what it has answered with 503. */
gboolean box_api_may_work_late (const GError *error);

/* The error of a successful @reply whose body makes no sense (@reason, taken). @took_effect: it
 * changed something at Box, so that looking there can still tell how it ended: TRANSIENT and
 * unsure. What is no JSON at all is TRANSIENT, too: it may be a login page. */
GError *box_api_error_from_nonsense (const BoxReply *reply, gboolean took_effect,
                                     const char *attempt, GError *reason);

/**
 * BoxRefusal:
 * @is_box: the words are Box's own.
 * @code: Box's error code ("item_name_in_use"), or that of the token's refusal ("invalid_token").
 * @message: one printable line.
 * @reasons: what context_info says for people, one printable line.
 * @reason: the first of them as a word ("invalid_parameter").
 * @request_id: Box's, from the body.
 * @context: context_info if it is an object. If the message names a part that stands in the way,
 *   it is in here as "conflicting_part", in any of the forms that Box uses.
 *
 * What a reply says, and whose words they are; each but the first may be NULL. Box answers with a
 * JSON object that has a code, or, about tokens, with an empty body and "WWW-Authenticate: Bearer".
 * Anything else may be the answer of a gateway, a proxy or the login page of a network, and is not
 * believed for good.
 */
typedef struct
{
  gboolean is_box;
  char *code;
  char *message;
  char *reasons;
  char *reason;
  char *request_id;
  JsonNode *context;
} BoxRefusal;

/* Reads what @reply says; clear it afterwards. Never fails: a reply without words has none. */
void box_refusal_parse (BoxRefusal *refusal, const BoxReply *reply);
void box_refusal_clear (BoxRefusal *refusal);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BoxRefusal, box_refusal_clear)

/* Whether @context (nullable) has the member @name; with @value (nullable) whether it is that
 * string. */
gboolean box_refusal_context_has (JsonNode *context, const char *name, const char *value);

/* The type ("file", "folder") of the first item that stands in the way, or NULL. Free with
 * g_free(). */
char *box_refusal_dup_conflict_type (JsonNode *context);

G_END_DECLS
