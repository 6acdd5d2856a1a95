/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxMultipart: the multipart/form-data body of a direct upload, as a BoxBody around another one.
 * It has the attributes, which must come first, the file's bytes, and the end. Its
 * length is known in advance, unless the file's bytes have a source.
 */
#pragma once

#include "http/message.h"

G_BEGIN_DECLS

typedef struct _BoxMultipart BoxMultipart;

/* @attributes: JSON text. @content must outlive the result. */
BoxMultipart *box_multipart_new (const char *attributes, const BoxBody *content);
void box_multipart_free (BoxMultipart *multipart);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxMultipart, box_multipart_free)

/* Both are owned by @multipart. The body counts in its "sent" only the content's bytes. */
const BoxBody *box_multipart_get_body (BoxMultipart *multipart);
const char *box_multipart_get_content_type (BoxMultipart *multipart);

G_END_DECLS
