/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who may ask the daemon, by the head of a request. Pure. */
#include "status/status.h"

#include <libsoup/soup.h>
#include <string.h>

/* In a time that does not depend on where they differ. */
static gboolean
is_equal (const char *a, const char *b)
{
  gsize n = MIN (strlen (a), strlen (b));
  guint difference = strlen (a) == strlen (b) ? 0 : 1;

  for (gsize i = 0; i < n; i++)
    difference |= (guint) (guchar) (a[i] ^ b[i]);
  return difference == 0;
}

static gboolean
has_token (SoupMessageHeaders *headers, const char *token)
{
  const char *value = soup_message_headers_get_one (headers, "Authorization");
  g_autofree char *decoded = NULL;
  const char *password;
  gsize length;

  if (value == NULL)
    return FALSE;
  if (g_ascii_strncasecmp (value, "Bearer ", 7) == 0)
    return is_equal (value + 7, token);
  if (g_ascii_strncasecmp (value, "Basic ", 6) != 0)
    return FALSE;
  decoded = (char *) g_base64_decode (value + 6, &length);
  decoded = g_realloc (decoded, length + 1);
  decoded[length] = '\0';
  password = strchr (decoded, ':');
  return password != NULL && is_equal (password + 1, token);
}

/* Whether the request names a loopback address as its host. */
static gboolean
names_loopback (SoupMessageHeaders *headers)
{
  const char *host = soup_message_headers_get_one (headers, "Host");
  g_autofree char *url = g_strdup_printf ("http://%s/", host != NULL ? host : "");
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  const char *name = uri != NULL ? g_uri_get_host (uri) : NULL;
  g_autoptr (GInetAddress) address = name != NULL ? g_inet_address_new_from_string (name) : NULL;

  return (address != NULL && g_inet_address_get_is_loopback (address))
         || g_strcmp0 (name, "localhost") == 0;
}

guint
box_status_admit (SoupMessageHeaders *headers, const char *method, gboolean loopback,
                  const char *token)
{
  if (loopback && !names_loopback (headers))
    return SOUP_STATUS_FORBIDDEN;
  if (token != NULL && !has_token (headers, token))
    return SOUP_STATUS_UNAUTHORIZED;
  return g_str_equal (method, "GET") || g_str_equal (method, "HEAD")
             ? SOUP_STATUS_OK
             : SOUP_STATUS_METHOD_NOT_ALLOWED;
}
