/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/message.h"

#include "base/secret.h"

#include <libsoup/soup.h>
#include <string.h>

/* Headers are kept for messages and comparisons; nothing sensible is longer. */
#define MAX_HEADER 1024

static gboolean
read_bytes (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  const guint8 *data = g_bytes_get_data (user_data, NULL);

  memcpy (buffer, data + offset, length);
  return TRUE;
}

static const guint8 *
peek_bytes (gpointer user_data, guint64 offset, gsize *length)
{
  return (const guint8 *) g_bytes_get_data (user_data, NULL) + offset;
}

void
box_body_init_bytes (BoxBody *body, GBytes *bytes)
{
  *body = (BoxBody){
    .size = g_bytes_get_size (bytes),
    .read = read_bytes,
    .peek = peek_bytes,
    .user_data = bytes,
  };
}

gint
box_reply_parse_retry_after (const char *value, GDateTime *date)
{
  g_autoptr (GDateTime) when = NULL;
  g_autoptr (GDateTime) now = NULL;
  guint64 seconds;
  gint64 difference;

  if (g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT, &seconds, NULL))
    return (gint) seconds;
  when = soup_date_time_new_from_http_string (value);
  if (when == NULL)
    return -1;
  now = date != NULL ? g_date_time_ref (date) : g_date_time_new_now_utc ();
  difference = g_date_time_difference (when, now) / G_TIME_SPAN_SECOND;
  return (gint) CLAMP (difference, 0, G_MAXINT);
}

static char *
dup_header (SoupMessageHeaders *headers, const char *name)
{
  const char *value = soup_message_headers_get_one (headers, name);

  if (value == NULL || *value == '\0' || strlen (value) > MAX_HEADER)
    return NULL;
  return g_utf8_make_valid (value, -1);
}

BoxReply *
box_reply_new (guint status, SoupMessageHeaders *headers, GBytes *body)
{
  BoxReply *reply = g_new0 (BoxReply, 1);
  g_autofree char *date = dup_header (headers, "Date");
  g_autofree char *retry_after = dup_header (headers, "Retry-After");

  reply->status = status;
  reply->body = g_bytes_ref (body);
  reply->date = date != NULL ? soup_date_time_new_from_http_string (date) : NULL;
  reply->retry_after =
      retry_after != NULL ? box_reply_parse_retry_after (retry_after, reply->date) : -1;
  reply->request_id = dup_header (headers, "box-request-id");
  reply->www_authenticate = dup_header (headers, "WWW-Authenticate");
  reply->etag = dup_header (headers, "ETag");
  reply->location = dup_header (headers, "Location");
  return reply;
}

void
box_reply_free (BoxReply *reply)
{
  if (reply == NULL)
    return;
  g_bytes_unref (reply->body);
  g_free (reply->request_id);
  g_free (reply->www_authenticate);
  g_free (reply->etag);
  g_free (reply->location);
  g_clear_pointer (&reply->date, g_date_time_unref);
  g_free (reply);
}

void
box_reply_free_secret (BoxReply *reply)
{
  gsize length = 0;

  if (reply == NULL)
    return;
  box_secret_clear (g_bytes_unref_to_data (reply->body, &length), length);
  reply->body = g_bytes_new_static ("", 0);
  box_reply_free (reply);
}
