/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/emu-test.h"

#include "kit/emulator.h"
#include "kit/keys.h"
#include "kit/places.h"

#include <string.h>

#define ME             "/users/me"
#define JWT_GRANT      "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define EXCHANGE_GRANT "urn:ietf:params:oauth:grant-type:token-exchange"

/* POSTs a form to an /oauth2 address. */
static Answer *
post (Fixture *fixture, const char *path, const char *form)
{
  g_autofree char *url =
      g_strconcat (box_emulator_get_origin (fixture->emulator, FALSE), path, NULL);

  return ask (fixture, "POST", url, form, "Content-Type: application/x-www-form-urlencoded", NULL);
}

static Answer *
ask_token (Fixture *fixture, const char *form)
{
  return post (fixture, "/oauth2/token", form);
}

static void
assert_grant_refused (Answer *answer, const char *error, const char *part_of_description)
{
  g_assert_cmpuint (answer->status, ==, 400);
  g_assert_cmpstr (get_string (answer, "error", NULL), ==, error);
  g_assert_nonnull (strstr (get_string (answer, "error_description", NULL), part_of_description));
}

/* The status of a request with @token, and for the user's id (if not NULL). */
static guint
try_token (Fixture *fixture, const char *token, char **user)
{
  g_autofree char *header = g_strconcat ("Authorization: Bearer ", token, NULL);
  g_autoptr (Answer) answer = ask (fixture, "GET", ME, NULL, header, NULL);

  if (user != NULL)
    *user = g_strdup (get_string (answer, "id", NULL));
  return answer->status;
}

/* --- access tokens -----------------------------------------------------------------------------
 */

static void
test_any_token_will_do_by_default (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) none = ask (fixture, "GET", ME, NULL, "Authorization: Basic x", NULL);

  g_assert_cmpuint (try_token (fixture, "anything", NULL), ==, 200);
  assert_challenged (none, 401, NULL);
}

static void
test_only_listed_tokens_are_accepted (Fixture *fixture, gconstpointer options)
{
  g_assert_cmpuint (try_token (fixture, "good", NULL), ==, 200);
  g_assert_cmpuint (try_token (fixture, "other", NULL), ==, 401);
}

static void
test_token_expires (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) expired = NULL;

  box_emulator_set_token (fixture->emulator, "t", 60);
  g_assert_cmpuint (try_token (fixture, "t", NULL), ==, 200);
  box_emulator_advance_clock (fixture->emulator, 61);
  expired = ask (fixture, "GET", ME, NULL, NULL);
  assert_challenged (expired, 401, "invalid_token");
  g_assert_nonnull (strstr (soup_message_headers_get_one (expired->headers, "WWW-Authenticate"),
                            "expired_token"));
}

static void
test_token_is_revoked (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  box_emulator_revoke_token (fixture->emulator, "a");
  g_assert_cmpuint (try_token (fixture, "a", NULL), ==, 401);
  answer = post (fixture, "/oauth2/revoke", "client_id=c&client_secret=s&token=b");
  g_assert_cmpuint (answer->status, ==, 200);
  g_assert_cmpuint (try_token (fixture, "b", NULL), ==, 401);
  g_assert_cmpuint (try_token (fixture, "c", NULL), ==, 200);
}

static void
test_expired_token_stores_no_part (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GBytes) data = kit_pattern_bytes (0, 1000);
  g_autofree char *id = NULL;
  g_autoptr (Answer) late = NULL;

  box_emulator_set_token (fixture->emulator, "t", 60);
  id = create_session (fixture, "a", 1000);
  box_emulator_advance_clock (fixture->emulator, 61);
  late = put_part (fixture, id, data, 0);
  assert_challenged (late, 401, "invalid_token");
}

static gpointer
put_first_part (gpointer data)
{
  Fixture *fixture = data;
  g_autoptr (GPtrArray) ids = box_emulator_get_session_ids (fixture->emulator);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, 1000);
  g_autoptr (SoupSession) http = soup_session_new ();
  Fixture own = { fixture->emulator, http };
  g_autoptr (Answer) answer = put_part (&own, g_ptr_array_index (ids, 0), bytes, 0);

  return GUINT_TO_POINTER (answer->status);
}

