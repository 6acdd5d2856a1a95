/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long tokens are good, and what replies of a token endpoint say. */
#include "auth/token.h"
#include "base/error.h"

#include <string.h>

#define SECOND ((gint64) G_USEC_PER_SEC)
#define LABEL  "auth-config “box.json”"
#define ADVICE "check the grant"

static void
test_token_is_due_five_minutes_before_it_expires (void)
{
  g_autoptr (BoxToken) token = box_token_new (g_strdup ("t"), 3600, 0);

  g_assert_cmpint (box_token_state (token, 0, 0), ==, BOX_TOKEN_GOOD);
  g_assert_cmpint (box_token_state (token, 3299 * SECOND, 0), ==, BOX_TOKEN_GOOD);
  g_assert_cmpint (box_token_state (token, 3301 * SECOND, 0), ==, BOX_TOKEN_DUE);
  g_assert_cmpint (box_token_state (token, 3600 * SECOND, 0), ==, BOX_TOKEN_EXPIRED);
}

static void
test_short_lived_token_is_due_at_half_its_life (void)
{
  g_autoptr (BoxToken) token = box_token_new (g_strdup ("t"), 4, 0);

  g_assert_cmpint (box_token_state (token, 1 * SECOND, 0), ==, BOX_TOKEN_GOOD);
  g_assert_cmpint (box_token_state (token, 3 * SECOND, 0), ==, BOX_TOKEN_DUE);
}

static void
test_token_that_would_not_last_is_short (void)
{
  g_autoptr (BoxToken) token = box_token_new (g_strdup ("t"), 3600, 0);

  g_assert_cmpint (box_token_state (token, 2000 * SECOND, 1500 * SECOND), ==, BOX_TOKEN_GOOD);
  g_assert_cmpint (box_token_state (token, 2200 * SECOND, 1500 * SECOND), ==, BOX_TOKEN_SHORT);
  /* No token lasts longer than its life: half of it is enough. */
  g_assert_cmpint (box_token_state (token, 1700 * SECOND, 99999 * SECOND), ==, BOX_TOKEN_GOOD);
}

static void
test_token_of_unknown_life_is_good_for_ever (void)
{
  g_autoptr (BoxToken) token = box_token_new (g_strdup ("t"), 0, 0);

  g_assert_cmpint (box_token_state (token, G_MAXINT64 - 1, 99999 * SECOND), ==, BOX_TOKEN_GOOD);
  g_assert_cmpint (box_token_state (NULL, 0, 0), ==, BOX_TOKEN_EXPIRED);
}

static BoxToken *
parse (guint status, const char *body, gint retry_after, GError **error)
{
  BoxReply reply = { .status = status, .retry_after = retry_after };
  BoxToken *token;

  reply.body = g_bytes_new_static (body, strlen (body));
  token = box_token_reply_parse (&reply, LABEL, ADVICE, 1000 * SECOND, error);
  g_bytes_unref (reply.body);
  return token;
}

static void
test_reply_gives_the_token_and_its_life (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxToken) token =
      parse (200,
             "{\"access_token\":\"a\",\"expires_in\":4175,\"token_type\":\"bearer\","
             "\"refresh_token\":\"r\",\"restricted_to\":[]}",
             -1, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (token->access, ==, "a");
  g_assert_cmpstr (token->refresh, ==, "r");
  g_assert_cmpint (token->expires, ==, 5175 * SECOND);
}

typedef struct
{
  guint status;
  const char *body;
  BoxErrorCode code;
  const char *words; /* in the message */
} ReplyCase;

