/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/calls.h"
#include "api/client.h"

#include "api/error.h"
#include "base/digest.h"
#include "http/trust.h"

#include <string.h>

/* A token should last this long when a request with a body begins, seconds: a part of 64 MiB takes
 * this at 4.5 Mbit/s. */
#define TOKEN_LASTS_FOR_BODY 120

/* The same where the request cannot be repeated and lasts as long as a recording: half an hour of
 * the hour that Box gives, so that each recording of a row does not take a token of its own. */
#define TOKEN_LASTS_FOR_LIVE 1800

/* A 401 without Box's words is believed when it is still said after this: requests that were under
 * way at the same time do not confirm each other. Shorter than the first pause between two tries.
 * Microseconds. */
#define DOUBT_LASTS (G_USEC_PER_SEC / 4)

static gboolean
is_given (const char *setting)
{
  return setting != NULL && *setting != '\0';
}

/* The setting @name, which is @given, or else the value of @variable. NULL: neither is there. */
static char *
dup_endpoint (const char *given, const char *name, const char *variable, GError **error)
{
  gboolean in_settings = is_given (given);
  const char *value = in_settings ? given : g_getenv (variable);
  g_autofree char *endpoint = NULL;

  if (!is_given (value))
    return NULL;
  if (!box_url_policy_check_endpoint (value, in_settings ? name : variable, error))
    return NULL;
  endpoint = g_strdup (value);
  while (g_str_has_suffix (endpoint, "/"))
    endpoint[strlen (endpoint) - 1] = '\0';
  return g_steal_pointer (&endpoint);
}

/* The endpoint that nobody named: @preset, or if @other is on this machine, the same server's. A
 * token that is meant for a stand-in must not go to Box. */
static char *
complete_endpoint (const char *other, const char *path, const char *preset)
{
  g_autofree char *origin = NULL;

  if (other == NULL || !box_url_policy_is_local (other))
    return g_strdup (preset);
  origin = box_url_policy_origin_of (other);
  return g_strconcat (origin, path, NULL);
}

static gboolean
find_endpoints (BoxClient *client, const BoxClientSettings *settings, GError **error)
{
  g_autoptr (GError) problem = NULL;

  client->endpoint = dup_endpoint (settings->endpoint, "endpoint", "BOX_ENDPOINT", &problem);
  if (problem == NULL)
    client->api_endpoint =
        dup_endpoint (settings->api_endpoint, "api-endpoint", "BOX_API_ENDPOINT", &problem);
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
  if (client->endpoint == NULL)
    client->endpoint = complete_endpoint (client->api_endpoint, "/api/2.0", BOX_DEFAULT_ENDPOINT);
  if (client->api_endpoint == NULL)
    client->api_endpoint = complete_endpoint (client->endpoint, "/2.0", BOX_DEFAULT_API_ENDPOINT);
  return TRUE;
}

static gboolean
check_as_user (const char *as_user, GError **error)
{
  gsize length = as_user != NULL ? strlen (as_user) : 1;

  if (as_user == NULL || (length > 0 && length <= 64 && strspn (as_user, "0123456789") == length))
    return TRUE;
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                       "as-user is the id of a Box user, which is digits only");
  return FALSE;
}

static BoxCredentials *
new_credentials (BoxClient *client, const BoxClientSettings *settings, GError **error)
{
  g_autofree char *origin = box_url_policy_origin_of (client->api_endpoint);
  g_autofree char *token_url = g_strconcat (origin, "/oauth2/token", NULL);
  BoxCredentialsSettings credentials = {
    .access_token = settings->access_token,
    .token_file = settings->token_file,
    .auth_config = settings->auth_config,
    .token_url = token_url,
    .use_environment = TRUE,
  };

  return box_credentials_new (&credentials, client->config, error);
}

/* Whether @host is @domain, or below it. */
static gboolean
is_at (const char *host, const char *domain)
{
  gsize length = strlen (host), end = strlen (domain);

  return length >= end && g_ascii_strcasecmp (host + length - end, domain) == 0
         && (length == end || host[length - end - 1] == '.');
}

static char *
find_web_app (const char *api_endpoint)
{
  static const char *const domains[] = { "box.com", "box-gov.com" };
  g_autoptr (GUri) uri = g_uri_parse (api_endpoint, G_URI_FLAGS_NONE, NULL);

  if (uri == NULL || g_uri_get_host (uri) == NULL || !g_str_equal (g_uri_get_scheme (uri), "https"))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    if (is_at (g_uri_get_host (uri), domains[i]))
      return g_strconcat ("https://app.", domains[i], NULL);
  return NULL;
}

void
box_client_own_process (void)
{
  box_trust_own_process ();
}

