/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPolicy: what a failed upload means for the file it was to carry. The one place that knows
 * which failure ends a recording, and which one another attempt can mend. Pure.
 */
#pragma once

#include "api/destination.h"

G_BEGIN_DECLS

/* What the settings say of a file whose bytes are in the spool. */
typedef struct
{
  gboolean given_session; /* no other session can take its place */
  BoxIfExists if_exists;
  gboolean left_to_others; /* somebody else uploads the recording, with other credentials */
} BoxTerms;

/* Whether @error is an answer in Box's own words (or a finding of this process) about a setting
 * that the user can mend: the folder, the name, the credentials. Only such an answer is a reason to
 * stop a recording, and only at its beginning. A gateway, a portal, a proxy, a certificate or a
 * full account is not. */
gboolean box_policy_refuses_settings (const BoxTerms *terms, const GError *error);

/* Whether @error concerns nobody here: the recording is uploaded by others, with their credentials.
 */
gboolean box_policy_is_for_others (const BoxTerms *terms, const GError *error);

/* Whether another upload of the recording, at the end of the stream, can do what one that failed
 * with @error could not: with another session, or because the refusal was a passing one. */
gboolean box_policy_another_upload_can_mend (const GError *error);

G_END_DECLS
