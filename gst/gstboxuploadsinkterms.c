/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstboxuploadsinkterms.h"

#include "box-error.h"

gboolean
gst_box_upload_sink_terms_is_for_others (const GstBoxUploadSinkTerms *self, const GError *error)
{
  return self->left_to_others && g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
}
