/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/transport.h"

#include "base/error.h"
#include "base/process.h"
#include "http/exchange.h"
#include "http/proxy.h"
#include "http/trust.h"

#include <libsoup/soup.h>

#define DEFAULT_TIMEOUT 60

/* Bytes of addresses. The system's authorities take some 10 MB; glibc maps 128 MiB for a thread
 * that allocates, and gives half of it back. */
#define MEMORY_OF_TRUST (160u << 20)

/* A connection that rested longer is not used again: a router on the way may have forgotten it, and
 * the request would only find out by the timeout. */
#define LONGEST_REST (30 * G_USEC_PER_SEC)

struct _BoxTransportConfig
{
  guint ref_count; /* with the lock of the_configs */

  /* immutable */
  char *key;     /* in the_configs */
  char *ca_file; /* nullable */
  char *proxy;   /* NULL: as the environment says */
  guint timeout; /* seconds */

  GMutex trust_lock;
  GTlsDatabase *trust; /* with trust_lock; made by the first request */
};

/* All there are by what they say, so that the uploads of a process share the connections of a
 * worker, and the authorities are read once. */
static struct
{
  GMutex lock;
  GHashTable *table; /* with lock; key to BoxTransportConfig, neither owned */
} the_configs;

/* State of a transport for one configuration. One thread. */
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
   * so that an application's main loop in another thread never runs them. Made by the first
   * request. */
  GMainContext *context;
};

static gboolean
parse_proxy (BoxTransportConfig *config, const char *proxy, GError **error)
{
  static const char *const schemes[] = { "http",    "https",  "socks", "socks4",
                                         "socks4a", "socks5", NULL };
  g_autoptr (GUri) uri = box_proxy_parse (proxy);

  if (uri == NULL || !g_strv_contains (schemes, g_uri_get_scheme (uri)))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                           "the proxy is not a URI such as http://proxy.example.com:3128");
      return FALSE;
    }
  config->proxy = g_strdup (proxy);
  return TRUE;
}

static void
config_free (BoxTransportConfig *config)
{
  g_clear_object (&config->trust);
  g_mutex_clear (&config->trust_lock);
  g_free (config->ca_file);
  g_free (config->proxy);
  g_free (config->key);
  g_free (config);
}

/* The file's content is part of the key: it may be replaced while the process runs. */
static char *
make_key (const char *ca_file, const char *proxy, guint timeout, GError **error)
{
  g_autofree char *authorities = NULL;
  g_autoptr (GError) reason = NULL;

  if (ca_file != NULL && !g_file_get_contents (ca_file, &authorities, NULL, &reason))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS, "ca-file \"%s\" cannot be used: %s",
                   ca_file, reason->message);
      return NULL;
    }
  if (ca_file != NULL && !box_trust_check_file (ca_file, authorities, error))
    return NULL;
  return g_strdup_printf ("%u %s %c%s", timeout, proxy != NULL ? proxy : "",
                          ca_file != NULL ? '+' : '-', authorities != NULL ? authorities : "");
}

static BoxTransportConfig *
find_config (const char *key)
{
  BoxTransportConfig *config = NULL;

  g_mutex_lock (&the_configs.lock);
  if (the_configs.table == NULL)
    the_configs.table = g_hash_table_new (g_str_hash, g_str_equal);
  config = g_hash_table_lookup (the_configs.table, key);
  if (config != NULL)
    config->ref_count++;
  g_mutex_unlock (&the_configs.lock);
  return config;
}

BoxTransportConfig *
box_transport_config_new (const char *ca_file, const char *proxy, guint timeout, GError **error)
{
  g_autofree char *key = NULL;
  BoxTransportConfig *config;

  timeout = timeout != 0 ? timeout : DEFAULT_TIMEOUT;
  key = make_key (ca_file, proxy, timeout, error);
  if (key == NULL)
    return NULL;
  config = find_config (key);
  if (config != NULL)
    return config;
  config = g_new0 (BoxTransportConfig, 1);
  config->ref_count = 1;
  config->timeout = timeout;
  config->ca_file = g_strdup (ca_file);
  g_mutex_init (&config->trust_lock);
  if (proxy != NULL && !parse_proxy (config, proxy, error))
    {
      config_free (config);
      return NULL;
    }
  config->key = g_steal_pointer (&key);

  g_mutex_lock (&the_configs.lock);
  g_hash_table_replace (the_configs.table, config->key, config);
  g_mutex_unlock (&the_configs.lock);
  return config;
}