/* The status of a part whose token expires when half of it has come. */
static guint
expire_in_mid_transfer (Fixture *fixture)
{
  g_autofree char *id = NULL;
  GThread *thread;

  box_emulator_set_token (fixture->emulator, "t", 60);
  id = create_session (fixture, "a", 1000);
  load_scenario (fixture, RULE ({"route": "upload_part", "do": "hold", "at": "body",
                                 "bytes": 500, "name": "half"}));
  thread = g_thread_new ("put", put_first_part, fixture);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "half", KIT_PATIENCE_MS));
  box_emulator_advance_clock (fixture->emulator, 61);
  box_emulator_release (fixture->emulator, "half");
  return GPOINTER_TO_UINT (g_thread_join (thread));
}

static void
test_token_that_was_good_at_the_head_will_do (Fixture *fixture, gconstpointer options)
{
  g_assert_cmpuint (expire_in_mid_transfer (fixture), ==, 200);
}

static void
test_token_may_have_to_last_to_the_end (Fixture *fixture, gconstpointer options)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (BoxEmulatorSession) session = NULL;

  g_assert_cmpuint (expire_in_mid_transfer (fixture), ==, 401);
  ids = box_emulator_get_session_ids (fixture->emulator);
  session = box_emulator_get_session (fixture->emulator, g_ptr_array_index (ids, 0));
  g_assert_cmpuint (session->n_stored, ==, 0);
}

static void
test_as_user_must_be_known (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) known = NULL, unknown = NULL;

  kit_load_accounts (fixture->emulator, "{'users': [{'id': '2001', 'name': 'A'}]}");
  known = ask (fixture, "GET", ME, NULL, "As-User: 2001", NULL);
  unknown = ask (fixture, "GET", ME, NULL, "As-User: 2002", NULL);
  g_assert_cmpstr (get_string (known, "id", NULL), ==, "2001");
  assert_refused (unknown, 404, "not_found");
  g_assert_cmpstr (get_string (unknown, "message", NULL), ==, "On-Behalf-Of User not found");
  g_assert_nonnull (get_string (unknown, "context_info", "invalid_user_id", NULL));
}

/* --- refresh and client credentials ------------------------------------------------------------
 */

static void
test_refresh_token_is_of_use_once (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) first = NULL, again = NULL, next = NULL, stranger = NULL;
  g_autofree char *form = NULL;

  kit_load_accounts (fixture->emulator, "{'refresh_tokens': [{'token': 'R', 'client_id': 'c'}]}");
  stranger = ask_token (fixture, "grant_type=refresh_token&refresh_token=R&client_id=d");
  assert_grant_refused (stranger, "invalid_grant", "Invalid refresh token");
  first = ask_token (fixture, "grant_type=refresh_token&refresh_token=R&client_id=c");
  g_assert_cmpuint (first->status, ==, 200);
  g_assert_cmpint (get_int (first, "expires_in"), ==, 3600);
  g_assert_cmpuint (try_token (fixture, get_string (first, "access_token", NULL), NULL), ==, 200);
  again = ask_token (fixture, "grant_type=refresh_token&refresh_token=R&client_id=c");
  assert_grant_refused (again, "invalid_grant", "Invalid refresh token");
  form = g_strdup_printf ("grant_type=refresh_token&refresh_token=%s&client_id=c",
                          get_string (first, "refresh_token", NULL));
  next = ask_token (fixture, form);
  g_assert_cmpuint (next->status, ==, 200);
}

static void
test_refresh_token_expires (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) answer = NULL;

  kit_load_accounts (fixture->emulator, "{'refresh_tokens': [{'token': 'R', 'expires_in': 10}]}");
  box_emulator_advance_clock (fixture->emulator, 11);
  answer = ask_token (fixture, "grant_type=refresh_token&refresh_token=R&client_id=c");
  assert_grant_refused (answer, "invalid_grant", "Refresh token has expired");
}

