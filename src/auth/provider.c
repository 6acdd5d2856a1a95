/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The credentials that the settings name (a token file, or a configuration that names a grant), and
 * what the providers of tokens share. Client credentials and the application's function are here
 * too; jwt.c and provider-refresh.c have the others. */
#include "auth/provider.h"
#include "base/error.h"
#include "base/secret.h"
#include "http/trust.h"

#include <string.h>

/* Bytes: a token, and room for remarks in the lines below it. */
#define TOKEN_FILE_LIMIT 65536

#define CLIENT_ADVICE                                                                              \
  "the app's credentials are not accepted for this enterprise_id or user_id: check them, and "     \
  "have "                                                                                          \
  "an admin authorize the app in Box's Admin Console"

static gboolean
take (BoxTokenSource *source, BoxTokenSourceKind kind, const char *origin, const char *value)
{
  if (value == NULL || *value == '\0')
    return FALSE;

  source->kind = kind;
  source->origin = g_strdup (origin);
  if (kind == BOX_TOKEN_SOURCE_TOKEN)
    source->token = box_secret_trim (g_strdup (value));
  else
    source->path = g_strdup (value);
  return TRUE;
}

static gboolean
take_from_environment (BoxTokenSource *source)
{
  return take (source, BOX_TOKEN_SOURCE_TOKEN, "BOX_ACCESS_TOKEN", g_getenv ("BOX_ACCESS_TOKEN"))
         || take (source, BOX_TOKEN_SOURCE_FILE, "BOX_TOKEN_FILE", g_getenv ("BOX_TOKEN_FILE"))
         || take (source, BOX_TOKEN_SOURCE_CONFIG, "BOX_AUTH_CONFIG", g_getenv ("BOX_AUTH_CONFIG"));
}

BoxTokenSource *
box_token_source_new (const BoxCredentialsSettings *settings, BoxTransportConfig *transport_config)
{
  BoxTokenSource *source = g_new0 (BoxTokenSource, 1);

  source->endpoint.url = g_strdup (settings->token_url);
  if (transport_config != NULL)
    source->endpoint.transport_config = box_transport_config_ref (transport_config);
  if (!take (source, BOX_TOKEN_SOURCE_FILE, "token-file", settings->token_file)
      && !take (source, BOX_TOKEN_SOURCE_CONFIG, "auth-config", settings->auth_config)
      && settings->use_environment)
    take_from_environment (source);
  return source;
}

void
box_token_source_free (BoxTokenSource *source)
{
  if (source == NULL)
    return;
  g_free (source->origin);
  g_free (source->path);
  box_secret_free (source->token);
  g_free (source->endpoint.url);
  g_clear_pointer (&source->endpoint.transport_config, box_transport_config_unref);
  g_free (source);
}

static void
append_field (GString *form, const char *name, const char *value)
{
  char *escaped = g_uri_escape_string (value, NULL, FALSE);

  if (form->len > 0)
    g_string_append_c (form, '&');
  g_string_append (form, name);
  g_string_append_c (form, '=');
  g_string_append (form, escaped);
  box_secret_free (escaped);
}

char *
box_grant_form (const char *name, ...)
{
  /* Room for the longest, an assertion: growing would leave copies behind. */
  GString *form = g_string_sized_new (8192);
  va_list args;

  va_start (args, name);
  for (; name != NULL; name = va_arg (args, const char *))
    append_field (form, name, va_arg (args, const char *));
  va_end (args);
  return g_string_free (form, FALSE);
}

/* A reply that is not HTTP comes from an endpoint in trouble, or from something before it: it may
 * be over soon. */
static void
soften (GError *error)
{
  if (g_error_matches (error, BOX_ERROR, BOX_ERROR_PROTOCOL))
    error->code = BOX_ERROR_TRANSIENT;
}

BoxReply *
box_grant_send (const BoxTokenEndpoint *endpoint, char *form, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxSecret) text = form;
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  BoxBody body;
  BoxRequest request = {
    .method = "POST",
    .url = endpoint->url,
    .content_type = "application/x-www-form-urlencoded",
    .body = &body,
  };
  g_autoptr (GError) local_error = NULL;
  BoxReply *reply;

  box_body_init_bytes (&body, bytes);
  reply = box_transport_send (transport, endpoint->transport_config, &request, cancellable,
                              &local_error);
  if (reply == NULL)
    {
      soften (local_error);
      g_propagate_prefixed_error (error, g_steal_pointer (&local_error), "No access token: ");
    }
  return reply;
}

