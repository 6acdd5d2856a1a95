/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxReceipt: what is known of the upload of a local file until Box has the file, so that another
 * process can go on with it. A journal (spool/journal.h) in $XDG_STATE_HOME/boxupload/uploads/,
 * found by the file, as it is on disk, and its destination. It holds no bytes and no secrets.
 *
 * A receipt is a convenience: without one the file is uploaded from its beginning. So nothing here
 * fails; a receipt that cannot be written or read says nothing.
 *
 * Threads: any may append; one opens, removes and frees.
 */
#pragma once

#include <sys/stat.h>

#include "spool/journal.h"

G_BEGIN_DECLS

typedef struct _BoxReceipt BoxReceipt;

/**
 * box_receipt_open:
 * @endpoint: of the uploads.
 * @destination: FOLDER or FILE.
 * @file: inode, size and time of change tell the file from others. The device does not: its number
 *   is another one after a restart.
 *
 * Makes it, if it does not exist, and locks it. NULL: another process uploads this file to there,
 * or no receipt can be written. Forgets receipts of a month ago.
 */
BoxReceipt *box_receipt_open (const char *endpoint, const BoxDestination *destination,
                              BoxIfExists if_exists, const struct stat *file);

/* As it was when it was opened: session, parts, commit_begun. Owned by @receipt. */
const BoxJournalState *box_receipt_get_state (BoxReceipt *receipt);

/* Appends to it. */
void box_receipt_set_session (BoxReceipt *receipt, const BoxSession *session, guint64 size);
void box_receipt_add_part (BoxReceipt *receipt, const BoxPart *part);
void box_receipt_set_committing (BoxReceipt *receipt);

/* Whether the file may be at Box, by what was appended here too. */
gboolean box_receipt_is_commit_begun (BoxReceipt *receipt);

/* Box has the file, or what was known is of no more use. */
void box_receipt_remove (BoxReceipt *receipt);

/* Gives it up; one that says nothing is removed. */
void box_receipt_free (BoxReceipt *receipt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxReceipt, box_receipt_free)

G_END_DECLS
