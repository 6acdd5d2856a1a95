/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxFollow: sends parts of a local file while another program writes it, although its size is not
 * known yet. They go to a session of a guessed size (a seed, as BoxAhead's), which is never
 * committed. The upload of the finished file asks Box for these parts (settings.earlier), with the
 * digests of the bytes that they have then: a part that was written again is another part, and is
 * sent again.
 *
 *   follow = box_follow_new (fd, &settings, size);
 *   while (…)                                  // ten times a second
 *     box_follow_look (follow, &status, &error);
 *   box_follow_finish (follow);
 *   settings.earlier = box_follow_get_parts (follow);
 *
 * Failures cost time, not the file: they end the sending. One thread.
 */
#pragma once

#include "upload/upload.h"

#include <sys/stat.h>

G_BEGIN_DECLS

typedef struct _BoxFollow BoxFollow;

/**
 * box_follow_new:
 * @fd: a regular file; to be kept open until box_follow_free() has returned.
 * @settings: (nullable): of the file that is to be; its size is not known and ignored. What it
 *   points to has to live as long. NULL: nothing is sent.
 * @expected_size: of the seed; 0: 1 GiB.
 * @account_file: (nullable): where it is known whether sending ahead is of use (BoxAccount).
 *
 * Sends nothing yet.
 */
BoxFollow *box_follow_new (int fd, const BoxUploadSettings *settings, guint64 expected_size,
                           const char *account_file);

/* Looks how far the file has grown, and has the parts sent that rest. @status: (out): of the file.
 * BOX_ERROR_STORAGE: it cannot be looked at. Any other error is Box's refusal of the destination,
 * which the user can correct. */
gboolean box_follow_look (BoxFollow *follow, struct stat *status, GError **error);

/* Waits for the parts that are on their way, and begins no others. */
void box_follow_finish (BoxFollow *follow);

/* After finish: (element-type BoxPart): the parts that Box has, by offset. Owned by @follow. */
GPtrArray *box_follow_get_parts (BoxFollow *follow);

/* Bytes in parts that Box has, those that were sent twice twice. */
guint64 box_follow_get_bytes (BoxFollow *follow);

/* After the file's own upload, with its @stats: notes for the account if all was in vain, and
 * aborts the seeds. Waits for the network. */
void box_follow_settle (BoxFollow *follow, BoxTransport *transport, const BoxUploadStats *stats,
                        GCancellable *cancellable);

/* Stops it; a seed stays. */
void box_follow_free (BoxFollow *follow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxFollow, box_follow_free)

G_END_DECLS