gboolean
box_grant_check (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error)
{
  const BoxGrantProvider *grant = (BoxGrantProvider *) provider;

  outlook->single_use = grant->config->kind == BOX_AUTH_REFRESH_TOKEN;
  return box_url_policy_check_endpoint (grant->source->endpoint.url, "The token endpoint's address",
                                        error);
}

static BoxToken *
obtain_as_client (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  const BoxGrantProvider *grant = (BoxGrantProvider *) provider;
  const BoxAuthConfig *config = grant->config;
  gint64 issued = g_get_monotonic_time ();
  char *form = box_grant_form ("grant_type", "client_credentials", "client_id", config->client_id,
                               "client_secret", config->client_secret, "box_subject_type",
                               config->subject_type, "box_subject_id", config->subject_id, NULL);
  g_autoptr (BoxSecretReply) reply =
      box_grant_send (&grant->source->endpoint, form, wish->cancellable, error);

  if (reply == NULL)
    return NULL;
  return box_token_reply_parse (reply, config->label, CLIENT_ADVICE, issued, error);
}

const BoxTokenProviderClass box_provider_client = {
  .check = box_grant_check,
  .obtain = obtain_as_client,
};

/* The providers for a source. */
typedef struct
{
  BoxTokenProvider parent;
  BoxTokenSource *source;
  gint64 clock_skew; /* of the token endpoint; seconds */
} SourceProvider;

static void
source_provider_free (BoxTokenProvider *provider)
{
  SourceProvider *self = (SourceProvider *) provider;

  box_token_source_free (self->source);
  g_free (self);
}

/* @absent: there is nothing to be read for the moment. */
static BoxToken *
read_token_file (const BoxTokenSource *source, gboolean *absent, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (BoxSecret) line = NULL;
  g_autofree char *label = g_strdup_printf ("%s “%s”", source->origin, source->path);
  gsize length;
  char *content =
      box_secret_read_file (source->origin, source->path, TOKEN_FILE_LIMIT, &length, &local_error);

  *absent = FALSE;
  if (content == NULL)
    {
      *absent = g_error_matches (local_error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  line = box_secret_trim (g_strndup (content, strcspn (content, "\r\n")));
  box_secret_clear (content, length);

  *absent = *line == '\0';
  if (!box_token_check (label, line, error))
    return NULL;
  return box_token_new (g_steal_pointer (&line), 0, 0);
}

static gboolean
check_token_file (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error)
{
  gboolean absent;

  outlook->token = read_token_file (((SourceProvider *) provider)->source, &absent, error);
  return outlook->token != NULL;
}

static BoxToken *
obtain_from_file (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  const BoxTokenSource *source = ((SourceProvider *) provider)->source;
  g_autoptr (GError) local_error = NULL;
  g_autoptr (BoxToken) token = NULL;
  gboolean absent;

  token = read_token_file (source, &absent, &local_error);
  if (token == NULL)
    {
      if (absent)
        local_error->code = BOX_ERROR_TRANSIENT;
      g_propagate_error (error, g_steal_pointer (&local_error));
      return NULL;
    }
  if (g_strv_contains (wish->refused, token->access))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "Box refuses the token in %s “%s” (expired or revoked): put a new one there",
                   source->origin, source->path);
      return NULL;
    }
  return g_steal_pointer (&token);
}

static const BoxTokenProviderClass file_class = {
  .check = check_token_file,
  .obtain = obtain_from_file,
  .free = source_provider_free,
};

static const BoxTokenProviderClass *
grant_class (BoxAuthKind kind)
{
  switch (kind)
    {
    case BOX_AUTH_JWT:
      return &box_provider_jwt;
    case BOX_AUTH_CLIENT_CREDENTIALS:
      return &box_provider_client;
    case BOX_AUTH_REFRESH_TOKEN:
      return &box_provider_refresh;
    }
  g_assert_not_reached ();
}

