/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

typedef BoxErrorDetails BoxErrorPrivate;

static void
box_error_private_init (BoxErrorPrivate *details)
{
  details->retry_after = -1;
}

static void
box_error_private_copy (const BoxErrorPrivate *from, BoxErrorPrivate *to)
{
  *to = *from;
  to->box_code = g_strdup (from->box_code);
  to->request_id = g_strdup (from->request_id);
  to->context = from->context != NULL ? json_node_copy (from->context) : NULL;
}

static void
box_error_private_clear (BoxErrorPrivate *details)
{
  g_free (details->box_code);
  g_free (details->request_id);
  g_clear_pointer (&details->context, json_node_unref);
}

/* GError copies the private part also for g_error_copy() and g_propagate_error() of literal errors.
 */
G_DEFINE_EXTENDED_ERROR (BoxError, box_error)

const char *
box_error_get_kind (const GError *error)
{
  static const char *const kinds[] = {
    [BOX_ERROR_TRANSIENT] = "transient",   [BOX_ERROR_CREDENTIALS] = "credentials",
    [BOX_ERROR_TRUST] = "trust",           [BOX_ERROR_FORBIDDEN] = "forbidden",
    [BOX_ERROR_NOT_FOUND] = "not-found",   [BOX_ERROR_NAME_IN_USE] = "name-in-use",
    [BOX_ERROR_SETTINGS] = "settings",     [BOX_ERROR_SIZE] = "size",
    [BOX_ERROR_SPACE] = "space",           [BOX_ERROR_SESSION_GONE] = "session-gone",
    [BOX_ERROR_CONFLICT] = "conflict",     [BOX_ERROR_INTEGRITY] = "integrity",
    [BOX_ERROR_STORAGE] = "storage",       [BOX_ERROR_PROTOCOL] = "protocol",
    [BOX_ERROR_CANCELLED] = "interrupted", [BOX_ERROR_BUSY] = "busy",
  };

  return kinds[error->code];
}

const BoxErrorDetails *
box_error_get_details (const GError *error)
{
  static const BoxErrorDetails none = { .retry_after = -1 };

  if (error == NULL || error->domain != BOX_ERROR)
    return &none;
  return box_error_get_private (error);
}

GError *
box_error_new_with_details (BoxErrorCode code, const BoxErrorDetails *details, const char *format,
                            ...)
{
  GError *error;
  va_list args;

  va_start (args, format);
  error = g_error_new_valist (BOX_ERROR, (gint) code, format, args);
  va_end (args);

  if (details != NULL)
    {
      BoxErrorPrivate *private = box_error_get_private (error);

      box_error_private_clear (private);
      box_error_private_copy (details, private);
    }
  return error;
}

gboolean
box_error_is_transient (const GError *error)
{
  return g_error_matches (error, BOX_ERROR, BOX_ERROR_TRANSIENT);
}
