/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/policy.h"

#include "api/error.h"
#include "base/error.h"

/* Gateways and portals answer, too, but not with Box's error object. A 401 of Box may be empty. */
static gboolean
is_own_word (const BoxErrorDetails *details)
{
  return details->http_status == 0 || details->http_status == 401 || details->box_code != NULL;
}

gboolean
box_policy_is_for_others (const BoxTerms *terms, const GError *error)
{
  const char *code = box_error_get_details (error)->box_code;

  return terms->left_to_others
         && (g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS)
             || (g_error_matches (error, BOX_ERROR, BOX_ERROR_FORBIDDEN)
                 && g_strcmp0 (code, "insufficient_scope") == 0));
}

gboolean
box_policy_has_way (const BoxTerms *terms, const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  g_autofree char *type = NULL;

  /* A file in the place of a folder of the path is no answer about the name. */
  if (!g_error_matches (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE) || details->http_status == 0)
    return FALSE;
  type = box_refusal_dup_conflict_type (details->context);
  return terms->if_exists == BOX_IF_EXISTS_RENAME
         || (terms->if_exists == BOX_IF_EXISTS_VERSION && g_strcmp0 (type, "folder") != 0);
}

gboolean
box_policy_refuses_settings (const BoxTerms *terms, const GError *error)
{
  if (error->domain != BOX_ERROR || box_policy_is_for_others (terms, error)
      || !is_own_word (box_error_get_details (error)))
    return FALSE;
  switch ((BoxErrorCode) error->code)
    {
    case BOX_ERROR_CREDENTIALS:
    case BOX_ERROR_FORBIDDEN:
    case BOX_ERROR_NOT_FOUND:
    case BOX_ERROR_SETTINGS:
      return TRUE;
    case BOX_ERROR_NAME_IN_USE:
      return !box_policy_has_way (terms, error);
    case BOX_ERROR_SESSION_GONE:
    case BOX_ERROR_SIZE:
      return terms->given_session;
    default:
      return FALSE;
    }
}

gboolean
box_policy_another_upload_can_mend (const GError *error)
{
  if (error->domain != BOX_ERROR)
    return FALSE;
  switch ((BoxErrorCode) error->code)
    {
    /* Given up: it was tried again for as long as the settings say. */
    case BOX_ERROR_TRANSIENT:
    /* The disk. */
    case BOX_ERROR_STORAGE:
    case BOX_ERROR_CANCELLED:
      return FALSE;
    default:
      return TRUE;
    }
}

/* Whether Box, or what stands before it, has answered about the session's own URLs, not about a
 * moment or an account. */
static gboolean
is_answer_about_session (const GError *error)
{
  guint status = box_error_get_details (error)->http_status;

  return (status >= 200 && status < 500 && status != 407 && status != 408 && status != 429)
         || status == 501 || status == 505;
}

/* The bytes in the session are not the recording's. After a commit the wrong bytes may be a file's,
 * and another commit would make a second one. */
static gboolean
is_wrong_content (const BoxSessionFacts *facts, const GError *error)
{
  return box_error_get_details (error)->http_status >= 400 || !facts->commit_begun;
}

/* Whether the session of an earlier run does not help for reasons of its own. This machine, the
 * credentials and the account's space meet every session alike. */
static gboolean
is_useless (const BoxSessionFacts *facts, const GError *error)
{
  switch ((BoxErrorCode) error->code)
    {
    case BOX_ERROR_NOT_FOUND:
    case BOX_ERROR_FORBIDDEN:
    case BOX_ERROR_CONFLICT:
    case BOX_ERROR_SIZE:
    case BOX_ERROR_PROTOCOL:
      return TRUE;
    case BOX_ERROR_INTEGRITY:
      return facts->opened && is_wrong_content (facts, error);
    case BOX_ERROR_SETTINGS:
    case BOX_ERROR_TRANSIENT:
      return is_answer_about_session (error);
    default:
      return FALSE;
    }
}

/* The commit was refused for bytes that this very run has sent: a disk, or a part that came late
 * from somewhere else, has changed them. That is worth one session more; waiting is of no use. */
static gboolean
is_wrong_once (const BoxSessionFacts *facts, const GError *error)
{
  return error->code == BOX_ERROR_INTEGRITY && facts->opened && facts->commit_begun
         && !facts->another && box_error_get_details (error)->http_status >= 400;
}

gboolean
box_policy_another_session_can_mend (const BoxSessionFacts *facts, const GError *error)
{
  if (facts->given || error->domain != BOX_ERROR)
    return FALSE;
  if (error->code == BOX_ERROR_SESSION_GONE)
    return TRUE;
  /* Somebody took the name after the session was opened. */
  if (error->code == BOX_ERROR_NAME_IN_USE)
    return facts->opened && facts->if_exists != BOX_IF_EXISTS_ERROR;
  return is_wrong_once (facts, error) || (facts->continued && is_useless (facts, error));
}

gboolean
box_delivery_phase_is_end (BoxDeliveryPhase phase)
{
  return phase >= BOX_DELIVERY_SPOOLED;
}

static BoxDeliveryStep
step (BoxDeliveryStepKind kind)
{
  return (BoxDeliveryStep){ .kind = kind };
}

static BoxDeliveryStep
enter (BoxDeliveryPhase phase)
{
  return (BoxDeliveryStep){ .kind = BOX_DELIVERY_ENTER, .phase = phase };
}

static BoxDeliveryStep
next_while_uploading (const BoxDeliveryFacts *facts)
{
  switch (facts->carrier)
    {
    case BOX_CARRIER_RUNNING:
      return step (BOX_DELIVERY_AWAIT);
    case BOX_CARRIER_DONE:
      if (facts->empty)
        return enter (BOX_DELIVERY_EMPTY);
      if (facts->committed && facts->to_settle && !facts->settled)
        return step (BOX_DELIVERY_SETTLE);
      if (facts->committed && facts->spooled && !facts->cleared)
        return step (BOX_DELIVERY_CLEAR);
      return enter (facts->committed ? BOX_DELIVERY_COMMITTED : BOX_DELIVERY_FILLED);
    case BOX_CARRIER_NONE:
    case BOX_CARRIER_FAILED:
      break;
    }
  if (facts->spooled && !facts->again && (facts->carrier == BOX_CARRIER_NONE || facts->mendable))
    return step (BOX_DELIVERY_RESEND);
  return enter (BOX_DELIVERY_FAILED);
}

BoxDeliveryStep
box_delivery_next (const BoxDeliveryFacts *facts)
{
  gboolean lost = !facts->spooled && facts->carrier == BOX_CARRIER_FAILED;
  gboolean there = facts->committed && facts->carrier == BOX_CARRIER_DONE;

  if (box_delivery_phase_is_end (facts->phase))
    return step (BOX_DELIVERY_STOP);
  if ((facts->broken && !there) || lost)
    return enter (BOX_DELIVERY_FAILED);
  if (facts->phase == BOX_DELIVERY_UPLOADING)
    return next_while_uploading (facts);
  if (facts->phase == BOX_DELIVERY_ENDING)
    {
      if (!facts->closed)
        return step (BOX_DELIVERY_CLOSE);
      return enter (facts->left_to_others ? BOX_DELIVERY_SPOOLED : BOX_DELIVERY_UPLOADING);
    }
  if (!facts->finished)
    return step (BOX_DELIVERY_WAIT);
  return enter (facts->empty ? BOX_DELIVERY_EMPTY : BOX_DELIVERY_ENDING);
}
