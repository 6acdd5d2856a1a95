/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Box's refusals mean: a reply's status and code to a BoxErrorCode, in a table, and to words
 * that say what was attempted, what Box said and what to do. Pure.
 */
#pragma once

#include "base/error.h"
#include "http/message.h"

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

/* The error of a @reply that was not what was hoped for. @attempt completes "could not …". What is
 * not in Box's words (api/refusal.h) is TRANSIENT and unsure, whatever its status: what stands
 * between may have said it. */
GError *box_api_error_from_reply (const BoxReply *reply, BoxSubject subject, const char *attempt);

/* Whether a commit or upload that failed in passing (TRANSIENT) with @error may have worked, or may
 * still do so: it was answered, or lost, after all of it had left, and not by Box's word that it
 * was not done. Box carries out what it has answered with 503. */
gboolean box_api_may_work_late (const GError *error);

/* The error of a successful @reply whose body makes no sense (@reason, taken). @took_effect: it
 * changed something at Box, so that looking there can still tell how it ended: TRANSIENT and
 * unsure. What is no JSON at all is TRANSIENT, too: it may be a login page. */
GError *box_api_error_from_nonsense (const BoxReply *reply, gboolean took_effect,
                                     const char *attempt, GError *reason);

G_END_DECLS
