/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/token.h"
#include "base/error.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"

#include <string.h>

/* Tokens that live longer are no tokens of Box; 0 expires at once. Seconds. */
#define LIFE_MAX (400 * 24 * 3600)

/* Replies in a row that say that there is no token endpoint, until they are believed. */
#define STRAYS_MAX 3

/* How much of the server's own words is shown. Bytes. */
#define DESCRIPTION_MAX 200

/* Box's secrets have 32 characters and more. */
#define SECRET_MIN 16

/* Refusals by their OAuth name, and what to do. Those that are not here are shown as they are. */
static const struct
{
  const char *name;
  const char *meaning;
} refusals[] = {
  { "invalid_client", "the client ID or client secret is wrong: compare them with the app's "
                      "Configuration page in Box's developer console" },
  { "unauthorized_client", "the app may not use this kind of authentication: enable it on the "
                           "app's Configuration page, and have an admin authorize the app" },
  { "access_denied", "access is denied: have an admin authorize the app in Box's Admin Console" },
  { "account_deactivated", "the account is deactivated: an admin has to activate it" },
  { "grace_period_expired", "the account's grace period is over: its plan has to be renewed" },
  { "invalid_resource", "there is no such folder, or these credentials do not reach it" },
  { "invalid_scope", "the app lacks a scope that this needs: enable “Write all files and folders” "
                     "on its Configuration page" },
  { "no_credit_card_trial_ended", "the account's trial is over: it needs a plan" },
  { "password_reset_required", "the account's password has to be reset: log in to Box once" },
  { "service_blocked", "the service is blocked for this account: ask the admin" },
  { "terms_of_service_required", "the account has to accept terms of service: log in to Box once" },
  { "unauthorized_device", "this device is not authorized: ask the admin" },
};

typedef struct
{
  char *name;        /* nullable */
  char *description; /* nullable; printable, shortened */
} Refusal;

BoxToken *
box_token_new (char *access, gint64 life, gint64 issued)
{
  BoxToken *token = g_new0 (BoxToken, 1);

  token->access = access;
  token->expires = G_MAXINT64;
  if (life > 0)
    {
      token->life = life * G_USEC_PER_SEC;
      token->expires = issued + token->life;
    }
  return token;
}

void
box_token_free (BoxToken *token)
{
  if (token == NULL)
    return;
  box_secret_free (token->access);
  box_secret_free (token->refresh);
  g_free (token);
}

BoxTokenState
box_token_state (const BoxToken *token, gint64 now, gint64 lasting)
{
  gint64 left;

  if (token == NULL || token->expires <= now)
    return BOX_TOKEN_EXPIRED;
  if (token->expires == G_MAXINT64)
    return BOX_TOKEN_GOOD;

  left = token->expires - now;
  if (left < MIN (lasting, token->life / 2))
    return BOX_TOKEN_SHORT;
  if (left < MIN (BOX_TOKEN_EARLY, token->life / 2))
    return BOX_TOKEN_DUE;
  return BOX_TOKEN_GOOD;
}

gboolean
box_token_check (const char *label, const char *string, GError **error)
{
  gsize length = strlen (string);

  if (length == 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS, "%s is empty", label);
      return FALSE;
    }
  if (length > BOX_TOKEN_MAX_LENGTH)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                   "%s is too long to be a token: %" G_GSIZE_FORMAT " characters", label, length);
      return FALSE;
    }
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isgraph (string[i]))
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS,
                       "%s has a space or another character that no token has, at position "
                       "%" G_GSIZE_FORMAT "; give the token alone",
                       label, i + 1);
          return FALSE;
        }
    }
  return TRUE;
}

static void
refusal_clear (Refusal *refusal)
{
  g_free (refusal->name);
  g_free (refusal->description);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Refusal, refusal_clear)

/* Whether a word could be a secret that the server repeats: secrets are long and have digits. */
static gboolean
looks_secret (const char *word)
{
  return strlen (word) >= SECRET_MIN && strpbrk (word, "0123456789") != NULL;
}

/* @text (taken) without what looks like a secret. */
static char *
discreet (char *text)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  g_free (text);
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (looks_secret (words[i]))
        {
          box_secret_free (words[i]);
          words[i] = g_strdup ("…");
        }
    }
  return g_strjoinv (" ", words);
}

/* The server's own text, safe to show; takes @text (nullable). NULL if it is empty.
 * Shortened last: half a secret does not look like one. */