static void
grant_provider_init (BoxGrantProvider *grant, SourceProvider *self, const BoxAuthConfig *config)
{
  *grant = (BoxGrantProvider){
    .parent.class = grant_class (config->kind),
    .source = self->source,
    .config = config,
    .clock_skew = &self->clock_skew,
  };
}

/* The file is only checked: it is read again each time a token is wanted, so that its secrets stay
 * in memory no longer than they are used, and a changed one takes effect. */
static gboolean
check_config (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error)
{
  SourceProvider *self = (SourceProvider *) provider;
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load (self->source->origin, self->source->path, BOX_AUTH_CONFIG_BEGIN, error);
  BoxGrantProvider grant;

  if (config == NULL)
    return FALSE;
  grant_provider_init (&grant, self, config);
  return box_token_provider_check (&grant.parent, outlook, error);
}

static BoxToken *
obtain_by_config (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  SourceProvider *self = (SourceProvider *) provider;
  g_autoptr (BoxAuthConfig) config =
      box_auth_config_load (self->source->origin, self->source->path, BOX_AUTH_CONFIG_RENEW, error);
  BoxTokenOutlook outlook = { NULL, FALSE };
  BoxGrantProvider grant;

  if (config == NULL)
    return NULL;
  grant_provider_init (&grant, self, config);
  if (!box_token_provider_check (&grant.parent, &outlook, error))
    return NULL;
  return box_token_provider_obtain (&grant.parent, wish, error);
}

static const BoxTokenProviderClass config_class = {
  .check = check_config,
  .obtain = obtain_by_config,
  .free = source_provider_free,
};

BoxTokenProvider *
box_token_provider_new (BoxTokenSource *source)
{
  SourceProvider *self = g_new0 (SourceProvider, 1);

  self->source = source;
  self->parent.class = source->kind == BOX_TOKEN_SOURCE_FILE ? &file_class : &config_class;
  return &self->parent;
}

/* The application's function that returns a token. Nobody knows how long it takes. */
typedef struct
{
  BoxTokenProvider parent;
  BoxTokenRequest request;
  gpointer user_data;
  GDestroyNotify destroy; /* nullable */
} ApplicationProvider;

static gboolean
check_application (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error)
{
  return TRUE;
}

static BoxToken *
obtain_from_application (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  ApplicationProvider *self = (ApplicationProvider *) provider;
  g_autoptr (BoxSecret) answer = self->request (self->user_data);

  if (answer == NULL)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "The application was asked for a token and has none");
      return NULL;
    }
  answer = box_secret_trim (g_steal_pointer (&answer));
  if (!box_token_check ("The token that the application answered", answer, error))
    return NULL;
  if (g_strv_contains (wish->refused, answer))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "The application answered the token that Box had refused");
      return NULL;
    }
  return box_token_new (g_steal_pointer (&answer), 0, 0);
}

static void
application_provider_free (BoxTokenProvider *provider)
{
  ApplicationProvider *self = (ApplicationProvider *) provider;

  if (self->destroy != NULL)
    self->destroy (self->user_data);
  g_free (self);
}

static const BoxTokenProviderClass application_class = {
  .check = check_application,
  .obtain = obtain_from_application,
  .free = application_provider_free,
};

BoxTokenProvider *
box_token_provider_new_application (BoxTokenRequest request, gpointer user_data,
                                    GDestroyNotify destroy)
{
  ApplicationProvider *self = g_new0 (ApplicationProvider, 1);

  self->parent.class = &application_class;
  self->parent.deaf = TRUE;
  self->request = request;
  self->user_data = user_data;
  self->destroy = destroy;
  return &self->parent;
}

gboolean
box_token_provider_check (BoxTokenProvider *provider, BoxTokenOutlook *outlook, GError **error)
{
  return provider->class->check (provider, outlook, error);
}

BoxToken *
box_token_provider_obtain (BoxTokenProvider *provider, const BoxTokenWish *wish, GError **error)
{
  return provider->class->obtain (provider, wish, error);
}

void
box_token_provider_free (BoxTokenProvider *provider)
{
  provider->class->free (provider);
}
