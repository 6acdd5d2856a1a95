/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The head of a request to the daemon's page: nobody gets in without the token, or with a foreign
 * host's name at a loopback address.
 */
#include "fuzz.h"

#include "status/status.h"

#include <libsoup/soup.h>
#include <string.h>

#define TOKEN "the-token-of-the-page"

/* @size bytes have the token, in the clear or in Base64. */
static gboolean
has_token (const guint8 *data, gsize size, SoupMessageHeaders *headers)
{
  const char *value = soup_message_headers_get_one (headers, "Authorization");
  const char *basic = value != NULL ? strchr (value, ' ') : NULL;
  g_autofree guchar *decoded = NULL;
  gsize length;

  if (memmem (data, size, TOKEN, strlen (TOKEN)) != NULL)
    return TRUE;
  if (basic == NULL)
    return FALSE;
  decoded = g_base64_decode (basic, &length);
  return memmem (decoded, length, ":" TOKEN, strlen (":" TOKEN)) != NULL;
}

/* What GUri does not decode names this machine as it is written. */
static void
check_host (const char *host)
{
  for (const char *c = host; *c != '\0'; c++)
    if (!g_ascii_isgraph (*c) || *c == '%' || *c == '@')
      return;
  g_assert_true (g_ascii_strncasecmp (host, "localhost", 9) == 0 || g_str_has_prefix (host, "127.")
                 || g_str_has_prefix (host, "["));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autofree char *method = NULL, *path = NULL;
  SoupHTTPVersion version;
  guint open, closed;

  if (size < G_MAXINT
      && soup_headers_parse_request ((const char *) data, (int) size, headers, &method, &path,
                                     &version)
             == SOUP_STATUS_OK)
    {
      open = box_status_admit (headers, method, TRUE, NULL);
      closed = box_status_admit (headers, method, FALSE, TOKEN);
      if (open == SOUP_STATUS_OK)
        check_host (soup_message_headers_get_one (headers, "Host"));
      if (closed == SOUP_STATUS_OK)
        g_assert_true (has_token (data, size, headers));
      if (!g_str_equal (method, "GET") && !g_str_equal (method, "HEAD"))
        g_assert_true (open != SOUP_STATUS_OK && closed != SOUP_STATUS_OK);
    }
  soup_message_headers_unref (headers);
  return 0;
}
