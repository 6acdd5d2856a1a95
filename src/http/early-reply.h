/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxEarlyReply: an eye on the connection while a request's body leaves. libsoup's synchronous path
 * writes without looking; a server that refuses early and closes would be a lost connection. It
 * also keeps why an exchange was ended by us, which goes before libsoup's reason, and cuts a failed
 * connection so that closing it cannot block. Belongs to one thread.
 */
#pragma once

#include <gio/gio.h>

#include "http/reply-parser.h"
#include "http/watchdog.h"

G_BEGIN_DECLS

typedef struct
{
  /* immutable */
  GCancellable *cancellable; /* borrowed */
  GPollFD cancel_fd;
  BoxWatchdog *dog; /* borrowed; ends every wait by the cancellable */

  GIOStream *stream;    /* owned; NULL before there is a connection */
  GSocket *socket;      /* of @stream, owned; NULL where it cannot be watched */
  BoxReplyParser *wire; /* an early reply as it comes in */
  BoxReply *reply;      /* it, complete */
  GError *failure;      /* why we ended the exchange */
} BoxEarlyReply;

/* @cancellable: ends every wait. @dog: cancels it when there was no progress. */
void box_early_reply_init (BoxEarlyReply *watch, GCancellable *cancellable, BoxWatchdog *dog);
void box_early_reply_clear (BoxEarlyReply *watch);

/* The request is sent on @stream (nullable: not known yet) from here on; forgets what another
 * connection has said. */
void box_early_reply_set_stream (BoxEarlyReply *watch, GIOStream *stream);

/* The socket below @stream, or NULL. Borrowed. */
GSocket *box_early_reply_find_socket (GIOStream *stream);

/* Lets @pause microseconds pass and waits until bytes can be written. FALSE with @error set where
 * sending has to end: where
 * @watch has a reply or a failure, it is CANCELLED, for which libsoup does not try the request
 * again. */
gboolean box_early_reply_wait_writable (BoxEarlyReply *watch, gint64 pause, GError **error);

/* The body is not sent further. After a failed write this is the last moment to read what the
 * server said before it closed. @complete: all of it was given out, though the last bytes may not
 * have been written. */
void box_early_reply_read_last_words (BoxEarlyReply *watch, gboolean complete);

/* Notes why the exchange was ended; takes @reason. The first one stays. */
void box_early_reply_fail (BoxEarlyReply *watch, GError *reason);

/* Shuts the connection down below TLS, so that whoever closes it later does not wait for a peer
 * that does not read. */
void box_early_reply_cut (BoxEarlyReply *watch);

G_END_DECLS
