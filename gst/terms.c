/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terms.h"

gboolean
sink_terms_is_replaceable (const SinkTerms *self, const GError *error)
{
  if (self->given_session || error->domain != BOX_ERROR)
    return FALSE;
  switch ((BoxErrorCode) error->code)
    {
    case BOX_ERROR_SESSION_GONE:
      return TRUE;
    case BOX_ERROR_SIZE:
      /* The recording may be smaller. */
      return self->reserve;
    case BOX_ERROR_NAME_IN_USE:
      /* Somebody took the name after the session was opened; another one is opened accordingly. */
      return self->if_exists != BOX_IF_EXISTS_ERROR;
    default:
      return FALSE;
    }
}

gboolean
sink_terms_is_for_others (const SinkTerms *self, const GError *error)
{
  return self->left_to_others && g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
}
