/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/proxy.h"

#include "base/error.h"
#include "base/process.h"
#include "http/trust.h"

#include <string.h>

/* What the environment's resolver starts when it is made, with a margin. */
#define THREADS_OF_RESOLVER 3

/* Bytes that the system's authorities take, with a margin. */
#define MEMORY_OF_AUTHORITIES (32u << 20)

struct _BoxProxy
{
  GObject parent;

  /* immutable */
  GProxyResolver *given; /* nullable: that of the environment */
  GTlsDatabase *trust;   /* nullable */
};

/* Of the last lookup in this thread: URI that the lookup gave to BoxProxyWay. */
static GPrivate the_ways = G_PRIVATE_INIT ((GDestroyNotify) g_hash_table_unref);

static void box_proxy_resolver_init (GProxyResolverInterface *interface);

BOX_DEFINE_TYPE (BoxProxy, box_proxy, G_TYPE_OBJECT,
                 G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER, box_proxy_resolver_init))

static gboolean
goes_directly (const char *uri)
{
  g_autofree char *scheme = NULL;
  g_autofree char *host = NULL;

  return g_uri_split (uri, G_URI_FLAGS_NONE, &scheme, NULL, &host, NULL, NULL, NULL, NULL, NULL)
         && g_strcmp0 (scheme, "http") == 0 && host != NULL && box_url_policy_is_loopback (host);
}

static gint the_resolver_is_made; /* atomic */

/* Other recordings may give back what is missing. */
static gboolean
fail_for_now (const GError *reason, GError **error)
{
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_TRANSIENT, reason->message);
  return FALSE;
}

gboolean
box_proxy_ensure_resolver (GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (g_atomic_int_get (&the_resolver_is_made))
    return TRUE;
  if (!box_process_check_threads (THREADS_OF_RESOLVER, "to find the proxy with", &reason))
    return fail_for_now (reason, error);
  g_proxy_resolver_get_default ();
  g_atomic_int_set (&the_resolver_is_made, TRUE);
  return TRUE;
}

/* What GIO does not look for before a connection: TLS reads the system's authorities again. */
static gboolean
check_means (BoxProxy *self, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (!box_process_check_memory (MEMORY_OF_AUTHORITIES, "to read the authorities with", &reason))
    return fail_for_now (reason, error);
  return self->given != NULL || box_proxy_ensure_resolver (error);
}

static GProxyResolver *
peek_rest (BoxProxy *self)
{
  return self->given != NULL ? self->given : g_proxy_resolver_get_default ();
}

static char **
direct (void)
{
  static const char *const nothing_between[] = { "direct://", NULL };

  return g_strdupv ((char **) nothing_between);
}

static void
way_free (BoxProxyWay *way)
{
  g_uri_unref (way->uri);
  g_clear_object (&way->trust);
  g_free (way);
}

