/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxRoom: what the account of the credentials takes: its free space, and the largest file. In a
 * folder of somebody else that account's limits count, so that Box decides in the end.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

/* Bytes. */
typedef struct
{
  gboolean has_space; /* the next two are known */
  guint64 space_amount;
  guint64 space_used;
  guint64 max_upload_size; /* of one file; 0: not known */
} BoxRoom;

/* GET …/users/me. One attempt. */
gboolean box_client_get_room (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                              GCancellable *cancellable, GError **error);

/* The same, but asked once in ten minutes for the process and the account: a thread that comes
 * while another one asks waits for its answer. A refusal is remembered, too. */
gboolean box_room_recall (BoxClient *client, BoxTransport *transport, BoxRoom *room,
                          GCancellable *cancellable, GError **error);

/* The most bytes that one more file may have; G_MAXUINT64: not known. */
guint64 box_room_get_limit (const BoxRoom *room);

/* Why a file of @largest bytes, or files of @total bytes, are too much, as the end of a sentence;
 * NULL: they are not, or this is not known. Free with g_free(). */
char *box_room_describe_lack (const BoxRoom *room, guint64 largest, guint64 total);

G_END_DECLS
