/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/client.h"

#include "api/calls.h"
#include "base/text.h"
#include "http/trust.h"

#include <libsoup/soup.h>

static const char attempt[] = "read the file";

static BoxReply *
ask_box (BoxClient *client, BoxTransport *transport, const BoxFile *file, const char *range,
         GCancellable *cancellable, GError **error)
{
  const char *headers[] = { "Range", range, NULL };
  g_autofree char *url = g_strdup_printf ("%s/files/%s/content%s%s", client->api_endpoint, file->id,
                                          file->version_id != NULL ? "?version=" : "",
                                          file->version_id != NULL ? file->version_id : "");

  return box_client_send (client, transport,
                          &(BoxClientCall){ .method = "GET", .url = url, .headers = headers },
                          cancellable, error);
}

/* Whether the redirect of @reply may be followed; the token stays here in any case. */
static gboolean
check_address (const BoxReply *reply, GError **error)
{
  g_autoptr (GUri) uri =
      reply->location != NULL ? g_uri_parse (reply->location, SOUP_HTTP_URI_FLAGS, NULL) : NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autofree char *tidy = host != NULL ? box_text_tidy (host, BOX_HOST_MAX) : NULL;

  if (host != NULL
      && (g_str_equal (g_uri_get_scheme (uri), "https")
          || (g_str_equal (g_uri_get_scheme (uri), "http") && box_url_policy_is_loopback (host))))
    return TRUE;
  g_set_error (error, BOX_ERROR, host != NULL ? BOX_ERROR_TRUST : BOX_ERROR_PROTOCOL,
               "could not %s: Box sends it from %s, which is not an https address", attempt,
               tidy != NULL ? tidy : "nowhere");
  return FALSE;
}

static BoxReply *
ask_address (BoxClient *client, BoxTransport *transport, const char *address, const char *range,
             GCancellable *cancellable, GError **error)
{
  const char *headers[] = { "Range", range, NULL };
  const BoxRequest request = { .method = "GET", .url = address, .headers = headers };

  return box_transport_send (transport, client->config, &request, cancellable, error);
}

/* An address lasts some minutes; then another one is asked for. */
static gboolean
has_expired (const BoxReply *reply)
{
  return reply->status == 401 || reply->status == 403 || reply->status == 404
         || reply->status == 410;
}

static void
set_transient (GError **error, const char *what)
{
  g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "could not %s: %s; this can work later",
               attempt, what);
}

/* The bytes of a reply that has to have exactly those. */
static GBytes *
take_bytes (const BoxReply *reply, guint64 offset, gsize length, const BoxFile *file,
            GError **error)
{
  gboolean whole = offset == 0 && length == file->size;

  if (reply->status == 206 || (reply->status == 200 && whole))
    {
      if (g_bytes_get_size (reply->body) == length)
        return g_bytes_ref (reply->body);
      set_transient (error, "the answer has another length than was asked for");
    }
  /* It is not ready yet. */
  else if (reply->status == 200 || reply->status == 202)
    set_transient (error, reply->status == 202 ? "Box does not have it ready yet"
                                               : "the answer is not the part that was asked for");
  else
    g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
  return NULL;
}

static gboolean
is_redirect (const BoxReply *reply)
{
  return reply->status == 302 || reply->status == 303 || reply->status == 307;
}

GBytes *
box_client_read_file (BoxClient *client, BoxTransport *transport, const BoxFile *file,
                      char **address, guint64 offset, gsize length, GCancellable *cancellable,
                      GError **error)
{
  g_autofree char *range = g_strdup_printf ("bytes=%" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT,
                                            offset, offset + length - 1);
  g_autoptr (BoxReply) reply = NULL;
  GBytes *bytes;

  if (*address == NULL)
    {
      reply = ask_box (client, transport, file, range, cancellable, error);
      if (reply == NULL)
        return NULL;
      if (!is_redirect (reply))
        return take_bytes (reply, offset, length, file, error);
      if (!check_address (reply, error))
        return NULL;
      *address = g_strdup (reply->location);
      g_clear_pointer (&reply, box_reply_free);
    }
  reply = ask_address (client, transport, *address, range, cancellable, error);
  if (reply != NULL && has_expired (reply))
    {
      set_transient (error, "the address of its bytes has expired");
      g_clear_pointer (&reply, box_reply_free);
    }
  bytes = reply != NULL ? take_bytes (reply, offset, length, file, error) : NULL;
  /* Whatever was wrong with it, Box may name another one. */
  if (bytes == NULL)
    g_clear_pointer (address, g_free);
  return bytes;
}
