/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/proxy.h"

typedef struct
{
  const char *name;
  const char *values[4];
  BoxChallengeKind kind;
  const char *schemes;
} ChallengeCase;

#define DIGEST_PARAMS "realm=\"a, b\", nonce=\"n\""

static const ChallengeCase cases[] = {
  { "nothing", { NULL }, BOX_CHALLENGE_NONE, NULL },
  { "basic", { "Basic realm=\"a, Digest b\"" }, BOX_CHALLENGE_BASIC, "Basic" },
  { "lower-case", { "basic realm=x" }, BOX_CHALLENGE_BASIC, "basic" },
  { "digest", { "Digest " DIGEST_PARAMS }, BOX_CHALLENGE_DIGEST, "Digest" },
  { "digest-goes-before-basic",
    { "Basic realm=\"x\"", "Digest " DIGEST_PARAMS },
    BOX_CHALLENGE_DIGEST,
    "Basic, Digest" },
  { "several-in-one-header",
    { "Negotiate, NTLM, Digest " DIGEST_PARAMS ", qop=\"auth,auth-int\", Basic realm=\"x\"" },
    BOX_CHALLENGE_DIGEST,
    "Negotiate, NTLM, Digest, Basic" },
  { "only-ntlm", { "NTLM", "Negotiate" }, BOX_CHALLENGE_UNSUPPORTED, "NTLM, Negotiate" },
  { "ntlm-with-a-token", { "NTLM TlRMTVNTUAACAAAA==" }, BOX_CHALLENGE_UNSUPPORTED, "NTLM" },
  { "digest-of-another-hash",
    { "Digest " DIGEST_PARAMS ", algorithm=SHA-512-256" },
    BOX_CHALLENGE_UNSUPPORTED,
    "Digest" },
  { "digest-of-another-protection",
    { "Digest " DIGEST_PARAMS ", qop=\"auth-int\"", "Basic realm=x" },
    BOX_CHALLENGE_BASIC,
    "Digest, Basic" },
  { "digest-without-a-nonce", { "Digest realm=x" }, BOX_CHALLENGE_UNSUPPORTED, "Digest" },
  { "nonsense", { "=, ,\"" }, BOX_CHALLENGE_NONE, NULL },
};

static void
test_the_best_challenge_is_taken (gconstpointer data)
{
  const ChallengeCase *c = data;
  g_auto (BoxChallenge) challenge = { 0 };

  box_challenge_init (&challenge, c->values);
  g_assert_cmpint (challenge.kind, ==, c->kind);
  g_assert_cmpstr (challenge.schemes, ==, c->schemes);
}

static void
test_basic_is_answered (void)
{
  g_auto (BoxChallenge) challenge = { 0 };
  g_autofree char *answer = NULL;

  box_challenge_init (&challenge, (const char *const[]){ "Basic realm=\"x\"", NULL });
  answer = box_challenge_answer (&challenge, "u", "pw", "CONNECT", "a:443", "");
  g_assert_cmpstr (answer, ==, "Basic dTpwdw==");
}

/* The examples of RFC 7616, 3.9.1, and RFC 2617, 3.5. */
#define RFC7616                                                                                    \
  "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=%s, "                 \
  "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                       \
  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

static const struct
{
  const char *algorithm;
  const char *response;
} digests[] = {
  { "MD5", "8ca523f5e9506fed4657c9700eebdbec" },
  { "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
};

static void
test_digest_is_answered_as_the_rfc_does (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (digests); i++)
    {
      g_autofree char *value = g_strdup_printf (RFC7616, digests[i].algorithm);
      g_autofree char *response = g_strdup_printf ("response=\"%s\"", digests[i].response);
      g_auto (BoxChallenge) challenge = { 0 };
      g_autofree char *answer = NULL;

      box_challenge_init (&challenge, (const char *const[]){ value, NULL });
      answer =
          box_challenge_answer (&challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html",
                                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
      g_test_message ("%s", answer);
      g_assert_nonnull (g_strstr_len (answer, -1, response));
      g_assert_nonnull (g_strstr_len (answer, -1, "qop=auth, nc=00000001"));
    }
}

static void
test_digest_without_protection_is_answered_the_old_way (void)
{
  g_auto (BoxChallenge) challenge = { 0 };
  g_autofree char *answer = NULL;

  box_challenge_init (&challenge,
                      (const char *const[]){ "Digest realm=\"r\", nonce=\"n\", stale=TRUE", NULL });
  g_assert_true (challenge.stale);
  answer = box_challenge_answer (&challenge, "a\"b", "pw", "CONNECT", "a:443", "c");
  g_assert_cmpstr (answer, ==,
                   "Digest username=\"a\\\"b\", realm=\"r\", nonce=\"n\", uri=\"a:443\", "
                   "response=\"d0e80e068fd534c2b8e79492c96aa457\"");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/challenge/the-best-is-taken/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_the_best_challenge_is_taken);
    }
  g_test_add_func ("/challenge/basic-is-answered", test_basic_is_answered);
  g_test_add_func ("/challenge/digest-is-answered-as-the-rfc-does",
                   test_digest_is_answered_as_the_rfc_does);
  g_test_add_func ("/challenge/digest-without-protection-is-answered-the-old-way",
                   test_digest_without_protection_is_answered_the_old_way);
  return g_test_run ();
}
