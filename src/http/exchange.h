/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxExchange: one request and its reply on a SoupSession, from the first byte to the text of an
 * error. It adds features that libsoup's synchronous path lacks: it watches the connection for an
 * early reply while the body is sent, cuts a failed connection so that closing it cannot block, and
 * knows how far a failed exchange had come. Its parts follow: the parser of early replies, the
 * watchdog, the early reply, the body as a stream, and the text of a failure.
 */
#pragma once

#include <libsoup/soup.h>

#include "http/message.h"
#include "http/patience.h"

G_BEGIN_DECLS

typedef struct
{
  SoupSession *session;
  GHashTable *streams; /* connection id to its GIOStream, for connections that are kept alive */
  guint timeout;       /* seconds */
} BoxExchangeSettings;

/* Everything box_transport_send() promises. @streams is kept up to date. */
BoxReply *box_exchange_run (const BoxExchangeSettings *settings, const BoxRequest *request,
                            GCancellable *cancellable, GError **error);

/*
 * BoxReplyParser: reads one HTTP/1.1 reply out of the bytes of a connection. It is for replies that
 * arrive while the request is still being sent, because libsoup's synchronous calls do not look for
 * them. Pure: bytes in, reply out.
 */
typedef struct _BoxReplyParser BoxReplyParser;

typedef enum
{
  BOX_REPLY_PARSER_NOTHING, /* no byte of a reply yet; interim replies (1xx) were skipped */
  BOX_REPLY_PARSER_MORE,    /* a reply has begun */
  BOX_REPLY_PARSER_DONE,    /* take it */
  BOX_REPLY_PARSER_BAD,     /* this is not HTTP */
} BoxReplyParserState;

BoxReplyParser *box_reply_parser_new (void);
void box_reply_parser_free (BoxReplyParser *parser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxReplyParser, box_reply_parser_free)

/* Whether the head of the reply itself is there, no interim reply's. */
gboolean box_reply_parser_has_head (const BoxReplyParser *parser);

/* Takes the next @length bytes of the reply. BAD is final. */
BoxReplyParserState
box_reply_parser_feed (BoxReplyParser *parser, const guint8 *data, gsize length);

/* The connection has ended. MORE: the reply is incomplete. An error with a complete head is
 * DONE even if its body is incomplete, because the status is enough. */
BoxReplyParserState box_reply_parser_end (BoxReplyParser *parser);

/* The reply, after DONE. */
BoxReply *box_reply_parser_take_reply (BoxReplyParser *parser);

/*
 * BoxWatchdog: ends a request that has run out of patience (http/patience.h), wherever libsoup or
 * GIO block in it. One thread looks at the connections of all requests under way, every second, or
 * twenty times in a shorter timeout, and cancels. It exists while there are requests, and two
 * seconds longer.
 *
 *   if (!box_watchdog_begin (&dog, cancellable, timeout, body_size, slack, &error)) ...
 *   box_watchdog_set_socket (&dog, socket); box_watchdog_enter (&dog, BOX_PHASE_SENDING); ...
 *   if (failed && box_watchdog_get_verdict (&dog, &patience) != BOX_PATIENCE_HELD) ...
 *   box_watchdog_end (&dog);
 */
typedef struct
{
  GCancellable *cancellable; /* immutable, borrowed */

  /* with the watchdog's lock */
  BoxPatience patience;
  BoxPatienceVerdict verdict;
  GSocket *socket; /* owned; NULL before there is a connection */
} BoxWatchdog;

/* BOX_ERROR_TRANSIENT: no thread could be started. */
gboolean box_watchdog_begin (BoxWatchdog *self, GCancellable *cancellable, guint timeout,
                             guint64 body_size, guint slack, GError **error);
void box_watchdog_end (BoxWatchdog *self);

/* The connection to watch; NULL: no connection. */
void box_watchdog_set_socket (BoxWatchdog *self, GSocket *socket);

/* As box_patience_enter(), box_patience_written() and box_patience_rest(). */
void box_watchdog_enter (BoxWatchdog *self, BoxPhase phase);
void box_watchdog_written (BoxWatchdog *self);
void box_watchdog_rest (BoxWatchdog *self, gint64 duration);

/* The reason why it cancelled, and the patience at that moment. */
BoxPatienceVerdict box_watchdog_get_verdict (BoxWatchdog *self, BoxPatience *patience);

/*
 * BoxEarlyReply: watches the connection while a request's body is sent. libsoup's synchronous path
 * writes without reading; if a server refuses early and closes, it reports a lost connection. This
 * also keeps our own reason for ending an exchange, which takes precedence over libsoup's, and cuts
 * a failed connection so that closing it cannot block. Belongs to one thread.
 */
