/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading the bytes of a file at Box, a piece at a time: a piece that fails is asked for again, and
 * the ones before it stay.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

/* Bytes of a piece: a reply may not be longer. */
#define BOX_DOWNLOAD_PIECE (2u << 20)

/**
 * box_client_read_file:
 * @file: with its id and size; its version, if that is known.
 * @address: (inout): where Box lets the file be read without a token; NULL at first. Belongs to one
 * file. Free with g_free().
 * @length: at most BOX_DOWNLOAD_PIECE, and not beyond the file's end.
 *
 * GET …/files/ID/content, and what its redirect leads to, which gets no token: exactly @length
 * bytes at @offset. One attempt. Free with g_bytes_unref().
 */
GBytes *box_client_read_file (BoxClient *client, BoxTransport *transport, const BoxFile *file,
                              char **address, guint64 offset, gsize length,
                              GCancellable *cancellable, GError **error);

G_END_DECLS