static void
test_client_credentials_are_checked (Fixture *fixture, gconstpointer options)
{
  static const struct
  {
    const char *form;
    const char *error;
  } refused[] = {
    { "client_id=c&client_secret=x&box_subject_type=enterprise&box_subject_id=42",
      "invalid_client" },
    { "client_id=d&client_secret=s&box_subject_type=enterprise&box_subject_id=42",
      "invalid_client" },
    { "client_id=c&client_secret=s&box_subject_type=enterprise&box_subject_id=43",
      "invalid_grant" },
    { "client_id=c&client_secret=s&box_subject_type=user&box_subject_id=9", "invalid_grant" },
    { "client_id=c&client_secret=s", "invalid_request" },
  };
  g_autoptr (Answer) good = NULL;
  g_autofree char *user = NULL;

  kit_load_accounts (fixture->emulator,
                     "{'users': [{'id': '7'}], 'clients': [{'client_id': 'c',"
                     " 'client_secret': 's', 'enterprise_id': '42', 'user': '7'}]}");
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *form = g_strconcat ("grant_type=client_credentials&", refused[i].form, NULL);
      g_autoptr (Answer) answer = ask_token (fixture, form);

      assert_grant_refused (answer, refused[i].error, "");
    }
  good = ask_token (fixture, "grant_type=client_credentials&client_id=c&client_secret=s"
                             "&box_subject_type=enterprise&box_subject_id=42");
  g_assert_cmpuint (good->status, ==, 200);
  try_token (fixture, get_string (good, "access_token", NULL), &user);
  g_assert_cmpstr (user, ==, "7");
}

static void
test_unknown_grants_are_refused (Fixture *fixture, gconstpointer options)
{
  g_autoptr (Answer) nonsense = ask_token (fixture, "grant_type=password");
  g_autoptr (Answer) nothing = ask_token (fixture, "");

  assert_grant_refused (nonsense, "unsupported_grant_type", "");
  assert_grant_refused (nothing, "invalid_request", "");
}

/* --- downscoping -------------------------------------------------------------------------------
 */

static void
test_downscoped_token_reaches_one_folder (Fixture *fixture, gconstpointer options)
{
  g_autofree char *folder = box_emulator_add_folder (fixture->emulator, "0", "in");
  g_autofree char *below = box_emulator_add_folder (fixture->emulator, folder, "below");
  g_autofree char *form = g_strdup_printf (
      "grant_type=" EXCHANGE_GRANT "&subject_token=t&scope=base_upload&subject_token_type="
      "urn:ietf:params:oauth:token-type:access_token&resource=https://api.box.com/2.0/folders/%s",
      folder);
  g_autoptr (Answer) grant = ask_token (fixture, form);
  g_autofree char *bearer =
      g_strconcat ("Authorization: Bearer ", get_string (grant, "access_token", NULL), NULL);
  g_autofree char *inside =
      g_strdup_printf ("{\"folder_id\":\"%s\",\"file_size\":5000,\"file_name\":\"a\"}", below);
  g_autoptr (Answer) good = ask (fixture, "POST", "/files/upload_sessions", inside, bearer, NULL);
  g_autoptr (Answer) bad =
      ask (fixture, "POST", "/files/upload_sessions",
           "{\"folder_id\":\"0\",\"file_size\":5000,\"file_name\":\"a\"}", bearer, NULL);
  g_autoptr (Answer) list = ask (fixture, "GET", "/folders/0/items", NULL, bearer, NULL);

  g_assert_cmpuint (grant->status, ==, 200);
  g_assert_cmpuint (good->status, ==, 201);
  assert_challenged (bad, 403, "insufficient_scope");
  assert_challenged (list, 403, "insufficient_scope");
}

/* --- JWT ---------------------------------------------------------------------------------------
 */

typedef struct
{
  const char *algorithm; /* RS256 unless given */
  const char *kid;
  const char *iss;
  const char *sub;
  const char *aud;
  const char *jti;
  gint64 exp; /* seconds from now */
  gboolean other_key;
} Claims;