static char *
quotable (char *text)
{
  g_autofree char *raw = text;
  g_autofree char *line = NULL;

  if (raw == NULL || *raw == '\0')
    return NULL;
  line = discreet (box_text_tidy (raw, G_MAXSIZE));
  return box_text_tidy (line, DESCRIPTION_MAX);
}

/* NULL unless the body is a JSON object. */
static JsonNode *
parse_body (const BoxReply *reply)
{
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);
  gsize mark = box_json_mark_length (text, length);

  /* Without bytes there is no text either. */
  return length > 0 ? box_json_parse_secret (text + mark, length - mark) : NULL;
}

/* FALSE unless the body is an OAuth error. */
static gboolean
read_refusal (const BoxReply *reply, Refusal *refusal)
{
  g_autoptr (BoxSecretJson) root = parse_body (reply);
  JsonObject *object = root != NULL ? json_node_get_object (root) : NULL;

  if (object == NULL || !box_json_get_string (object, "error", 100, &refusal->name, NULL))
    return FALSE;
  refusal->name = quotable (refusal->name);
  box_json_find_string (object, "error_description", 10000, &refusal->description, NULL);
  refusal->description = quotable (refusal->description);
  return refusal->name != NULL;
}

static gboolean
is_transient (const BoxReply *reply, const Refusal *refusal)
{
  return reply->status == 408 || reply->status == 425 || reply->status == 429
         || reply->status >= 500 || g_strcmp0 (refusal->name, "temporarily_unavailable") == 0
         || g_strcmp0 (refusal->name, "server_error") == 0
         || g_strcmp0 (refusal->name, "slow_down") == 0;
}

static const char *
meaning_of (const char *name, const char *advice)
{
  if (g_str_equal (name, "invalid_grant"))
    return advice;
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      if (g_str_equal (name, refusals[i].name))
        return refusals[i].meaning;
    }
  return "the request was refused";
}

static GError *
new_error (BoxErrorCode code, const BoxReply *reply, const char *name, const char *message)
{
  BoxErrorDetails details = {
    .http_status = reply->status,
    .retry_after = reply->retry_after,
    .box_code = (char *) name,
    .request_id = reply->request_id,
  };

  return box_error_new_with_details (code, &details, "%s", message);
}

static GError *
refused (const BoxReply *reply, const Refusal *refusal, const char *label, const char *advice)
{
  g_autofree char *said = refusal->description != NULL
                              ? g_strdup_printf (": “%s”", refusal->description)
                              : g_strdup ("");
  g_autofree char *message = g_strdup_printf (
      "%s: %s (Box: %s%s)", label, meaning_of (refusal->name, advice), refusal->name, said);

  return new_error (BOX_ERROR_CREDENTIALS, reply, refusal->name, message);
}

/* A reply that no token endpoint gives: a proxy's page, another server, or trouble. */
static GError *
out_of_place (const BoxReply *reply)
{
  g_autofree char *message = NULL;
  BoxErrorCode code = BOX_ERROR_TRANSIENT;

  if (reply->status >= 300 && reply->status < 400)
    {
      message = g_strdup_printf ("The token endpoint redirects elsewhere (status %u); credentials "
                                 "do not follow: check api-endpoint",
                                 reply->status);
    }
  else if (reply->status == 404 || reply->status == 405)
    {
      code = BOX_ERROR_SETTINGS;
      message = g_strdup_printf ("There is no token endpoint at the origin of api-endpoint (status "
                                 "%u): check api-endpoint",
                                 reply->status);
    }
  else if (reply->status == 407)
    {
      code = BOX_ERROR_SETTINGS;
      message = g_strdup ("The proxy wants credentials: give them in proxy");
    }
  else
    message =
        g_strdup_printf ("The token endpoint's answer makes no sense (status %u)", reply->status);
  return new_error (code, reply, NULL, message);
}

static GError *
explain (const BoxReply *reply, const char *label, const char *advice)
{
  g_auto (Refusal) refusal = { NULL, NULL };
  gboolean is_answer = read_refusal (reply, &refusal);
  g_autofree char *message = NULL;

  if (is_transient (reply, &refusal))
    {
      message =
          g_strdup_printf ("The token endpoint is %s (status %u)",
                           reply->status == 429 ? "asked too often" : "in trouble", reply->status);
      return new_error (BOX_ERROR_TRANSIENT, reply, refusal.name, message);
    }
  if (is_answer && reply->status >= 400)
    return refused (reply, &refusal, label, advice);
  return out_of_place (reply);
}

