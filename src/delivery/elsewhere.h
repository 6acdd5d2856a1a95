/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxElsewhere: the parts of a recording that Box may have in another session than the one that is
 * filled: in the seed (delivery/ahead.h), or in a session that was lost. Which these are, what
 * became of them in the uploads of one run, and what that says about the account.
 */
#pragma once

#include "spool/recording.h"
#include "upload/upload.h"

G_BEGIN_DECLS

/* All zero in the beginning. */
typedef struct
{
  guint asked;
  guint hit;
  gboolean refused; /* a commit did not take what was found: it is not asked for again */
} BoxElsewhere;

/* (element-type BoxPart): for settings.earlier of an upload that continues @session (nullable). Of
 * @session itself there are parts that it has from elsewhere, too: Box does not list these. */
GPtrArray *box_elsewhere_find_parts (const BoxElsewhere *elsewhere, BoxRecording *recording,
                                     const BoxSession *session);

/* @upload has ended. */
void box_elsewhere_add (BoxElsewhere *elsewhere, BoxUpload *upload);

/* Parts were sent ahead, and the file is at Box: notes in @account_file if that was of no use. */
void
box_elsewhere_note (const BoxElsewhere *elsewhere, const char *account_file, BoxClient *client);

G_END_DECLS
