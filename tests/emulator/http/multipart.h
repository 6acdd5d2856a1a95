/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuMultipart: reads the parts of a multipart body as they come, in constant memory.
 */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _EmuMultipart EmuMultipart;

/* Like read(2): 0 at the end, -1 after an error. */
typedef gssize (*EmuMultipartSource) (gpointer user_data, gpointer data, gsize size);

/* NULL unless @content_type is multipart with a boundary. */
EmuMultipart *
emu_multipart_new (const char *content_type, EmuMultipartSource source, gpointer user_data);
void emu_multipart_free (EmuMultipart *multipart);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuMultipart, emu_multipart_free)

/* Skips to the next part and parses its headers; FALSE: no part follows. */
gboolean emu_multipart_next (EmuMultipart *multipart, SoupMessageHeaders *headers);

/* Bytes of the current part; 0: it has ended; -1: the body ended before it did. */
gssize emu_multipart_read (EmuMultipart *multipart, gpointer data, gsize size);

/* Whether the closing delimiter was read. */
gboolean emu_multipart_is_complete (EmuMultipart *multipart);

G_END_DECLS
