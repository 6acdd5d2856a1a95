/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/trust.h"

#include "base/error.h"

#include <gio/gio.h>
#include <libsoup/soup.h>

/* GUri decodes the host: a control character in it would get into messages. */
static gboolean
is_printable (const char *host)
{
  while (g_ascii_isgraph (*host) || (*host & 0x80) != 0)
    host++;
  return *host == '\0';
}

static GUri *
parse (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  const char *scheme;

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || !is_printable (g_uri_get_host (uri)) || g_uri_get_userinfo (uri) != NULL
      || g_uri_get_fragment (uri) != NULL)
    return NULL;
  scheme = g_uri_get_scheme (uri);
  if (!g_str_equal (scheme, "https") && !g_str_equal (scheme, "http"))
    return NULL;
  return g_steal_pointer (&uri);
}

gboolean
box_url_policy_is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  if (address != NULL)
    return g_inet_address_get_is_loopback (address);
  return g_ascii_strcasecmp (host, "localhost") == 0;
}

gboolean
box_url_policy_is_local (const char *url)
{
  g_autoptr (GUri) uri = parse (url);

  return uri != NULL && box_url_policy_is_loopback (g_uri_get_host (uri));
}

static gboolean
check_clear_text (GUri *uri, const char *what, GError **error)
{
  if (g_str_equal (g_uri_get_scheme (uri), "https")
      || box_url_policy_is_loopback (g_uri_get_host (uri)))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_TRUST,
               "%s is http to %s, where the access token would travel in clear text; use https",
               what, g_uri_get_host (uri));
  return FALSE;
}

gboolean
box_url_policy_check_endpoint (const char *url, const char *what, GError **error)
{
  g_autoptr (GUri) uri = parse (url);

  if (uri == NULL || g_uri_get_query (uri) != NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                   "%s is not an https URL such as https://upload.box.com/api/2.0", what);
      return FALSE;
    }
  return check_clear_text (uri, what, error);
}

static gboolean
are_of_one_domain (const char *a, const char *b)
{
  const char *domain_a, *domain_b;

  if (g_ascii_strcasecmp (a, b) == 0)
    return TRUE;
  /* Addresses have no such domain, nor do public suffixes such as co.uk. */
  domain_a = soup_tld_get_base_domain (a, NULL);
  domain_b = soup_tld_get_base_domain (b, NULL);
  return domain_a != NULL && domain_b != NULL && g_ascii_strcasecmp (domain_a, domain_b) == 0;
}

gboolean
box_url_policy_check (const char *url, const char *endpoint, GError **error)
{
  g_autoptr (GUri) uri = parse (url);
  g_autoptr (GUri) own = parse (endpoint);

  if (uri == NULL || own == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_TRUST,
                           "Box named an address that is not an http or https URL; it is not used");
      return FALSE;
    }
  if (!check_clear_text (uri, "an address named by Box", error))
    return FALSE;
  if (g_str_equal (g_uri_get_scheme (uri), g_uri_get_scheme (own))
      && g_uri_get_port (uri) == g_uri_get_port (own)
      && are_of_one_domain (g_uri_get_host (uri), g_uri_get_host (own)))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_TRUST,
               "Box named the host %s, which does not belong to the endpoint's %s; "
               "the access token is not sent there",
               g_uri_get_host (uri), g_uri_get_host (own));
  return FALSE;
}

char *
box_url_policy_origin_of (const char *url)
{
  g_autoptr (GUri) uri = parse (url);
  gboolean is_default;
  int port;

  if (uri == NULL)
    return NULL;
  port = g_uri_get_port (uri);
  is_default = port == -1 || port == (g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80);
  return g_uri_join (G_URI_FLAGS_NONE, g_uri_get_scheme (uri), NULL, g_uri_get_host (uri),
                     is_default ? -1 : port, "", NULL, NULL);
}
