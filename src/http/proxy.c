/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/proxy.h"

#include "http/url-policy.h"

struct _BoxProxy
{
  GObject parent;

  /* immutable */
  GProxyResolver *rest;
};

static void box_proxy_resolver_init (GProxyResolverInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BoxProxy, box_proxy, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER,
                                                      box_proxy_resolver_init))

static gboolean
goes_directly (const char *uri)
{
  g_autofree char *scheme = NULL;
  g_autofree char *host = NULL;

  return g_uri_split (uri, G_URI_FLAGS_NONE, &scheme, NULL, &host, NULL, NULL, NULL, NULL, NULL)
         && g_strcmp0 (scheme, "http") == 0 && host != NULL && box_url_policy_is_loopback (host);
}

static char **
direct (void)
{
  static const char *const nothing_between[] = { "direct://", NULL };

  return g_strdupv ((char **) nothing_between);
}

static char **
box_proxy_lookup (GProxyResolver *resolver, const char *uri, GCancellable *cancellable,
                  GError **error)
{
  if (goes_directly (uri))
    return direct ();
  return g_proxy_resolver_lookup (BOX_PROXY (resolver)->rest, uri, cancellable, error);
}

static void
on_rest_answered (GObject *rest, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  char **proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (rest), result, &error);

  if (proxies != NULL)
    g_task_return_pointer (task, proxies, (GDestroyNotify) g_strfreev);
  else
    g_task_return_error (task, error);
}

static void
box_proxy_lookup_async (GProxyResolver *resolver, const char *uri, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (resolver, cancellable, callback, user_data);

  if (!goes_directly (uri))
    {
      g_proxy_resolver_lookup_async (BOX_PROXY (resolver)->rest, uri, cancellable, on_rest_answered,
                                     task);
      return;
    }
  g_task_return_pointer (task, direct (), (GDestroyNotify) g_strfreev);
  g_object_unref (task);
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
  g_object_unref (BOX_PROXY (object)->rest);
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
box_proxy_new (const char *proxy)
{
  BoxProxy *self = g_object_new (BOX_TYPE_PROXY, NULL);

  self->rest = proxy != NULL ? g_simple_proxy_resolver_new (proxy, NULL)
                             : g_object_ref (g_proxy_resolver_get_default ());
  return G_PROXY_RESOLVER (self);
}
