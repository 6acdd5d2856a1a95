/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is sent and what comes back: BoxRequest with its BoxBody (BoxMultipart is one), and
 * BoxReply. Pure, but for the clock, which is read if a server sends no Date.
 */
#pragma once

#include <gio/gio.h>

#include "http/pace.h"

G_BEGIN_DECLS

/* libsoup's; its headers are left to the two files that parse replies. */
typedef struct _SoupMessageHeaders SoupMessageHeaders;

/* A longer body of a successful reply is an error: a page of 1000 parts has about 200 kB. Of other
 * bodies only the beginning is kept. */
#define BOX_TRANSPORT_MAX_REPLY (4u << 20)

/* What a BoxBodySource has now. */
typedef enum
{
  BOX_SOURCE_BYTES,
  BOX_SOURCE_RESTS,  /* nothing that has to leave yet */
  BOX_SOURCE_ENDED,  /* the body is complete */
  BOX_SOURCE_FAILED, /* it will never be complete */
} BoxSourceState;

/**
 * BoxBodySource:
 * @fd: becomes readable when @take may have something new to say.
 * @take: BYTES: copies the next bytes, from @offset of the body on, to @buffer; @length (in: room,
 * out: at least 1). RESTS: ask again when @fd is readable, or after @rest microseconds (-1: not
 * before). FAILED with @error set.
 *
 * The bytes of a body that is still being made. Used by the sending thread, with the body's
 * user_data.
 */
typedef struct
{
  int fd;
  BoxSourceState (*take) (gpointer user_data, guint64 offset, guint8 *buffer, gsize *length,
                          gint64 *rest, GError **error);
} BoxBodySource;

/* The size of a body with a source. */
#define BOX_BODY_UNKNOWN_SIZE G_MAXUINT64

/**
 * BoxBody:
 * @size: bytes.
 * @read: copies @length bytes at @offset of the body to @buffer. Called in the sending thread, and
 * from the start again if the request is repeated. FALSE with @error set if they cannot be read.
 * @peek: (nullable): the bytes at @offset without a copy: @length (in: wanted, out: at least 1, at
 * most the wanted number) bytes that stay valid until the request is over.
 * @progress: (nullable): the first @position bytes were handed to the network. A request that is
 * repeated begins at 0 again.
 * @sent: (nullable): the whole request has left this host, but for what the kernel holds of it:
 * some ten milliseconds' worth (TCP_NOTSENT_LOWAT). Its bytes are not read again. The answer is
 * still to come, and may also come without this.
 * @pace: (nullable): limits the rate, shared with other bodies.
 * @slack: how many times the usual its reply may take (http/patience.h); 0: once.
 * @source: (nullable): gives the bytes instead of @read and @peek; the size is
 * BOX_BODY_UNKNOWN_SIZE. Such a body is sent once, in chunks, by POST, and never repeated.
 *
 * The body of a request, read while it is sent.
 */
typedef struct
{
  guint64 size;
  gboolean (*read) (gpointer user_data, guint64 offset, guint8 *buffer, gsize length,
                    GError **error);
  const guint8 *(*peek) (gpointer user_data, guint64 offset, gsize *length);
  void (*progress) (gpointer user_data, guint64 position);
  void (*sent) (gpointer user_data);
  gpointer user_data;
  BoxPace *pace;
  guint slack;
  const BoxBodySource *source;
} BoxBody;

/* A body of @bytes, which must outlive it. */
void box_body_init_bytes (BoxBody *body, GBytes *bytes);

/* headers: name, value, name, value, NULL; NULL for none. content_type and body: NULL for none. */
typedef struct
{
  const char *method;
  const char *url;
  const char *const *headers;
  const char *content_type;
  const BoxBody *body;
} BoxRequest;

/* A complete reply, whatever its status. */
typedef struct
{
  guint status;
  GBytes *body;           /* never NULL */
  gint retry_after;       /* seconds, from delta-seconds or a date; -1: none */
  char *request_id;       /* box-request-id, or NULL */
  char *www_authenticate; /* or NULL */
  char *etag;             /* or NULL */
  char *location;         /* target of a redirect, or NULL */
  GDateTime *date;        /* or NULL */
} BoxReply;

void box_reply_free (BoxReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxReply, box_reply_free)

/* The same for a reply with a secret: overwrites the body, which nobody else may have. */
void box_reply_free_secret (BoxReply *reply);

typedef BoxReply BoxSecretReply;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxSecretReply, box_reply_free_secret)

/* Takes a reference of @body. */
BoxReply *box_reply_new (guint status, SoupMessageHeaders *headers, GBytes *body);

/* Seconds that Retry-After's @value asks for: a number, or an HTTP date counted from @date
 * (nullable: from now); -1 if it makes no sense. */
gint box_reply_parse_retry_after (const char *value, GDateTime *date);

/*
 * BoxMultipart: the multipart/form-data body of a direct upload, as a BoxBody around another one.
 * It has the attributes, which must come first, the file's bytes, and the end. Its length is known
 * in advance, unless the file's bytes have a source.
 */

typedef struct _BoxMultipart BoxMultipart;

/* @attributes: JSON text. @content must outlive the result. */
BoxMultipart *box_multipart_new (const char *attributes, const BoxBody *content);
void box_multipart_free (BoxMultipart *multipart);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxMultipart, box_multipart_free)

/* Both are owned by @multipart. The body counts in its "sent" only the content's bytes. */
const BoxBody *box_multipart_get_body (BoxMultipart *multipart);
const char *box_multipart_get_content_type (BoxMultipart *multipart);

G_END_DECLS