GUri *
box_proxy_parse (const char *proxy)
{
  GUri *uri = g_uri_parse (proxy, G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (uri != NULL
      && (g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
          || (g_uri_get_user (uri) != NULL && strpbrk (g_uri_get_user (uri), "\r\n") != NULL)))
    g_clear_pointer (&uri, g_uri_unref);
  return uri;
}

const BoxProxyWay *
box_proxy_find (const char *uri)
{
  GHashTable *ways = g_private_get (&the_ways);

  return ways != NULL ? g_hash_table_lookup (ways, uri) : NULL;
}

/* The port that GIO assumes as well. */
static int
port_of (GUri *uri)
{
  if (g_uri_get_port (uri) > 0)
    return g_uri_get_port (uri);
  return g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80;
}

static gboolean
is_socks (GUri *uri)
{
  return g_str_has_prefix (g_uri_get_scheme (uri), "socks");
}

void
box_proxy_note_socks (gboolean accepted)
{
  GHashTable *ways = g_private_get (&the_ways);
  GHashTableIter iter;
  gpointer way;

  if (ways == NULL)
    return;
  g_hash_table_iter_init (&iter, ways);
  while (g_hash_table_iter_next (&iter, NULL, &way))
    {
      GUri *uri = ((BoxProxyWay *) way)->uri;

      if (!is_socks (uri) || g_uri_get_user (uri) == NULL)
        continue;
      if (accepted)
        box_proxy_memory_accepted (uri, FALSE);
      else
        box_proxy_memory_refused (uri);
    }
}

/* The name of a way by @uri, which is @proxy, to @destination; NULL if there is no way. GIO
 * speaks to a SOCKS proxy, which takes user and password from the name. */
static char *
name_of (GUri *uri, const char *proxy, const char *destination)
{
  g_autofree char *scheme = g_uri_parse_scheme (destination);
  const char *protocol = g_uri_get_scheme (uri);

  if (is_socks (uri))
    return g_strdup (proxy);
  if (!g_str_equal (protocol, "http") && !g_str_equal (protocol, "https"))
    return NULL;
  if (g_strcmp0 (scheme, "https") == 0)
    protocol = g_str_equal (protocol, "http") ? BOX_PROXY_HTTP : BOX_PROXY_HTTPS;
  return g_uri_join (G_URI_FLAGS_NONE, protocol, NULL, g_uri_get_host (uri), port_of (uri), "",
                     NULL, NULL);
}

/* The answer about @proxy to a resolver's caller that connects to @destination: an HTTP proxy
 * without its user and password, which only the tunnel needs. Clear text is not tunnelled, and no
 * password is offered for it. NULL: it is no URI, or of a kind that does not exist. */
static char *
name_way (BoxProxy *self, GHashTable *ways, const char *destination, const char *proxy,
          GError **error)
{
  g_autoptr (GUri) uri = box_proxy_parse (proxy);
  BoxProxyWay *way;
  char *name;

  if (g_str_has_prefix (proxy, "direct:"))
    return g_strdup (proxy);
  if (uri == NULL)
    return NULL;
  if (is_socks (uri) && !box_proxy_memory_check (uri, error))
    return NULL;
  name = name_of (uri, proxy, destination);
  if (name == NULL)
    return NULL;
  way = g_new0 (BoxProxyWay, 1);
  way->uri = g_steal_pointer (&uri);
  g_set_object (&way->trust, self->trust);
  g_hash_table_replace (ways, g_strdup (name), way);
  return name;
}

/* Takes @proxies, the rest's answer. */
static char **
name_ways (BoxProxy *self, const char *destination, char **proxies, GError **error)
{
  GHashTable *ways =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) way_free);
  GStrvBuilder *builder = g_strv_builder_new ();
  g_autoptr (GError) rest = NULL;
  char **names;

  for (char **proxy = proxies; *proxy != NULL; proxy++)
    {
      g_autofree char *name =
          name_way (self, ways, destination, *proxy, rest == NULL ? &rest : NULL);

      if (name != NULL)
        g_strv_builder_add (builder, name);
    }
  g_strfreev (proxies);
  g_private_replace (&the_ways, ways);
  names = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  if (*names != NULL)
    return names;
  g_strfreev (names);
  if (rest != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&rest));
      return NULL;
    }
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "the proxy that the environment names is not a URI such as "
                       "http://proxy.example.com:3128 or socks5://proxy.example.com:1080");
  return NULL;
}

static char **
box_proxy_lookup (GProxyResolver *resolver, const char *uri, GCancellable *cancellable,
                  GError **error)
{
  char **proxies;

  if (goes_directly (uri))
    return direct ();
  if (!check_means (BOX_PROXY (resolver), error))
    return NULL;
  proxies = g_proxy_resolver_lookup (peek_rest (BOX_PROXY (resolver)), uri, cancellable, error);
  return proxies != NULL ? name_ways (BOX_PROXY (resolver), uri, proxies, error) : NULL;
}

static void
on_rest_answered (GObject *rest, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  char **proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (rest), result, &error);

  if (proxies != NULL)
    proxies =
        name_ways (g_task_get_source_object (task), g_task_get_task_data (task), proxies, &error);
  if (proxies != NULL)
    g_task_return_pointer (task, proxies, (GDestroyNotify) g_strfreev);
  else
    g_task_return_error (task, error);
}

static void
box_proxy_lookup_async (GProxyResolver *resolver, const char *uri, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, user_data);
  GError *error = NULL;

  g_task_set_task_data (task, g_strdup (uri), g_free);
  if (goes_directly (uri))
    g_task_return_pointer (task, direct (), (GDestroyNotify) g_strfreev);
  else if (!check_means (BOX_PROXY (resolver), &error))
    g_task_return_error (task, error);
  else
    g_proxy_resolver_lookup_async (peek_rest (BOX_PROXY (resolver)), uri, cancellable,
                                   on_rest_answered, g_steal_pointer (&task));
}

static char **
box_proxy_lookup_finish (GProxyResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
box_proxy_resolver_init (GProxyResolverInterface *interface)
{
  interface->lookup = box_proxy_lookup;
  interface->lookup_async = box_proxy_lookup_async;
  interface->lookup_finish = box_proxy_lookup_finish;
}

static void
box_proxy_finalize (GObject *object)
{
  g_clear_object (&BOX_PROXY (object)->given);
  g_clear_object (&BOX_PROXY (object)->trust);
  G_OBJECT_CLASS (box_proxy_parent_class)->finalize (object);
}

static void
box_proxy_class_init (BoxProxyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = box_proxy_finalize;
}

static void
box_proxy_init (BoxProxy *self)
{
}

GProxyResolver *
box_proxy_new (const char *proxy, GTlsDatabase *trust)
{
  BoxProxy *self = g_object_new (BOX_TYPE_PROXY, NULL);

  self->given = proxy != NULL ? g_simple_proxy_resolver_new (proxy, NULL) : NULL;
  g_set_object (&self->trust, trust);
  return G_PROXY_RESOLVER (self);
}