/* 0: not known. */
static gboolean
read_life (JsonObject *object, guint64 *life)
{
  g_autofree char *type = NULL;
  gboolean found;

  return box_json_find_string (object, "token_type", 100, &type, NULL)
         && (type == NULL || g_ascii_strcasecmp (type, "bearer") == 0)
         && box_json_find_uint64 (object, "expires_in", 1, LIFE_MAX, &found, life, NULL);
}

/* NULL if @name is absent or not a token. */
static char *
read_secret (JsonObject *object, const char *name)
{
  g_autoptr (BoxSecret) secret = NULL;

  if (!box_json_get_string (object, name, BOX_TOKEN_MAX_LENGTH, &secret, NULL)
      || !box_token_check (name, secret, NULL))
    return NULL;
  return g_steal_pointer (&secret);
}

/* A refresh token that came is the only one that is left. So what came with it is taken although
 * there is something odd about it; without one the request is as good as never made, and odd
 * replies are nonsense. */
static BoxToken *
read_token (JsonObject *object, gint64 issued)
{
  g_autoptr (BoxSecret) access = read_secret (object, "access_token");
  g_autoptr (BoxSecret) refresh = read_secret (object, "refresh_token");
  guint64 life = 0;
  BoxToken *token;

  if (access == NULL || (!read_life (object, &life) && refresh == NULL))
    return NULL;
  token = box_token_new (g_steal_pointer (&access), (gint64) life, issued);
  token->refresh = g_steal_pointer (&refresh);
  return token;
}

static gboolean
is_success (const BoxReply *reply)
{
  return reply->status >= 200 && reply->status < 300;
}

BoxToken *
box_token_reply_parse (const BoxReply *reply, const char *label, const char *advice, gint64 issued,
                       GError **error)
{
  g_autoptr (BoxSecretJson) root = NULL;
  BoxToken *token = NULL;

  if (!is_success (reply))
    {
      g_propagate_error (error, explain (reply, label, advice));
      return NULL;
    }
  root = parse_body (reply);
  if (root != NULL)
    token = read_token (json_node_get_object (root), issued);
  if (token == NULL)
    g_propagate_error (error, out_of_place (reply));
  return token;
}

void
box_token_reply_doubt (GError *error, guint *strays)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  gboolean stray =
      details->box_code == NULL && (details->http_status == 404 || details->http_status == 405);

  *strays = stray ? *strays + 1 : 0;
  if (stray && *strays < STRAYS_MAX)
    error->code = BOX_ERROR_TRANSIENT;
}

/* In a text that is no JSON: cut off, or with something odd in another member. */
static char *
salvage_refresh (GBytes *body)
{
  g_autoptr (GRegex) pattern =
      g_regex_new ("\"refresh_token\"\\s*:\\s*\"([!#-\\[\\]-~]+)\"", G_REGEX_RAW, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  gsize length;
  const char *text = g_bytes_get_data (body, &length);

  if (!g_regex_match_full (pattern, text, (gssize) length, 0, 0, &match, NULL))
    return NULL;
  return g_match_info_fetch (match, 1);
}

char *
box_token_reply_get_refresh (const BoxReply *reply)
{
  g_autoptr (BoxSecretJson) root = NULL;
  g_autoptr (BoxSecret) refresh = NULL;

  if (!is_success (reply) || g_bytes_get_size (reply->body) == 0)
    return NULL;
  root = parse_body (reply);
  if (root != NULL)
    refresh = read_secret (json_node_get_object (root), "refresh_token");
  else
    refresh = salvage_refresh (reply->body);
  if (refresh == NULL || !box_token_check ("refresh_token", refresh, NULL))
    return NULL;
  return g_steal_pointer (&refresh);
}

gboolean
box_token_reply_is_about_time (const BoxReply *reply)
{
  static const char *const claims[] = { "exp", "jti", "iat", "nbf" };
  g_auto (Refusal) refusal = { NULL, NULL };

  if (reply->status != 400 || !read_refusal (reply, &refusal)
      || !g_str_equal (refusal.name, "invalid_grant") || refusal.description == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (claims); i++)
    {
      if (strstr (refusal.description, claims[i]) != NULL)
        return TRUE;
    }
  return FALSE;
}

gboolean
box_token_reply_is_about_token (const BoxReply *reply)
{
  g_auto (Refusal) refusal = { NULL, NULL };

  if (reply->status == 401)
    return TRUE;
  return reply->status == 400 && read_refusal (reply, &refusal)
         && (g_str_equal (refusal.name, "invalid_grant")
             || g_str_equal (refusal.name, "invalid_token"));
}
