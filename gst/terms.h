/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkTerms: what of a recording's settings decides whether it goes on when the upload
 * beside it has failed. Pure.
 */
#pragma once

#include "upload/upload.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean given_session; /* no other one can take its place */
  gboolean reserve;       /* the size was declared for a stream that need not reach it */
  BoxIfExists if_exists;
  gboolean left_to_others; /* eos-mode=spool: whoever uploads the spool has its own credentials */
} SinkTerms;

/* Whether another upload of the recording can do what one that ended with @error could not. */
gboolean sink_terms_is_replaceable (const SinkTerms *self, const GError *error);

/* Whether @error says that the recorder's credentials are refused or missing where it needs none.
 */
gboolean sink_terms_is_for_others (const SinkTerms *self, const GError *error);

G_END_DECLS
