/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server of the benchmarks: as much of Box's upload API as clients need to upload a file, with
 * bodies discarded unhashed, one thread a connection, so that it takes as little as possible of the
 * machine that it shares with the client being measured. It checks nothing; box-emulator does that.
 *
 *   bench-server --port 0 --tls-port 0 --certificate FILE --key FILE [--part-size N] [--rate N]
 *                [--think MS] [--address A]
 *
 * Prints "listening on URL" for each listener. GET /stats answers the bytes of bodies received.
 */
#include "bench-connection.h"
#include "bench-sessions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LONGEST_JSON (64u << 20)

/* The same cipher for every client, whichever it prefers. */
#define PRIORITY "NORMAL:%SERVER_PRECEDENCE:-CIPHER-ALL:+"

static struct
{
  int port;
  int tls_port;
  char *certificate;
  char *key;
  char *cipher;
  gint64 part_size;
  gint64 rate;
  int think;
  char *address;
} options = { .port = -1, .tls_port = -1, .part_size = 8 << 20 };

static struct
{
  gnutls_certificate_credentials_t credentials;
  char *priority;
  BenchSessions *sessions;
  BenchLink link;
} server;

/* A request's head. Strings are owned. */
typedef struct
{
  char *method;
  char *path;
  char *head;
  guint64 length;
  gboolean expects; /* 100 Continue */
} Request;