/* Base64url without padding. */
static char *
encode (gconstpointer data, gsize size)
{
  char *text = g_base64_encode (data, size);

  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
  *strchrnul (text, '=') = '\0';
  return text;
}

static char *
get_public_pem (gnutls_privkey_t key)
{
  gnutls_datum_t pem;
  gnutls_pubkey_t public;
  char *text;

  gnutls_pubkey_init (&public);
  gnutls_pubkey_import_privkey (public, key, 0, 0);
  g_assert_cmpint (gnutls_pubkey_export2 (public, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
  text = g_strndup ((const char *) pem.data, pem.size);
  gnutls_free (pem.data);
  gnutls_pubkey_deinit (public);
  return text;
}

static gnutls_digest_algorithm_t
get_digest (const char *algorithm)
{
  return g_str_equal (algorithm, "RS512")   ? GNUTLS_DIG_SHA512
         : g_str_equal (algorithm, "RS384") ? GNUTLS_DIG_SHA384
                                            : GNUTLS_DIG_SHA256;
}

static char *
make_jwt (gnutls_privkey_t key, const Claims *claims)
{
  const char *algorithm = claims->algorithm != NULL ? claims->algorithm : "RS256";
  g_autofree char *header = g_strdup_printf ("{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                                             algorithm, claims->kid ? claims->kid : "k1");
  g_autofree char *body = g_strdup_printf (
      "{\"iss\":\"%s\",\"sub\":\"%s\",\"box_sub_type\":\"enterprise\",\"aud\":\"%s\","
      "\"jti\":\"%s\",\"exp\":%" G_GINT64_FORMAT "}",
      claims->iss ? claims->iss : "c", claims->sub ? claims->sub : "42",
      claims->aud ? claims->aud : "https://api.box.com/oauth2/token",
      claims->jti ? claims->jti : "0123456789abcdef",
      g_get_real_time () / G_USEC_PER_SEC + (claims->exp != 0 ? claims->exp : 30));
  g_autofree char *first = encode (header, strlen (header));
  g_autofree char *second = encode (body, strlen (body));
  g_autofree char *text = g_strconcat (first, ".", second, NULL);
  g_autofree char *third = NULL;
  gnutls_datum_t data = { (unsigned char *) text, strlen (text) };
  gnutls_datum_t signature;

  g_assert_cmpint (gnutls_privkey_sign_data (key, get_digest (algorithm), 0, &data, &signature), >=,
                   0);
  third = encode (signature.data, signature.size);
  gnutls_free (signature.data);
  return g_strconcat (text, ".", third, NULL);
}

static Answer *
ask_by_jwt (Fixture *fixture, gnutls_privkey_t key, const Claims *claims)
{
  g_autofree char *jwt = make_jwt (key, claims);
  g_autofree char *form =
      g_strdup_printf ("grant_type=" JWT_GRANT "&client_id=c&client_secret=s&assertion=%s", jwt);

  return ask_token (fixture, form);
}

/* An account "c" of enterprise 42 whose key is "k1". */
static gnutls_privkey_t
load_signer (Fixture *fixture)
{
  gnutls_privkey_t key = test_key_read ("rsa-2048.pem");
  g_autofree char *pem = get_public_pem (key);
  g_autofree char *escaped = g_strescape (pem, NULL);
  g_autofree char *json = g_strdup_printf (
      "{\"clients\":[{\"client_id\":\"c\",\"client_secret\":\"s\",\"enterprise_id\":\"42\","
      "\"public_keys\":{\"k1\":\"%s\"}}]}",
      escaped);

  kit_load_accounts (fixture->emulator, json);
  return key;
}

static void
test_jwt_of_each_algorithm_gets_a_token (Fixture *fixture, gconstpointer options)
{
  static const char *const algorithms[] = { "RS256", "RS384", "RS512" };
  gnutls_privkey_t key = load_signer (fixture);

  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      g_autofree char *jti = g_strdup_printf ("0123456789abcde%u", i);
      Claims claims = { .algorithm = algorithms[i], .jti = jti };
      g_autoptr (Answer) answer = ask_by_jwt (fixture, key, &claims);

      g_assert_cmpuint (answer->status, ==, 200);
      g_assert_cmpuint (try_token (fixture, get_string (answer, "access_token", NULL), NULL), ==,
                        200);
      g_assert_false (json_object_has_member (answer->json, "refresh_token"));
    }
  gnutls_privkey_deinit (key);
}

static void
test_jwt_is_checked (Fixture *fixture, gconstpointer options)
{
  static const struct
  {
    Claims claims;
    const char *description;
  } cases[] = {
    { { .other_key = TRUE }, "signature" },
    { { .algorithm = "HS256" }, "signature" },
    { { .kid = "k2" }, "kid" },
    { { .iss = "d" }, "'iss'" },
    { { .sub = "43" }, "'sub'" },
    { { .aud = "https://example.com/" }, "'aud'" },
    { { .exp = -5 }, "'exp'" },
    { { .exp = 75 }, "'exp'" },
    { { .jti = "short" }, "'jti'" },
  };
  gnutls_privkey_t key = load_signer (fixture);
  gnutls_privkey_t other = test_key_read ("rsa-2048-other.pem");
  const Claims good = { 0 };
  g_autoptr (Answer) first = NULL, again = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (Answer) answer =
          ask_by_jwt (fixture, cases[i].claims.other_key ? other : key, &cases[i].claims);

      assert_grant_refused (answer, "invalid_grant", cases[i].description);
    }
  first = ask_by_jwt (fixture, key, &good);
  again = ask_by_jwt (fixture, key, &good);
  g_assert_cmpuint (first->status, ==, 200);
  assert_grant_refused (again, "invalid_grant", "A unique 'jti' value is required");
  gnutls_privkey_deinit (key);
  gnutls_privkey_deinit (other);
}

static void
test_jwt_times_are_by_the_clock_of_the_date_header (Fixture *fixture, gconstpointer options)
{
  gnutls_privkey_t key = load_signer (fixture);
  Claims claims = { .exp = 30 };
  g_autoptr (Answer) skewed = NULL, corrected = NULL;
  g_autoptr (GDateTime) date = NULL;

  box_emulator_advance_clock (fixture->emulator, 600);
  skewed = ask_by_jwt (fixture, key, &claims);
  assert_grant_refused (skewed, "invalid_grant", "'exp'");
  date =
      soup_date_time_new_from_http_string (soup_message_headers_get_one (skewed->headers, "Date"));
  claims.exp = g_date_time_to_unix (date) - g_get_real_time () / G_USEC_PER_SEC + 30;
  corrected = ask_by_jwt (fixture, key, &claims);
  g_assert_cmpuint (corrected->status, ==, 200);
  gnutls_privkey_deinit (key);
}

/* --- accounts ----------------------------------------------------------------------------------
 */

static void
test_accounts_leave_no_room_for_unknown_tokens (Fixture *fixture, gconstpointer options)
{
  kit_load_accounts (fixture->emulator, "{\"tokens\":[{\"token\":\"known\",\"user\":\"1001\"}]}");
  g_assert_cmpuint (try_token (fixture, "known", NULL), ==, 200);
  g_assert_cmpuint (try_token (fixture, "unknown", NULL), ==, 401);
}

/* An emulator on @dir with a user 7, as a program that was started again. */
static void
start_in (Fixture *fixture, const char *dir)
{
  const BoxEmulatorOptions options = { .dir = dir, .strict_clients = TRUE };

  fixture_set_up (fixture, &options);
  kit_load_accounts (fixture->emulator,
                     "{\"users\":[{\"id\":\"7\"}],\"clients\":[{\"client_id\":\"c\","
                     "\"client_secret\":\"s\"}],\"refresh_tokens\":[{\"token\":\"R1\","
                     "\"user\":\"7\",\"client_id\":\"c\"}]}");
}

static Answer *
refresh (Fixture *fixture, const char *token)
{
  g_autofree char *form = g_strdup_printf (
      "grant_type=refresh_token&client_id=c&client_secret=s&refresh_token=%s", token);

  return ask_token (fixture, form);
}

static void
test_restart_keeps_tokens_and_their_users (void)
{
  g_autofree char *dir = g_dir_make_tmp ("emulator-XXXXXX", NULL);
  g_autoptr (Answer) granted = NULL, used = NULL, again = NULL;
  g_autofree char *user = NULL, *access = NULL;
  Fixture fixture;

  start_in (&fixture, dir);
  granted = refresh (&fixture, "R1");
  g_assert_cmpuint (granted->status, ==, 200);
  access = g_strdup (get_string (granted, "access_token", NULL));
  fixture_tear_down (&fixture, NULL);

  start_in (&fixture, dir);
  g_assert_cmpuint (try_token (&fixture, access, &user), ==, 200);
  g_assert_cmpstr (user, ==, "7");
  used = refresh (&fixture, "R1");
  assert_grant_refused (used, "invalid_grant", "Invalid refresh token");
  again = refresh (&fixture, get_string (granted, "refresh_token", NULL));
  g_assert_cmpuint (again->status, ==, 200);
  box_emulator_revoke_token (fixture.emulator, access);
  fixture_tear_down (&fixture, NULL);

  start_in (&fixture, dir);
  g_assert_cmpuint (try_token (&fixture, access, NULL), ==, 401);
  fixture_tear_down (&fixture, NULL);
  kit_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  static const char *const accepted[] = { "good", NULL };
  static const BoxEmulatorOptions listed = { .tokens = accepted };
  static const BoxEmulatorOptions late = { .part_size = PART, .min_size = 1, .late_expiry = TRUE };
  static const BoxEmulatorOptions strict = { .strict_clients = TRUE };

  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/token/any-will-do-by-default", test_any_token_will_do_by_default, NULL);
  ADD_TEST ("/token/only-listed-ones-are-accepted", test_only_listed_tokens_are_accepted, &listed);
  ADD_TEST ("/accounts/leave-no-room-for-unknown-tokens",
            test_accounts_leave_no_room_for_unknown_tokens, &strict);
  g_test_add_func ("/restart/keeps-tokens-and-their-users",
                   test_restart_keeps_tokens_and_their_users);
  ADD_TEST ("/token/expires", test_token_expires, NULL);
  ADD_TEST ("/token/is-revoked", test_token_is_revoked, NULL);
  ADD_TEST ("/token/that-expired-stores-no-part", test_expired_token_stores_no_part, NULL);
  ADD_TEST ("/token/that-was-good-at-the-head-will-do",
            test_token_that_was_good_at_the_head_will_do, NULL);
  ADD_TEST ("/token/may-have-to-last-to-the-end", test_token_may_have_to_last_to_the_end, &late);
  ADD_TEST ("/token/as-user-must-be-known", test_as_user_must_be_known, NULL);
  ADD_TEST ("/refresh/is-of-use-once", test_refresh_token_is_of_use_once, NULL);
  ADD_TEST ("/refresh/expires", test_refresh_token_expires, NULL);
  ADD_TEST ("/client/credentials-are-checked", test_client_credentials_are_checked, &strict);
  ADD_TEST ("/grant/unknown-ones-are-refused", test_unknown_grants_are_refused, NULL);
  ADD_TEST ("/downscoped/reaches-one-folder", test_downscoped_token_reaches_one_folder, NULL);
  ADD_TEST ("/jwt/of-each-algorithm-gets-a-token", test_jwt_of_each_algorithm_gets_a_token,
            &strict);
  ADD_TEST ("/jwt/is-checked", test_jwt_is_checked, &strict);
  ADD_TEST ("/jwt/times-are-by-the-clock-of-the-date-header",
            test_jwt_times_are_by_the_clock_of_the_date_header, &strict);
  return g_test_run ();
}