BoxClient *
box_client_new (const BoxClientSettings *settings, GError **error)
{
  g_autoptr (BoxClient) client = g_new0 (BoxClient, 1);
  const char *ca_file = settings->ca_file;

  g_atomic_ref_count_init (&client->ref_count);
  if (!find_endpoints (client, settings, error) || !check_as_user (settings->as_user, error))
    return NULL;
  client->web_app = find_web_app (client->api_endpoint);
  client->as_user = g_strdup (settings->as_user);
  if (!is_given (ca_file))
    ca_file = g_getenv ("BOX_CA_FILE");
  client->config = box_transport_config_new (is_given (ca_file) ? ca_file : NULL, settings->proxy,
                                             settings->timeout, error);
  if (client->config == NULL)
    return NULL;
  client->credentials = new_credentials (client, settings, error);
  return client->credentials != NULL ? g_steal_pointer (&client) : NULL;
}

BoxClient *
box_client_ref (BoxClient *client)
{
  g_atomic_ref_count_inc (&client->ref_count);
  return client;
}

void
box_client_unref (BoxClient *client)
{
  if (!g_atomic_ref_count_dec (&client->ref_count))
    return;
  g_clear_pointer (&client->credentials, box_credentials_free);
  g_clear_pointer (&client->config, box_transport_config_unref);
  g_free (client->endpoint);
  g_free (client->api_endpoint);
  g_free (client->web_app);
  g_free (client->as_user);
  g_free (client);
}

BoxCredentials *
box_client_get_credentials (BoxClient *client)
{
  return client->credentials;
}

const char *
box_client_get_endpoint (BoxClient *client)
{
  return client->endpoint;
}

char *
box_client_format_link (BoxClient *client, const char *file_id)
{
  if (client->web_app == NULL)
    return NULL;
  return g_strconcat (client->web_app, "/file/", file_id, NULL);
}

void
box_client_add_link (BoxClient *client, BoxFile *file)
{
  g_free (file->link);
  file->link = box_client_format_link (client, file->id);
}

guint
box_client_get_timeout (BoxClient *client)
{
  return box_transport_config_get_timeout (client->config);
}

gboolean
box_client_get_time (BoxClient *client, gint64 *time)
{
  gint64 clock = __atomic_load_n (&client->clock, __ATOMIC_RELAXED);

  *time = clock + g_get_monotonic_time ();
  return clock != 0;
}

/* Only of a success: the clock of a login page may be anything. */
static void
note_success (BoxClient *client, const BoxReply *reply)
{
  __atomic_store_n (&client->doubted_since, 0, __ATOMIC_RELAXED);
  if (reply->date != NULL)
    __atomic_store_n (&client->clock,
                      g_date_time_to_unix (reply->date) * G_USEC_PER_SEC - g_get_monotonic_time (),
                      __ATOMIC_RELAXED);
}

/* ---- sending ---- */

static guint
token_lasts (const BoxClientCall *call)
{
  if (call->body == NULL)
    return 0;
  return call->once ? TOKEN_LASTS_FOR_LIVE : TOKEN_LASTS_FOR_BODY;
}

static BoxReply *
send_with_token (BoxClient *client, BoxTransport *transport, const BoxClientCall *call,
                 const char *token, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) headers = g_ptr_array_new ();
  g_autofree char *authorization = g_strconcat ("Bearer ", token, NULL);
  BoxReply *reply;
  BoxRequest request;

  for (const char *const *h = call->headers; h != NULL && *h != NULL; h++)
    g_ptr_array_add (headers, (gpointer) *h);
  if (client->as_user != NULL)
    {
      g_ptr_array_add (headers, (gpointer) "As-User");
      g_ptr_array_add (headers, client->as_user);
    }
  g_ptr_array_add (headers, (gpointer) "Authorization");
  g_ptr_array_add (headers, authorization);
  g_ptr_array_add (headers, NULL);

  request = (BoxRequest){
    .method = call->method,
    .url = call->url,
    .headers = (const char *const *) headers->pdata,
    .content_type = call->content_type,
    .body = call->body,
  };
  reply = box_transport_send (transport, client->config, &request, cancellable, error);
  box_traffic_count (call->method, call->url, reply != NULL ? reply->status : 0,
                     g_cancellable_is_cancelled (cancellable));
  box_credentials_free_token (g_steal_pointer (&authorization));
  return reply;
}

static gboolean
check_url (BoxClient *client, const char *url, GError **error)
{
  return box_url_policy_check (url, client->api_endpoint, NULL)
         || box_url_policy_check (url, client->endpoint, error);
}

/* The error for want of another token, with what Box said when it refused the last one (@reply,
 * NULL if no token was tried). Takes @reason. */
static GError *
with_refusal (GError *reason, const BoxReply *reply)
{
  g_autoptr (GError) owned = reason;
  BoxErrorDetails details = *box_error_get_details (reason);

  if (reply == NULL || !g_error_matches (reason, BOX_ERROR, BOX_ERROR_CREDENTIALS))
    return g_steal_pointer (&owned);
  details.http_status = reply->status;
  details.request_id = reply->request_id;
  return box_error_new_with_details (BOX_ERROR_CREDENTIALS, &details, "%s", reason->message);
}