static void
request_clear (Request *request)
{
  g_free (request->method);
  g_free (request->path);
  g_free (request->head);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

/* The value of a header, NULL without it; free with g_free(). */
static char *
get_header (const char *head, const char *name)
{
  g_autofree char *start = g_strdup_printf ("\r\n%s:", name);
  const char *found = strcasestr (head, start), *end;

  if (found == NULL)
    return NULL;
  found += strlen (start);
  end = strstr (found, "\r\n");
  return g_strstrip (g_strndup (found, (gsize) (end - found)));
}

static gboolean
parse_head (Request *request, char *head)
{
  g_auto (GStrv) words = g_strsplit_set (head, " \r", 4);
  g_autofree char *length = get_header (head, "Content-Length");
  g_autofree char *expect = get_header (head, "Expect");

  request->head = head;
  if (g_strv_length (words) < 3)
    return FALSE;
  request->method = g_strdup (words[0]);
  request->path = g_strdup (words[1]);
  request->length = length != NULL ? g_ascii_strtoull (length, NULL, 10) : 0;
  request->expects = expect != NULL;
  return TRUE;
}

static gboolean
reply (BenchConnection *connection, const char *status, const char *body)
{
  g_autofree char *text =
      g_strdup_printf ("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                       "box-request-id: bench\r\n\r\n%s",
                       status, strlen (body), body);

  return bench_connection_write (connection, text, strlen (text));
}

static gboolean
reply_or_missing (BenchConnection *connection, const char *status, const char *body)
{
  static const char missing[] =
      "{\"type\":\"error\",\"status\":404,\"code\":\"not_found\",\"message\":\"Not Found\"}";

  return body != NULL ? reply (connection, status, body)
                      : reply (connection, "404 Not Found", missing);
}

/* The digest that the client sent, in hex; 40 zeros if it sent none. */
static char *
get_sha1 (const Request *request)
{
  g_autofree char *digest = get_header (request->head, "Digest");
  g_autofree guchar *bytes = NULL;
  GString *hex = g_string_new (NULL);
  gsize n = 0;

  if (digest != NULL && strlen (digest) > 4)
    bytes = g_base64_decode (digest + 4, &n);
  for (gsize i = 0; i < 20; i++)
    g_string_append_printf (hex, "%02x", i < n ? bytes[i] : 0);
  return g_string_free (hex, FALSE);
}

/* The value of "key" in a JSON text, up to the next comma, brace or quote. */
static char *
get_member (const char *json, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("\"%s\"", key);
  const char *found = strstr (json, quoted);

  if (found == NULL)
    return g_strdup ("");
  found += strlen (quoted);
  found += strspn (found, " :\"");
  return g_strndup (found, strcspn (found, ",}\"\r\n"));
}

static gboolean
create_session (BenchConnection *connection, const Request *request, const char *base,
                const char *body)
{
  g_autofree char *name = get_member (body, "file_name");
  g_autofree char *size = get_member (body, "file_size");
  guint number = bench_sessions_add (server.sessions, name, (guint64) g_ascii_strtod (size, NULL));
  g_autofree char *json = bench_sessions_describe (server.sessions, number, base);

  return reply (connection, "201 Created", json);
}

static gboolean
take_part (BenchConnection *connection, const Request *request, guint number)
{
  g_autofree char *range = get_header (request->head, "Content-Range");
  g_autofree char *sha1 = get_sha1 (request);
  g_autofree char *json = NULL;
  const char *digits = range != NULL ? strpbrk (range, "0123456789") : NULL;

  if (!bench_connection_discard (connection, request->length))
    return FALSE;
  /* Differently long, so that the answers do not come in step. */
  g_usleep ((gulong) (options.think * g_random_double_range (700, 1300)));
  if (digits != NULL)
    json = bench_sessions_store_part (server.sessions, number, strtoull (digits, NULL, 10),
                                      request->length, sha1);
  return reply_or_missing (connection, "200 OK", json);
}

static guint
get_number (const char *path, const char *key)
{
  const char *found = strstr (path, key);

  return found != NULL ? (guint) strtoul (found + strlen (key), NULL, 10) : 0;
}

/* Below files/upload_sessions/NUMBER, with an empty or small body. */
static gboolean
serve_session (BenchConnection *connection, const Request *request, const char *base, guint number)
{
  g_autofree char *json = NULL;

  if (g_str_equal (request->method, "DELETE"))
    {
      bench_sessions_remove (server.sessions, number);
      return reply (connection, "204 No Content", "");
    }
  if (strstr (request->path, "/commit") != NULL)
    {
      g_autofree char *sha1 = get_sha1 (request);

      json = bench_sessions_commit (server.sessions, number, sha1);
      return reply_or_missing (connection, "201 Created", json);
    }
  if (strstr (request->path, "/parts") != NULL)
    json = bench_sessions_list (server.sessions, number, get_number (request->path, "offset="),
                                get_number (request->path, "limit="));
  else
    json = bench_sessions_describe (server.sessions, number, base);
  return reply_or_missing (connection, "200 OK", json);
}

static char *
describe_stats (void)
{
  guint64 total;

  g_mutex_lock (&server.link.lock);
  total = server.link.total;
  g_mutex_unlock (&server.link.lock);
  return g_strdup_printf ("{\"received\":%" G_GUINT64_FORMAT "}", total);
}

/* Requests outside upload sessions. */
static gboolean
serve_other (BenchConnection *connection, const Request *request)
{
  g_autofree char *json = NULL;

  if (g_str_equal (request->method, "OPTIONS"))
    json = g_strdup ("{\"upload_url\":\"https://upload.box.com/api/2.0/files/content\","
                     "\"upload_token\":\"\"}");
  else if (strstr (request->path, "/items") != NULL)
    json = g_strdup ("{\"total_count\":0,\"entries\":[],\"offset\":0,\"limit\":1000}");
  else if (strstr (request->path, "/folders/") != NULL)
    json = g_strdup ("{\"type\":\"folder\",\"id\":\"0\",\"name\":\"All Files\"}");
  else if (strstr (request->path, "/users/") != NULL)
    json = g_strdup ("{\"type\":\"user\",\"id\":\"1\",\"name\":\"bench\",\"login\":\"bench\"}");
  else if (g_str_equal (request->path, "/stats"))
    json = describe_stats ();
  return reply_or_missing (connection, "200 OK", json);
}

/* Bytes of a multipart body around its file, if they begin with @head: up to the second empty line,
 * and the last delimiter. 0: it is not one. */
static guint64
count_frame (const Request *request, const char *head)
{
  g_autofree char *type = get_header (request->head, "Content-Type");
  const char *boundary = type != NULL ? strstr (type, "boundary=") : NULL;
  const char *fields = strstr (head, "\r\n\r\n");
  const char *file = fields != NULL ? strstr (fields + 4, "\r\n\r\n") : NULL;
  g_autofree char *word = NULL, *end = NULL;

  if (boundary == NULL || file == NULL)
    return 0;
  word = g_strndup (boundary + 9, strcspn (boundary + 9, "; "));
  g_strdelimit (word, "\"", ' ');
  end = g_strdup_printf ("\r\n--%s--\r\n", g_strstrip (word));
  return (guint64) (file + 4 - head) + strlen (end);
}

/* A body of any size that nobody looks at: curl's, and whole files. */
static gboolean
take_bytes (BenchConnection *connection, const Request *request)
{
  g_autofree char *sha1 = get_header (request->head, "content-md5");
  gsize begun = (gsize) MIN (request->length, 4096);
  g_autofree char *head = bench_connection_read_body (connection, begun);
  g_autofree char *json = NULL;

  if (head == NULL || !bench_connection_discard (connection, request->length - begun))
    return FALSE;
  json =
      bench_sessions_describe_file ("whole", request->length - count_frame (request, head), sha1);
  return reply (connection, "201 Created", json);
}

static gboolean
serve_request (BenchConnection *connection, const Request *request)
{
  static const char sessions[] = "/files/upload_sessions";
  g_autofree char *host = get_header (request->head, "Host");
  g_autofree char *body = NULL;
  g_autofree char *base =
      g_strdup_printf ("%s://%s/api/2.0", bench_connection_is_tls (connection) ? "https" : "http",
                       host != NULL ? host : "localhost");
  const char *session = strstr (request->path, sessions);
  guint number = 0;

  if (session != NULL && session[strlen (sessions)] == '/')
    number = (guint) strtoul (session + strlen (sessions) + 1, NULL, 16);
  if (request->expects && !bench_connection_write (connection, "HTTP/1.1 100 Continue\r\n\r\n", 25))
    return FALSE;
  if (number != 0 && g_str_equal (request->method, "PUT"))
    return take_part (connection, request, number);
  if (number == 0
      && (g_str_equal (request->method, "PUT")
          || (g_str_equal (request->method, "POST") && strstr (request->path, "/content") != NULL)))
    return take_bytes (connection, request);
  if (request->length > LONGEST_JSON
      || (body = bench_connection_read_body (connection, (gsize) request->length)) == NULL)
    return FALSE;
  if (number != 0)
    return serve_session (connection, request, base, number);
  if (g_str_equal (request->method, "POST") && strstr (request->path, "/upload_sessions") != NULL)
    return create_session (connection, request, base, body);
  return serve_other (connection, request);
}

typedef struct
{
  int fd;
  gboolean tls;
} Socket;

static gpointer
serve (gpointer data)
{
  g_autofree Socket *accepted = data;
  g_autoptr (BenchConnection) connection = bench_connection_new (
      accepted->fd, accepted->tls ? server.credentials : NULL, server.priority, &server.link);
  gboolean goes_on = connection != NULL;

  while (goes_on)
    {
      g_auto (Request) request = { 0 };
      char *head = bench_connection_read_head (connection);

      goes_on = head != NULL && parse_head (&request, head) && serve_request (connection, &request);
    }
  return NULL;
}

static gpointer
listen_forever (gpointer data)
{
  const Socket *listener = data;

  while (TRUE)
    {
      Socket *accepted = g_new (Socket, 1);

      *accepted = (Socket){ accept (listener->fd, NULL, NULL), listener->tls };
      if (accepted->fd >= 0)
        g_thread_unref (g_thread_new ("serve", serve, accepted));
      else
        g_free (accepted);
    }
  return NULL;
}

static gboolean
start_listener (int port, gboolean tls)
{
  Socket *listener = g_new (Socket, 1);
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons ((guint16) port),
                                 .sin_addr.s_addr = inet_addr (
                                     options.address != NULL ? options.address : "127.0.0.1") };
  socklen_t length = sizeof address;

  *listener = (Socket){ socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), tls };
  setsockopt (listener->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof (int));
  if (bind (listener->fd, (struct sockaddr *) &address, length) < 0
      || listen (listener->fd, 128) < 0
      || getsockname (listener->fd, (struct sockaddr *) &address, &length) < 0)
    {
      perror ("bench-server: cannot listen");
      return FALSE;
    }
  printf ("listening on %s://%s:%d/api/2.0\n", tls ? "https" : "http", inet_ntoa (address.sin_addr),
          ntohs (address.sin_port));
  fflush (stdout);
  g_thread_unref (g_thread_new ("listen", listen_forever, listener));
  return TRUE;
}

