/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxRefusal: what a reply says in words, and whose words they are. Box answers with a JSON object
 * that has a code, or, about tokens, with an empty body and "WWW-Authenticate: Bearer". Anything
 * else may be the answer of a gateway, a proxy or the login page of a network, and is not believed
 * for good. Pure.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "http/message.h"

G_BEGIN_DECLS

/**
 * BoxRefusal:
 * @is_box: the words are Box's own.
 * @code: Box's error code ("item_name_in_use"), or that of the token's refusal ("invalid_token").
 * @message: one printable line.
 * @reasons: what context_info says for people, one printable line.
 * @reason: the first of them as a word ("invalid_parameter").
 * @request_id: Box's, from the body.
 * @context: context_info where it is an object. A part that the message of a refused part names is
 *   in it as "conflicting_part", in whatever form Box named it.
 *
 * Each but the first may be NULL.
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