/* Whether @reply, a 401, may come from somebody else than Box. Then the token is kept. */
static gboolean
is_doubtful (BoxClient *client, const BoxReply *reply)
{
  g_auto (BoxRefusal) refusal = { 0 };
  gint64 now = g_get_monotonic_time (), since = 0;

  box_refusal_parse (&refusal, reply);
  if (refusal.is_box)
    return FALSE;
  __atomic_compare_exchange_n (&client->doubted_since, &since, now, FALSE, __ATOMIC_RELAXED,
                               __ATOMIC_RELAXED);
  return since == 0 || now - since < DOUBT_LASTS;
}

static GError *
new_doubt (const BoxReply *reply)
{
  BoxErrorDetails details = { .http_status = reply->status,
                              .retry_after = reply->retry_after,
                              .unsure = TRUE,
                              .request_id = reply->request_id };

  return box_error_new_with_details (BOX_ERROR_TRANSIENT, &details,
                                     "HTTP %u without a word of Box's about the token: it seems to "
                                     "come from a gateway, a proxy or "
                                     "a network's login page; this can work later",
                                     reply->status);
}

BoxReply *
box_client_send (BoxClient *client, BoxTransport *transport, const BoxClientCall *call,
                 GCancellable *cancellable, GError **error)
{
  const BoxBody *body = call->body;
  char *refused = NULL;
  BoxReply *reply = NULL;

  if (!check_url (client, call->url, error))
    return NULL;

  for (guint attempt = 0; attempt < 2; attempt++)
    {
      GError *reason = NULL;
      char *token = box_credentials_get_token (client->credentials, refused, token_lasts (call),
                                               cancellable, &reason);

      box_credentials_free_token (g_steal_pointer (&refused));
      if (token == NULL)
        {
          g_propagate_error (error, with_refusal (reason, reply));
          g_clear_pointer (&reply, box_reply_free);
          return NULL;
        }
      g_clear_pointer (&reply, box_reply_free);
      if (attempt > 0 && body != NULL && body->progress != NULL)
        body->progress (body->user_data, 0);
      reply = send_with_token (client, transport, call, token, cancellable, error);
      refused = token;
      if (reply == NULL || reply->status != 401 || call->once)
        break;
      if (is_doubtful (client, reply))
        {
          g_propagate_error (error, new_doubt (reply));
          g_clear_pointer (&reply, box_reply_free);
          break;
        }
    }
  if (reply != NULL && reply->status < 300)
    note_success (client, reply);
  box_credentials_free_token (refused);
  return reply;
}

BoxReply *
box_client_send_json (BoxClient *client, BoxTransport *transport, const BoxClientCall *call,
                      JsonNode *root, GCancellable *cancellable, GError **error)
{
  BoxClientCall with_body = *call;
  g_autofree char *text = json_to_string (root, FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  BoxBody body;

  box_body_init_bytes (&body, bytes);
  with_body.content_type = "application/json";
  with_body.body = &body;
  return box_client_send (client, transport, &with_body, cancellable, error);
}

gboolean
box_client_check_size (guint64 size, GError **error)
{
  if (size <= G_MAXINT64)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
               "a file of %" G_GUINT64_FORMAT " bytes is larger than any at Box", size);
  return FALSE;
}

void
box_attributes_copy (BoxAttributes *to, const BoxAttributes *from)
{
  to->description = g_strdup (from->description);
  to->content_created_at = g_strdup (from->content_created_at);
  to->content_modified_at = g_strdup (from->content_modified_at);
}

void
box_attributes_clear (BoxAttributes *owned)
{
  g_free ((char *) owned->description);
  g_free ((char *) owned->content_created_at);
  g_free ((char *) owned->content_modified_at);
}

void
box_client_build_attributes (JsonBuilder *builder, const BoxAttributes *attributes)
{
  const struct
  {
    const char *name;
    const char *value;
  } members[] = {
    { "description", attributes->description },
    { "content_created_at", attributes->content_created_at },
    { "content_modified_at", attributes->content_modified_at },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    if (members[i].value != NULL)
      {
        json_builder_set_member_name (builder, members[i].name);
        json_builder_add_string_value (builder, members[i].value);
      }
}

char *
box_client_dup_owner (BoxClient *client, GCancellable *cancellable, GError **error)
{
  g_autofree char *digest = NULL;
  char *token = box_credentials_get_token (client->credentials, NULL, 0, cancellable, error);

  if (token == NULL)
    return NULL;
  digest = box_digest_secret (G_CHECKSUM_SHA256, token);
  box_credentials_free_token (token);
  return g_strdup_printf ("%s %s %s", client->api_endpoint,
                          client->as_user != NULL ? client->as_user : "-", digest);
}
