/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standard input and other files without a known size, read in the way that a signal can interrupt.
 */
#pragma once

#include <gio/gio.h>

#include "base/digest.h"

G_BEGIN_DECLS

/* The name of standard input in messages, and as an argument. */
#define CLI_INPUT_NAME     "Standard input"
#define CLI_INPUT_ARGUMENT "-"

/**
 * cli_input_read:
 * @name: of @fd, for errors.
 * @n: (out): bytes read; 0 at the end.
 *
 * Reads at most @length bytes as soon as there are some. FALSE with BOX_ERROR_CANCELLED as soon as
 * @cancellable is cancelled, or with BOX_ERROR_STORAGE.
 */
gboolean cli_input_read (int fd, const char *name, guint8 *buffer, gsize length, gsize *n,
                         GCancellable *cancellable, GError **error);

/* The SHA-1 and the size of the file @path. Errors as above. */
gboolean cli_input_digest (const char *path, BoxSha1 *sha1, guint64 *size,
                           GCancellable *cancellable, GError **error);

G_END_DECLS
