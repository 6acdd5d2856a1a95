/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses that a reply names: the first line is the address, the second one the endpoint that the
 * user named. A token goes nowhere but to that host, or to one below the same domain.
 */
#include "fuzz.h"

#include "http/trust.h"

#include <libsoup/soup.h>

static void
check_allowed (const char *url, const char *endpoint)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  g_autoptr (GUri) own = g_uri_parse (endpoint, SOUP_HTTP_URI_FLAGS, NULL);
  g_autofree char *origin = box_url_policy_origin_of (url);
  const char *host = g_uri_get_host (uri);

  g_assert_nonnull (origin);
  g_assert_true (g_ascii_strcasecmp (g_uri_get_scheme (uri), "https") == 0
                 || box_url_policy_is_loopback (host));
  g_assert_null (g_uri_get_userinfo (uri));
  g_assert_cmpint (g_uri_get_port (uri), ==, g_uri_get_port (own));
  if (g_ascii_strcasecmp (host, g_uri_get_host (own)) != 0)
    g_assert_cmpstr (soup_tld_get_base_domain (host, NULL), !=, NULL);
  /* What libsoup would connect to is what was looked at. */
  g_assert_cmpstr (host, ==, g_uri_get_host (uri));
}

/* What is refused is refused in one line. */
static void
check_refused (const GError *error)
{
  g_assert_nonnull (error);
  for (const char *p = error->message; *p != '\0'; p++)
    g_assert_false (g_ascii_iscntrl (*p));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 2);
  g_autofree char *origin = NULL;
  g_autoptr (GError) error = NULL;

  if (lines[0] == NULL || !g_utf8_validate (text, -1, NULL))
    return 0;
  origin = box_url_policy_origin_of (lines[0]);
  if (origin != NULL)
    {
      g_autofree char *again = box_url_policy_origin_of (origin);
      g_autofree char *lower = g_ascii_strdown (origin, -1);

      g_assert_cmpstr (origin, ==, again);
      g_assert_true (g_str_has_suffix (lower, "box.com")
                     || !box_url_policy_check (lines[0], "https://upload.box.com/api/2.0", NULL));
    }
  if (lines[1] == NULL)
    return 0;
  if (box_url_policy_check (lines[0], lines[1], &error))
    check_allowed (lines[0], lines[1]);
  else
    check_refused (error);
  return 0;
}