BoxTransportConfig *
box_transport_config_ref (BoxTransportConfig *config)
{
  g_mutex_lock (&the_configs.lock);
  config->ref_count++;
  g_mutex_unlock (&the_configs.lock);
  return config;
}

void
box_transport_config_unref (BoxTransportConfig *config)
{
  gboolean last;

  g_mutex_lock (&the_configs.lock);
  last = --config->ref_count == 0;
  /* Two that were made at the same time are there both, and only the later is found. */
  if (last && g_hash_table_lookup (the_configs.table, config->key) == config)
    g_hash_table_remove (the_configs.table, config->key);
  g_mutex_unlock (&the_configs.lock);
  if (last)
    config_free (config);
}

guint
box_transport_config_get_timeout (const BoxTransportConfig *config)
{
  return config->timeout;
}

/* Reading the authorities takes some 14 ms, which no state change has to wait for. NULL: the
 * ca-file cannot be used, or there is no memory for them: GnuTLS does not look. */
static GTlsDatabase *
ensure_trust (BoxTransportConfig *config, GError **error)
{
  GTlsDatabase *trust;

  g_mutex_lock (&config->trust_lock);
  if (config->trust == NULL
      && box_process_check_memory (MEMORY_OF_TRUST, "to read the authorities with", error))
    config->trust = box_trust_new (config->ca_file, error);
  trust = config->trust;
  g_mutex_unlock (&config->trust_lock);
  return trust;
}

static SoupSession *
new_session (BoxTransportConfig *config, GTlsDatabase *trust)
{
  SoupSession *session = soup_session_new ();
  g_autoptr (GProxyResolver) resolver = box_proxy_new (config->proxy, trust);

  /* An idle time-out would need a main loop; LONGEST_REST does its work. */
  g_object_set (session, "timeout", config->timeout, "idle-timeout", 0, "user-agent",
                "boxuploadsink/" BOX_VERSION, NULL);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_set_tls_database (session, trust);
  soup_session_set_proxy_resolver (session, resolver);
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
ensure_channel (BoxTransport *transport, BoxTransportConfig *config, GError **error)
{
  Channel *channel = g_hash_table_lookup (transport->channels, config);

  if (channel == NULL)
    {
      GTlsDatabase *trust = ensure_trust (config, error);

      if (trust == NULL || !box_proxy_ensure_resolver (error))
        return NULL;
      channel = g_new0 (Channel, 1);
      channel->config = box_transport_config_ref (config);
      channel->session = new_session (config, trust);
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

  box_tunnel_register ();
  transport->channels = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) channel_free);
  return transport;
}

void
box_transport_free (BoxTransport *transport)
{
  if (transport == NULL)
    return;
  if (transport->context != NULL)
    g_main_context_push_thread_default (transport->context);
  g_hash_table_unref (transport->channels);
  if (transport->context != NULL)
    g_main_context_pop_thread_default (transport->context);
  g_clear_pointer (&transport->context, g_main_context_unref);
  g_free (transport);
}

/* GLib and glib-networking end the process where a GMainContext or a GCancellable finds no
 * descriptor, or GLib no thread of its own; a request makes several of them. This one fails
 * instead, and can be made again. */
static gboolean
ensure_context (BoxTransport *transport, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (!box_process_check_descriptors (BOX_PROCESS_DESCRIPTORS_OF_WORKER, "for a request", &reason)
      || !box_process_ensure_glib_threads ("for a request", &reason))
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_TRANSIENT, reason->message);
      return FALSE;
    }
  if (transport->context == NULL)
    transport->context = g_main_context_new ();
  return TRUE;
}

BoxReply *
box_transport_send (BoxTransport *transport, BoxTransportConfig *config, const BoxRequest *request,
                    GCancellable *cancellable, GError **error)
{
  BoxReply *reply;
  Channel *channel;

  if (!ensure_context (transport, error))
    return NULL;
  g_main_context_push_thread_default (transport->context);
  channel = ensure_channel (transport, config, error);
  if (channel == NULL)
    {
      g_main_context_pop_thread_default (transport->context);
      return NULL;
    }
  reply = box_exchange_run (
      &(BoxExchangeSettings){
          .session = channel->session,
          .streams = channel->streams,
          .timeout = config->timeout,
      },
      request, cancellable, error);
  channel->last_used = g_get_monotonic_time ();
  g_main_context_pop_thread_default (transport->context);
  return reply;
}