static gboolean
load_certificate (void)
{
  int result;

  gnutls_certificate_allocate_credentials (&server.credentials);
  result = gnutls_certificate_set_x509_key_file (server.credentials, options.certificate,
                                                 options.key, GNUTLS_X509_FMT_PEM);
  if (result < 0)
    fprintf (stderr, "bench-server: %s: %s\n", options.certificate, gnutls_strerror (result));
  server.priority =
      g_strconcat (PRIORITY, options.cipher != NULL ? options.cipher : "AES-256-GCM", NULL);
  return result >= 0;
}

static gboolean
parse_options (int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "port", 0, 0, G_OPTION_ARG_INT, &options.port, "Plain HTTP; 0: any port", "N" },
    { "tls-port", 0, 0, G_OPTION_ARG_INT, &options.tls_port, "HTTPS; 0: any port", "N" },
    { "certificate", 0, 0, G_OPTION_ARG_FILENAME, &options.certificate, "PEM", "FILE" },
    { "key", 0, 0, G_OPTION_ARG_FILENAME, &options.key, "PEM", "FILE" },
    { "cipher", 0, 0, G_OPTION_ARG_STRING, &options.cipher,
      "GnuTLS's name of the one cipher offered (default: AES-256-GCM)", "NAME" },
    { "part-size", 0, 0, G_OPTION_ARG_INT64, &options.part_size, "Of new sessions", "BYTES" },
    { "rate", 0, 0, G_OPTION_ARG_INT64, &options.rate,
      "Of all bodies together, a second (default: no limit)", "BYTES" },
    { "think", 0, 0, G_OPTION_ARG_INT, &options.think,
      "From the last byte of a part to its answer, more or less a third (default: 0)", "MS" },
    { "address", 0, 0, G_OPTION_ARG_STRING, &options.address, "Default: 127.0.0.1", "ADDRESS" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, argc, argv, &error))
    return TRUE;
  fprintf (stderr, "bench-server: %s\n", error->message);
  return FALSE;
}

int
main (int argc, char **argv)
{
  sigset_t ending;
  int signal_number;

  sigemptyset (&ending);
  sigaddset (&ending, SIGTERM);
  sigaddset (&ending, SIGINT);
  pthread_sigmask (SIG_BLOCK, &ending, NULL);

  if (!parse_options (&argc, &argv))
    return 2;
  server.sessions = bench_sessions_new ((guint64) options.part_size);
  server.link.rate = (guint64) options.rate;
  g_mutex_init (&server.link.lock);
  if (options.tls_port >= 0 && (!load_certificate () || !start_listener (options.tls_port, TRUE)))
    return 1;
  if (options.port >= 0 && !start_listener (options.port, FALSE))
    return 1;
  sigwait (&ending, &signal_number);
  return 0;
}