static const ReplyCase reply_cases[] = {
  /* Come again later. */
  { 429, "{\"error\":\"temporarily_unavailable\"}", BOX_ERROR_TRANSIENT, "429" },
  { 400, "{\"error\":\"temporarily_unavailable\"}", BOX_ERROR_TRANSIENT, "400" },
  { 500, "", BOX_ERROR_TRANSIENT, "500" },
  { 502, "<html>Bad gateway</html>", BOX_ERROR_TRANSIENT, "502" },
  { 503, "{\"error\":\"invalid_client\"}", BOX_ERROR_TRANSIENT, "503" },
  { 408, "", BOX_ERROR_TRANSIENT, "408" },
  /* No answer of a token endpoint. */
  { 200, "<html>Welcome to our hotel</html>", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "[]", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{}", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{\"access_token\":7}", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{\"access_token\":\"\"}", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{\"access_token\":\"s3cret x\"}", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{\"access_token\":\"s3cret\\r\\nHost: x\"}", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{\"access_token\":\"s3cret\",\"expires_in\":-1}", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 200, "{\"access_token\":\"s3cret\",\"expires_in\":1e18}", BOX_ERROR_TRANSIENT,
    "makes no sense" },
  { 200, "{\"access_token\":\"s3cret\",\"token_type\":\"mac\"}", BOX_ERROR_TRANSIENT,
    "makes no sense" },
  { 400, "not JSON", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 204, "", BOX_ERROR_TRANSIENT, "makes no sense" },
  { 302, "", BOX_ERROR_TRANSIENT, "redirects" },
  { 308, "{\"access_token\":\"s3cret\"}", BOX_ERROR_TRANSIENT, "redirects" },
  /* Definite: somebody has to do something. */
  { 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Refresh token has expired\"}",
    BOX_ERROR_CREDENTIALS, "check the grant (Box: invalid_grant: “Refresh token has expired”)" },
  { 401, "{\"error\":\"invalid_client\"}", BOX_ERROR_CREDENTIALS, "client secret is wrong" },
  { 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid refresh token\"}",
    BOX_ERROR_CREDENTIALS, "check the grant (Box: invalid_grant: “Invalid refresh token”)" },
  { 400,
    "{\"error\":\"invalid_request\",\"error_description\":\"Invalid grant_type parameter or "
    "parameter missing\"}",
    BOX_ERROR_CREDENTIALS, "the request was refused (Box: invalid_request: “Invalid grant_type" },
  { 400, "{\"error\":\"unauthorized_client\"}", BOX_ERROR_CREDENTIALS, "authorize the app" },
  { 403, "{\"error\":\"access_denied\"}", BOX_ERROR_CREDENTIALS, "Admin Console" },
  { 400, "{\"error\":\"account_deactivated\"}", BOX_ERROR_CREDENTIALS, "deactivated" },
  { 400, "{\"error\":\"unauthorized_device\"}", BOX_ERROR_CREDENTIALS, "device" },
  { 400, "{\"error\":\"service_blocked\"}", BOX_ERROR_CREDENTIALS, "blocked" },
  { 400, "{\"error\":\"no_credit_card_trial_ended\"}", BOX_ERROR_CREDENTIALS, "trial" },
  { 400, "{\"error\":\"grace_period_expired\"}", BOX_ERROR_CREDENTIALS, "grace period" },
  { 400, "{\"error\":\"password_reset_required\"}", BOX_ERROR_CREDENTIALS, "password" },
  { 400, "{\"error\":\"terms_of_service_required\"}", BOX_ERROR_CREDENTIALS, "terms of service" },
  { 400, "{\"error\":\"new\\u0007thing\",\"error_description\":\"a\\nb\"}", BOX_ERROR_CREDENTIALS,
    "(Box: new thing: “a b”)" },
  { 400, "{\"error\":\"invalid_grant\",\"error_description\":\"You said s3cret-0123456789abc\"}",
    BOX_ERROR_CREDENTIALS, "“You said …”" },
  { 404, "<html></html>", BOX_ERROR_SETTINGS, "api-endpoint" },
  { 407, "", BOX_ERROR_SETTINGS, "proxy" },
};

static void
test_reply_that_is_no_token_is_told_apart (gconstpointer data)
{
  const ReplyCase *c = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (c->status, c->body, 7, &error));
  g_assert_error (error, BOX_ERROR, (gint) c->code);
  g_assert_nonnull (strstr (error->message, c->words));
  g_assert_null (strstr (error->message, "s3cret"));
  g_assert_cmpint (box_error_get_details (error)->retry_after, ==, 7);
  g_assert_cmpuint (box_error_get_details (error)->http_status, ==, c->status);
}

/* Odd members beside a refresh token, and how long the access token is good then (seconds). */
typedef struct
{
  const char *members;
  gint64 life;
} OddReply;

static const OddReply odd_replies[] = {
  { "\"expires_in\":\"3600\"", 0 },
  { "\"expires_in\":-1", 0 },
  { "\"expires_in\":1e22", 0 },
  { "\"expires_in\":{}", 0 },
  { "\"expires_in\":3600.0", 3600 },
  { "\"expires_in\":3600,\"token_type\":\"mac\"", 0 },
  { "\"expires_in\":3600,\"token_type\":7", 0 },
  { "\"expires_in\":3600,\"token_type\":null,\"restricted_to\":\"x\"", 3600 },
};

static void
test_reply_with_a_refresh_token_is_taken_with_odd_members (gconstpointer data)
{
  const OddReply *odd = data;
  g_autofree char *body =
      g_strdup_printf ("{\"access_token\":\"a\",\"refresh_token\":\"r\",%s}", odd->members);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxToken) token = parse (200, body, -1, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (token->access, ==, "a");
  g_assert_cmpstr (token->refresh, ==, "r");
  g_assert_cmpint (token->life, ==, odd->life * SECOND);
}

typedef struct
{
  guint status;
  const char *body;
  const char *refresh;
} SuccessorCase;

static const SuccessorCase successor_cases[] = {
  { 200, "{\"access_token\":\"a\",\"refresh_token\":\"r\"}", "r" },
  { 201, "{\"access_token\":\"a\",\"refresh_token\":\"r\"}", "r" },
  { 200, "\357\273\277{\"refresh_token\":\"r\"}", "r" },
  { 200, "{\"access_token\":7,\"refresh_token\":\"r\"}", "r" },
  { 200, "{\"refresh_token\":\"r\",\"scope\":\"\\ud800\"}", "r" },
  { 200, "{\"refresh_token\" : \"r~!\",\"scope\":\"\377\"}", "r~!" },
  { 200, "{\"refresh_token\":\"r\",\"expires_in\":36", "r" },
  { 200, "{\"expires_in\":3600,\"refresh_token\":\"r", NULL },
  { 200, "{\"refresh_token\":\"r x\"}", NULL },
  { 200, "{\"refresh_token\":null}", NULL },
  { 200, "{}", NULL },
  { 200, "", NULL },
  { 400, "{\"refresh_token\":\"r\"}", NULL },
  { 302, "{\"refresh_token\":\"r\"}", NULL },
};

static void
test_refresh_token_is_found_whatever_else_is_in_the_reply (gconstpointer data)
{
  const SuccessorCase *c = data;
  BoxReply reply = { .status = c->status };
  g_autofree char *refresh = NULL;

  reply.body = g_bytes_new_static (c->body, strlen (c->body));
  refresh = box_token_reply_get_refresh (&reply);
  g_bytes_unref (reply.body);
  g_assert_cmpstr (refresh, ==, c->refresh);
}

static void
test_refusal_with_endless_words_is_shortened (void)
{
  g_autofree char *words = g_strnfill (5000, 'x');
  g_autofree char *body =
      g_strdup_printf ("{\"error\":\"invalid_grant\",\"error_description\":\"%s\"}", words);
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (400, body, -1, &error));
  g_assert_cmpuint (strlen (error->message), <, 500);
}

/* A secret that a shortened message cuts in half leaves no half behind. */
static void
test_refusal_with_a_secret_at_its_end_does_not_show_it (void)
{
  for (guint words = 150; words < 200; words++)
    {
      g_autofree char *padding = g_strnfill (words, 'x');
      g_autofree char *body = g_strdup_printf (
          "{\"error\":\"invalid_grant\",\"error_description\":\"%s s3cret-0123456789abcdef\"}",
          padding);
      g_autoptr (GError) error = NULL;

      g_assert_null (parse (400, body, -1, &error));
      g_assert_null (strstr (error->message, "s3"));
    }
}

static gboolean
is_about_time (guint status, const char *body)
{
  BoxReply reply = { .status = status };
  gboolean result;

  reply.body = g_bytes_new_static (body, strlen (body));
  result = box_token_reply_is_about_time (&reply);
  g_bytes_unref (reply.body);
  return result;
}

static void
test_refusal_for_exp_or_jti_is_about_time (void)
{
  g_assert_true (is_about_time (400, "{\"error\":\"invalid_grant\",\"error_description\":\"Please "
                                     "check the 'exp' claim.\"}"));
  g_assert_true (is_about_time (400, "{\"error\":\"invalid_grant\",\"error_description\":\"A "
                                     "unique 'jti' value is required.\"}"));
  g_assert_false (is_about_time (400, "{\"error\":\"invalid_grant\",\"error_description\":\"Please "
                                      "check the 'sub' claim.\"}"));
  g_assert_false (is_about_time (400, "{\"error\":\"invalid_client\",\"error_description\":\"exp"
                                      "\"}"));
  g_assert_false (is_about_time (200, "{\"error\":\"invalid_grant\",\"error_description\":\"exp"
                                      "\"}"));
  g_assert_false (is_about_time (400, "exp"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/token/is-due-five-minutes-before-it-expires",
                   test_token_is_due_five_minutes_before_it_expires);
  g_test_add_func ("/token/short-lived-one-is-due-at-half-its-life",
                   test_short_lived_token_is_due_at_half_its_life);
  g_test_add_func ("/token/that-would-not-last-is-short", test_token_that_would_not_last_is_short);
  g_test_add_func ("/token/of-unknown-life-is-good-for-ever",
                   test_token_of_unknown_life_is_good_for_ever);
  g_test_add_func ("/token-reply/gives-the-token-and-its-life",
                   test_reply_gives_the_token_and_its_life);
  for (guint i = 0; i < G_N_ELEMENTS (reply_cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/token-reply/that-is-no-token-is-told-apart/%u", i);

      g_test_add_data_func (path, &reply_cases[i], test_reply_that_is_no_token_is_told_apart);
    }
  for (guint i = 0; i < G_N_ELEMENTS (odd_replies); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/token-reply/with-a-refresh-token-is-taken-with-odd-members/%u", i);

      g_test_add_data_func (path, &odd_replies[i],
                            test_reply_with_a_refresh_token_is_taken_with_odd_members);
    }
  for (guint i = 0; i < G_N_ELEMENTS (successor_cases); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/token-reply/refresh-token-is-found-whatever-else-is-in-it/%u", i);

      g_test_add_data_func (path, &successor_cases[i],
                            test_refresh_token_is_found_whatever_else_is_in_the_reply);
    }
  g_test_add_func ("/token-reply/refusal-with-endless-words-is-shortened",
                   test_refusal_with_endless_words_is_shortened);
  g_test_add_func ("/token-reply/refusal-with-a-secret-at-its-end-does-not-show-it",
                   test_refusal_with_a_secret_at_its_end_does_not_show_it);
  g_test_add_func ("/token-reply/refusal-for-exp-or-jti-is-about-time",
                   test_refusal_for_exp_or_jti_is_about_time);
  return g_test_run ();
}
