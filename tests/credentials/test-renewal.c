/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Uploads while tokens expire, are revoked, or cannot be had: by every grant, against an emulator
 * that checks them. */
#include "fixture.h"

#include <string.h>

/* Length of the upload at its rate, seconds: several lives of a token. */
#define UPLOAD_SECONDS 4
#define PARTS          80

static guint
count_tokens (Fixture *f)
{
  return box_emulator_count (f->emulator, "token");
}

static void
test_grant_is_accepted (Fixture *f, gconstpointer data)
{
  const CredentialsCase *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxUser) user = box_client_get_user (f->client, transport, NULL, &error);
  g_autoptr (BoxCredentialsInfo) info = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (user->id);
  info = box_credentials_describe (box_client_get_credentials (f->client));
  g_assert_cmpstr (info->grant, ==, c->grant);
  g_assert_cmpint (info->expires, >, 0);
  g_assert_cmpuint (count_tokens (f), ==, c->clock_offset != 0 ? 2 : 1);
}

static void
test_recording_outlives_many_tokens (Fixture *f, gconstpointer data)
{
  const CredentialsCase *c = data;
  gint64 began = g_get_monotonic_time ();
  g_autofree char *session = NULL;
  g_autoptr (BoxUpload) upload = fixture_begin_upload (
      f, f->client, PARTS, c->parallel, PARTS * FIXTURE_PART / UPLOAD_SECONDS, &session);
  gdouble halves;

  fixture_assert_complete (f, upload, session);
  /* A token is renewed at half its life, by one request. */
  halves = (gdouble) (g_get_monotonic_time () - began) / G_USEC_PER_SEC / c->token_lifetime * 2;
  g_test_message ("%u requests for tokens in %.1f halves of their life", count_tokens (f), halves);
  g_assert_cmpuint (count_tokens (f), >=, (UPLOAD_SECONDS - 1) / c->token_lifetime);
  g_assert_cmpfloat (count_tokens (f), <=, halves + 2);
}

static void
test_revoked_token_is_replaced_by_one_request (Fixture *f, gconstpointer data)
{
  const CredentialsCase *c = data;
  g_autofree char *session = NULL;
  g_autoptr (BoxUpload) upload =
      fixture_begin_upload (f, f->client, PARTS, c->parallel, PARTS * FIXTURE_PART, &session);

  g_assert_true (box_emulator_wait_done (f->emulator, "upload_part", PARTS / 2, KIT_PATIENCE_MS));
  box_emulator_revoke_all_tokens (f->emulator);
  fixture_assert_complete (f, upload, session);
  g_assert_cmpuint (count_tokens (f), ==, 2);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "upload_part", 401), >=, 1);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "upload_part", 401), <=, c->parallel);
}

static void
test_trouble_at_the_token_endpoint_is_survived (Fixture *f, gconstpointer data)
{
  g_autofree char *session = NULL;
  g_autoptr (BoxUpload) upload = fixture_begin_upload (f, f->client, 8, 4, 0, &session);

  fixture_assert_complete (f, upload, session);
  g_assert_cmpuint (count_tokens (f), <=, 3);
}

