/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GstBoxUploadSinkTerms: what of a recording's settings decides whether it goes on when the upload
 * beside it has failed. Pure.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gboolean left_to_others; /* eos-mode=spool: whoever uploads the spool has its own credentials */
} GstBoxUploadSinkTerms;

/* Whether @error says that the recorder's credentials are refused or missing where it needs none.
 */
gboolean
gst_box_upload_sink_terms_is_for_others (const GstBoxUploadSinkTerms *self, const GError *error);

G_END_DECLS