typedef struct
{
  /* immutable */
  GCancellable *cancellable; /* borrowed */
  GPollFD cancel_fd;
  BoxWatchdog *dog; /* borrowed; ends every wait by the cancellable */

  GIOStream *stream;      /* owned; NULL before there is a connection */
  GSocket *socket;        /* of @stream, owned; NULL if it cannot be watched */
  BoxReplyParser *parser; /* an early reply as it comes in */
  BoxReply *reply;        /* it, complete */
  GError *failure;        /* why we ended the exchange */

  /* The rest of a head has been waited for on @stream: what follows is within the same limit of
   * time, however many interim replies come in halves. */
  gboolean has_waited;
} BoxEarlyReply;

/* @cancellable: ends every wait. @dog: cancels it when there was no progress. */
void box_early_reply_init (BoxEarlyReply *watch, GCancellable *cancellable, BoxWatchdog *dog);
void box_early_reply_clear (BoxEarlyReply *watch);

/* The request is sent on @stream (nullable: not known yet) from here on; forgets what another
 * connection has said. */
void box_early_reply_set_stream (BoxEarlyReply *watch, GIOStream *stream);

/* The socket below @stream, or NULL. Borrowed. */
GSocket *box_early_reply_find_socket (GIOStream *stream);

/* Lets @pause microseconds pass and waits until bytes can be written. FALSE with @error set if
 * sending has to end. If @watch has a reply or a failure, the error is CANCELLED, for which libsoup
 * does not try the request again. */
gboolean box_early_reply_wait_writable (BoxEarlyReply *watch, gint64 pause, GError **error);

/* Writes some of @bytes and waits until it can; how many, or -1 with @error set as above. GnuTLS
 * wants a record that did not fit offered again as it was: the rest has to follow. */
gssize
box_early_reply_write (BoxEarlyReply *watch, const guint8 *bytes, gsize length, GError **error);

/* Nothing is sent until @fd is readable, or for @timeout microseconds (-1: without a limit); it may
 * return earlier. FALSE with @error set as above: the server has something to say. */
gboolean box_early_reply_rest (BoxEarlyReply *watch, int fd, gint64 timeout, GError **error);

/* Stops sending the body. After a failed write this is the last moment to read the server's reply.
 * @complete: the whole body was read, though its last bytes may not have been written. */
void box_early_reply_read_last_words (BoxEarlyReply *watch, gboolean complete);

/* Keeps the reason why the exchange was ended; takes @reason. Only the first reason counts. */
void box_early_reply_fail (BoxEarlyReply *watch, GError *reason);

/* Shuts the connection down below TLS, so that closing it later does not wait for a peer that does
 * not read. */
void box_early_reply_cut (BoxEarlyReply *watch);

/*
 * BoxBodyStream: a BoxBody as the stream that libsoup sends. libsoup's synchronous path would copy
 * it in pieces of 8 KiB, each with its own TLS record and system call. Therefore the first read,
 * after the head has been written, writes the whole body to the connection in the largest possible
 * pieces, and libsoup finds an empty stream. libsoup closes the stream when it is done or the
 * writing has failed, before it closes the connection: the watch then reads the last reply.
 */
#define BOX_TYPE_BODY_STREAM (box_body_stream_get_type ())
G_DECLARE_FINAL_TYPE (BoxBodyStream, box_body_stream, BOX, BODY_STREAM, GInputStream)

/* @body and @watch must outlive the sending. */
BoxBodyStream *box_body_stream_new (const BoxBody *body, BoxEarlyReply *watch);

/* The stream will be asked for nothing more: forgets body and watch. */
void box_body_stream_detach (BoxBodyStream *stream);

/* Bytes written so far. */
guint64 box_body_stream_get_position (BoxBodyStream *stream);

/* Writes a body with a source to the connection, in chunks of HTTP/1.1 but for the last, empty one,
 * which is libsoup's. @position: bytes of the body written so far (in, out). FALSE with @error set:
 * the server has answered, the connection or the source has failed, or it was cancelled: the
 * connection must be cut before libsoup hears of it. */
gboolean
box_live_body_write (const BoxBody *body, BoxEarlyReply *watch, guint64 *position, GError **error);

/* BoxFailure: the facts about a failed exchange, and the error made of them. Pure. */
/* How far an exchange has come. */
typedef enum
{
  BOX_STAGE_RESOLVING,
  BOX_STAGE_CONNECTING,
  BOX_STAGE_TUNNELLING,
  BOX_STAGE_HANDSHAKING,
  BOX_STAGE_SENDING,
  BOX_STAGE_WAITING,
  BOX_STAGE_READING,
} BoxStage;

typedef struct
{
  GUri *uri;     /* borrowed */
  guint timeout; /* seconds, of connecting to one address */
  BoxStage stage;
  gboolean started; /* a byte of the request may have left */
  GTlsCertificateFlags certificate_problems;
  char *certificate_words; /* what they are */
} BoxFailure;

/* The error of an exchange that the watchdog has ended. */
GError *box_failure_describe_verdict (const BoxFailure *self, BoxPatienceVerdict verdict,
                                      const BoxPatience *patience);

/* The error of one that failed for @reason, an error of libsoup, GIO or BOX_ERROR. */
GError *box_failure_describe (const BoxFailure *self, const GError *reason);

G_END_DECLS
