/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxError: the one error domain. Its codes say who must act, so that one function can map them to
 * the GStreamer bus, and one to exit codes. An error also carries Box's answer
 * (box_error_get_details()).
 */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define BOX_ERROR (box_error_quark ())

/**
 * BoxErrorCode:
 * @BOX_ERROR_TRANSIENT: nobody has to act; the same request can work later (network, 429, 5xx).
 * @BOX_ERROR_CREDENTIALS: the owner of the credentials: a token or configuration was refused.
 * @BOX_ERROR_TRUST: the administrator: untrusted certificate, or a credential would be sent in
 * clear text.
 * @BOX_ERROR_FORBIDDEN: the owner of the folder: this identity may not do this.
 * @BOX_ERROR_NOT_FOUND: the user: the folder, file or session does not exist.
 * @BOX_ERROR_NAME_IN_USE: the user: the name is taken (the details carry the conflicting file).
 * @BOX_ERROR_SETTINGS: the user: a setting is missing, contradictory or refused.
 * @BOX_ERROR_SIZE: the user: the stream's length does not fit what was declared.
 * @BOX_ERROR_SPACE: the user: free space on Box or on the disk.
 * @BOX_ERROR_SESSION_GONE: the program: the session expired or failed; upload the bytes again.
 * @BOX_ERROR_CONFLICT: the program: a precondition failed, a range overlaps (409, 412, 416).
 * @BOX_ERROR_BUSY: nobody: another process has the recording, or has just finished it.
 * @BOX_ERROR_INTEGRITY: nobody can mend it: the bytes at Box are not the bytes sent.
 * @BOX_ERROR_STORAGE: the administrator: a local file cannot be read or written.
 * @BOX_ERROR_PROTOCOL: report a bug: the reply makes no sense.
 * @BOX_ERROR_CANCELLED: nobody: the operation was cancelled.
 */
typedef enum
{
  BOX_ERROR_TRANSIENT,
  BOX_ERROR_CREDENTIALS,
  BOX_ERROR_TRUST,
  BOX_ERROR_FORBIDDEN,
  BOX_ERROR_NOT_FOUND,
  BOX_ERROR_NAME_IN_USE,
  BOX_ERROR_SETTINGS,
  BOX_ERROR_SIZE,
  BOX_ERROR_SPACE,
  BOX_ERROR_SESSION_GONE,
  BOX_ERROR_CONFLICT,
  BOX_ERROR_INTEGRITY,
  BOX_ERROR_STORAGE,
  BOX_ERROR_PROTOCOL,
  BOX_ERROR_CANCELLED,
  BOX_ERROR_BUSY,
} BoxErrorCode;

/**
 * BoxErrorDetails:
 * @http_status: the status of the reply, 0 without a reply.
 * @retry_after: seconds the server asked to wait, -1 if it did not say.
 * @unsure: the request may have taken effect although it failed (connection lost after part of it
 *   was sent, 500, 502, 503, 504): look before repeating it.
 * @slow: time was up while a large body was being sent, or after it: more time, and fewer parts at
 *   the same time, can help.
 * @box_code: Box's error code ("item_name_in_use"), or %NULL.
 * @request_id: Box's request id, for its support, or %NULL.
 * @context: the reply's context_info (an object), or %NULL.
 */
typedef struct
{
  guint http_status;
  gint retry_after;
  gboolean unsure;
  gboolean slow;
  char *box_code;
  char *request_id;
  JsonNode *context;
} BoxErrorDetails;

GQuark box_error_quark (void);

/* The details of @error, owned by it; an empty constant if @error is NULL or of another domain.
 */
const BoxErrorDetails *box_error_get_details (const GError *error);

/* A new error that takes a deep copy of @details (which may be NULL). Free with g_error_free(). */
GError *box_error_new_with_details (BoxErrorCode code, const BoxErrorDetails *details,
                                    const char *format, ...) G_GNUC_PRINTF (3, 4);

/* The code of @error, of this domain, as a word: "transient", "name-in-use". */
const char *box_error_get_kind (const GError *error);

/* Whether the same request can work later: BOX_ERROR_TRANSIENT. */
gboolean box_error_is_transient (const GError *error);

G_END_DECLS
