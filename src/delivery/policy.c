/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/policy.h"

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
  return terms->left_to_others && g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
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
      return terms->if_exists == BOX_IF_EXISTS_ERROR;
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