static void
test_definite_refusal_ends_the_upload_at_once (Fixture *f, gconstpointer data)
{
  g_autofree char *session = NULL;
  g_autoptr (BoxUpload) upload = fixture_begin_upload (f, f->client, 8, 4, 0, &session);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (box_upload_wait_done (upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (upload);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CREDENTIALS);
  g_assert_nonnull (strstr (error->message, f->config_path));
  g_assert_null (strstr (error->message, "wr0ng-secret"));
  g_assert_cmpuint (count_tokens (f), ==, 1);
}

static void
test_token_for_one_folder_reaches_no_other (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = box_emulator_add_folder (f->emulator, "0", "recordings");
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_autoptr (BoxDestination) inside = box_destination_new_folder (folder, "a.bin", NULL);
  g_autoptr (BoxDestination) outside = box_destination_new_folder ("0", "a.bin", NULL);
  g_autoptr (BoxClient) client = NULL;
  g_autoptr (BoxSession) session = NULL;
  char *token = box_credentials_downscope (box_client_get_credentials (f->client), folder, NULL,
                                           NULL, &error);

  g_assert_no_error (error);
  client = fixture_new_client (f, token);
  box_credentials_free_token (token);
  session = box_client_create_session (client, transport, inside, 20000000, NULL, &error);
  g_assert_no_error (error);
  g_assert_null (box_client_create_session (client, transport, outside, 20000000, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_FORBIDDEN);
}

static void
test_revoked_token_is_renewed_before_it_is_downscoped (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  BoxCredentials *credentials = box_client_get_credentials (f->client);

  box_credentials_free_token (box_credentials_get_token (credentials, NULL, 0, NULL, &error));
  g_assert_no_error (error);
  box_emulator_revoke_all_tokens (f->emulator);
  box_credentials_free_token (box_credentials_downscope (credentials, "0", NULL, NULL, &error));
  g_assert_no_error (error);
}

static const CredentialsCase accepted[] = {
  { .grant = "jwt" },
  { .grant = "jwt", .algorithm = "RS384" },
  { .grant = "jwt", .algorithm = "RS512" },
  { .grant = "jwt", .clock_offset = 5000 },
  { .grant = "jwt", .clock_offset = -5000 },
  { .grant = "client-credentials" },
  { .grant = "refresh-token" },
};

static const CredentialsCase expiring[] = {
  { .grant = "jwt", .token_lifetime = 2, .parallel = 4 },
  { .grant = "jwt", .token_lifetime = 2, .parallel = 16 },
  { .grant = "client-credentials", .token_lifetime = 2, .parallel = 4 },
  { .grant = "client-credentials", .token_lifetime = 2, .parallel = 16 },
  { .grant = "refresh-token", .token_lifetime = 2, .parallel = 4 },
  { .grant = "refresh-token", .token_lifetime = 2, .parallel = 16 },
};

static const CredentialsCase revoked[] = {
  { .grant = "jwt", .parallel = 16 },
  { .grant = "client-credentials", .parallel = 4 },
  { .grant = "refresh-token", .parallel = 16 },
};

#define TROUBLE(rule)                                                                              \
  {                                                                                                \
    .grant = "client-credentials",                                                                 \
    .scenario = "{\"rules\":[{\"route\":\"token\",\"times\":2," rule "}]}"                         \
  }

static const CredentialsCase troubled[] = {
  TROUBLE ("\"do\":\"reply\",\"status\":503,\"body\":\"<html>busy</html>\""),
  TROUBLE ("\"do\":\"reply\",\"status\":429,\"headers\":{\"Retry-After\":\"1\"},"
           "\"json\":{\"error\":\"temporarily_unavailable\"}"),
  TROUBLE ("\"do\":\"reply\",\"status\":200,\"body\":\"<html>Welcome</html>\""),
  TROUBLE ("\"do\":\"garbage\""),
  TROUBLE ("\"do\":\"reset\""),
  TROUBLE ("\"do\":\"delay\",\"ms\":1500"),
};

static const CredentialsCase plain = { .grant = "client-credentials" };
static const CredentialsCase wrong_secret = { .grant = "client-credentials",
                                              .secret = "wr0ng-secret" };

static void
add_cases (const char *name, const CredentialsCase *cases, guint n,
           void (*function) (Fixture *, gconstpointer))
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("/renewal/%s/%s-%u", name, cases[i].grant, i);

      g_test_add (path, Fixture, &cases[i], fixture_set_up, function, fixture_tear_down);
    }
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  fixture_key = test_key_new (GNUTLS_PK_RSA);
  add_cases ("grant-is-accepted", accepted, G_N_ELEMENTS (accepted), test_grant_is_accepted);
  add_cases ("recording-outlives-many-tokens", expiring, G_N_ELEMENTS (expiring),
             test_recording_outlives_many_tokens);
  add_cases ("revoked-token-is-replaced-by-one-request", revoked, G_N_ELEMENTS (revoked),
             test_revoked_token_is_replaced_by_one_request);
  add_cases ("trouble-at-the-token-endpoint-is-survived", troubled, G_N_ELEMENTS (troubled),
             test_trouble_at_the_token_endpoint_is_survived);
  add_cases ("definite-refusal-ends-the-upload-at-once", &wrong_secret, 1,
             test_definite_refusal_ends_the_upload_at_once);
  add_cases ("token-for-one-folder-reaches-no-other", &plain, 1,
             test_token_for_one_folder_reaches_no_other);
  add_cases ("revoked-token-is-renewed-before-it-is-downscoped", &plain, 1,
             test_revoked_token_is_renewed_before_it_is_downscoped);
  result = g_test_run ();
  test_key_free (fixture_key);
  return result;
}
