/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "box-transport.h"

#include "box-error.h"
#include "box-exchange-private.h"
#include "box-trust-private.h"

#include <libsoup/soup.h>

#define DEFAULT_TIMEOUT 60

/* A connection that rested longer is not used again: a router on the way may have forgotten it, and
 * the request would only find out by the timeout. */
#define LONGEST_REST (30 * G_USEC_PER_SEC)

struct _BoxTransportConfig
{
  gatomicrefcount ref_count;

  /* immutable */
  GTlsDatabase *trust; /* NULL: the system's */
  char *proxy;         /* NULL: as the environment says */
  char *proxy_name;    /* the same without credentials */
  guint timeout;       /* seconds */
};

/* What a transport keeps for one configuration. One thread. */
typedef struct
{
  BoxTransportConfig *config;
  SoupSession *session;
  GHashTable *streams;
  gint64 last_used; /* monotonic */
} Channel;

struct _BoxTransport
{
  GHashTable *channels; /* BoxTransportConfig to Channel */
  /* libsoup attaches sources of its own to the thread's default context. This one is nobody else's,
   * so that an application's main loop in another thread never runs them. */
  GMainContext *context;
};

static gboolean
parse_proxy (BoxTransportConfig *config, const char *proxy, GError **error)
{
  static const char *const schemes[] = { "http",    "https",  "socks", "socks4",
                                         "socks4a", "socks5", NULL };
  g_autoptr (GUri) uri = g_uri_parse (proxy, G_URI_FLAGS_HAS_PASSWORD, NULL);

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0'
      || !g_strv_contains (schemes, g_uri_get_scheme (uri)))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "the proxy is not a URI such as http://proxy.example.com:3128");
      return FALSE;
    }
  config->proxy = g_strdup (proxy);
  config->proxy_name = g_strdup (g_uri_get_host (uri));
  return TRUE;
}

BoxTransportConfig *
box_transport_config_new (const char *ca_file, const char *proxy, guint timeout, GError **error)
{
  g_autoptr (BoxTransportConfig) config = g_new0 (BoxTransportConfig, 1);

  g_atomic_ref_count_init (&config->ref_count);
  config->timeout = timeout != 0 ? timeout : DEFAULT_TIMEOUT;
  if (ca_file != NULL && (config->trust = box_trust_new (ca_file, error)) == NULL)
    return NULL;
  if (proxy != NULL && !parse_proxy (config, proxy, error))
    return NULL;
  return g_steal_pointer (&config);
}

BoxTransportConfig *
box_transport_config_ref (BoxTransportConfig *config)
{
  g_atomic_ref_count_inc (&config->ref_count);
  return config;
}

void
box_transport_config_unref (BoxTransportConfig *config)
{
  if (!g_atomic_ref_count_dec (&config->ref_count))
    return;
  g_clear_object (&config->trust);
  g_free (config->proxy);
  g_free (config->proxy_name);
  g_free (config);
}

static SoupSession *
new_session (BoxTransportConfig *config)
{
  SoupSession *session = soup_session_new ();

  /* An idle time-out would need a main loop; LONGEST_REST does its work. */
  g_object_set (session, "timeout", config->timeout, "idle-timeout", 0, "user-agent",
                "boxuploadsink/" BOX_VERSION, NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  if (config->trust != NULL)
    soup_session_set_tls_database (session, config->trust);
  if (config->proxy != NULL)
    {
      g_autoptr (GProxyResolver) resolver = g_simple_proxy_resolver_new (config->proxy, NULL);

      soup_session_set_proxy_resolver (session, resolver);
    }
  return session;
}

static void
channel_free (Channel *channel)
{
  soup_session_abort (channel->session);
  g_object_unref (channel->session);
  g_hash_table_unref (channel->streams);
  box_transport_config_unref (channel->config);
  g_free (channel);
}

static Channel *
ensure_channel (BoxTransport *transport, BoxTransportConfig *config)
{
  Channel *channel = g_hash_table_lookup (transport->channels, config);

  if (channel == NULL)
    {
      channel = g_new0 (Channel, 1);
      channel->config = box_transport_config_ref (config);
      channel->session = new_session (config);
      channel->streams = g_hash_table_new_full (NULL, NULL, NULL, g_object_unref);
      g_hash_table_insert (transport->channels, config, channel);
    }
  else if (g_get_monotonic_time () - channel->last_used > LONGEST_REST)
    soup_session_abort (channel->session);
  return channel;
}

BoxTransport *
box_transport_new (void)
{
  BoxTransport *transport = g_new0 (BoxTransport, 1);

  transport->context = g_main_context_new ();
  transport->channels = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) channel_free);
  return transport;
}

void
box_transport_free (BoxTransport *transport)
{
  if (transport == NULL)
    return;
  g_main_context_push_thread_default (transport->context);
  g_hash_table_unref (transport->channels);
  g_main_context_pop_thread_default (transport->context);
  g_main_context_unref (transport->context);
  g_free (transport);
}

BoxReply *
box_transport_send (BoxTransport *transport, BoxTransportConfig *config, const BoxRequest *request,
                    GCancellable *cancellable, GError **error)
{
  BoxReply *reply;
  Channel *channel;

  g_main_context_push_thread_default (transport->context);
  channel = ensure_channel (transport, config);
  reply = box_exchange_run (
      &(BoxExchangeSettings){
          .session = channel->session,
          .streams = channel->streams,
          .timeout = config->timeout,
          .proxy = config->proxy_name,
      },
      request, cancellable, error);
  channel->last_used = g_get_monotonic_time ();
  g_main_context_pop_thread_default (transport->context);
  return reply;
}
