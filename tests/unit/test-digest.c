/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/digest.h"

#include <string.h>

/* From Box's guide: the Digest header for a part of 8,388,608 bytes of 'a'. */
static void
test_digest_agrees_with_the_guides_example (gconstpointer engine)
{
  g_autoptr (BoxDigest) digest = box_digest_new ((BoxDigestEngine) GPOINTER_TO_INT (engine));
  g_autofree guint8 *data = g_malloc (8388608);
  g_autofree char *base64 = NULL;
  BoxSha1 sha1;

  memset (data, 'a', 8388608);
  box_digest_update (digest, data, 188);
  box_digest_update (digest, data, 0);
  box_digest_update (digest, data, 8388608 - 188);
  box_digest_finish (digest, &sha1);
  base64 = box_sha1_to_base64 (&sha1);
  g_assert_cmpstr (base64, ==, "fpRyg5eVQletdZqEKaFlqwBXJzM=");
}

static void
test_digest_starts_anew_after_finish (gconstpointer engine)
{
  g_autoptr (BoxDigest) digest = box_digest_new ((BoxDigestEngine) GPOINTER_TO_INT (engine));
  g_autofree char *empty = NULL, *abc = NULL;
  BoxSha1 sha1;

  box_digest_finish (digest, &sha1);
  empty = box_sha1_to_hex (&sha1);
  g_assert_cmpstr (empty, ==, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  box_digest_update (digest, "abc", 3);
  box_digest_finish (digest, &sha1);
  abc = box_sha1_to_hex (&sha1);
  g_assert_cmpstr (abc, ==, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void
test_sha1_hex_round_trips_and_refuses_nonsense (void)
{
  g_autofree char *hex = NULL;
  BoxSha1 sha1;

  g_assert_true (box_sha1_from_hex ("A9993E364706816ABA3E25717850C26C9CD0D89D", &sha1));
  hex = box_sha1_to_hex (&sha1);
  g_assert_cmpstr (hex, ==, "a9993e364706816aba3e25717850c26c9cd0d89d");
  g_assert_false (box_sha1_from_hex ("a9993e364706816aba3e25717850c26c9cd0d89", &sha1));
  g_assert_false (box_sha1_from_hex ("g9993e364706816aba3e25717850c26c9cd0d89d", &sha1));
  g_assert_false (box_sha1_from_hex (NULL, &sha1));
}

/* FIPS 180-2's example. */
static void
test_sha512_is_hex_of_both_cases (void)
{
  static const char abc[] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
  g_autoptr (BoxDigest) digest = box_digest_new_sha512 ();
  g_autofree char *hex = NULL, *upper = g_ascii_strup (abc, -1);
  BoxSha512 sha512, parsed;

  box_digest_update (digest, "abc", 3);
  box_digest_finish_sha512 (digest, &sha512);
  hex = box_sha512_to_hex (&sha512);
  g_assert_cmpstr (hex, ==, abc);
  g_assert_true (box_sha512_from_hex (upper, &parsed));
  g_assert_true (box_sha512_equal (&sha512, &parsed));
  g_assert_false (box_sha512_from_hex (abc + 1, &parsed));
  g_assert_false (box_sha512_from_hex (NULL, &parsed));
}

static void
test_secret_has_the_digest_of_any_text (void)
{
  static const GChecksumType types[] = { G_CHECKSUM_MD5, G_CHECKSUM_SHA256, G_CHECKSUM_SHA512 };
  static const char text[] = "an access token of more than one block, which has 64 bytes: 0123456";

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    for (gsize from = 0; from < sizeof text; from++)
      {
        g_autofree char *digest = box_digest_secret (types[i], text + from);
        g_autofree char *expected = g_compute_checksum_for_string (types[i], text + from, -1);

        g_assert_cmpstr (digest, ==, expected);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/digest/glib/agrees-with-the-guides-example",
                        GINT_TO_POINTER (BOX_DIGEST_ENGINE_GLIB),
                        test_digest_agrees_with_the_guides_example);
  g_test_add_data_func ("/digest/gnutls/agrees-with-the-guides-example",
                        GINT_TO_POINTER (BOX_DIGEST_ENGINE_GNUTLS),
                        test_digest_agrees_with_the_guides_example);
  g_test_add_data_func ("/digest/glib/starts-anew-after-finish",
                        GINT_TO_POINTER (BOX_DIGEST_ENGINE_GLIB),
                        test_digest_starts_anew_after_finish);
  g_test_add_data_func ("/digest/gnutls/starts-anew-after-finish",
                        GINT_TO_POINTER (BOX_DIGEST_ENGINE_GNUTLS),
                        test_digest_starts_anew_after_finish);
  g_test_add_func ("/sha1/hex-round-trips-and-refuses-nonsense",
                   test_sha1_hex_round_trips_and_refuses_nonsense);
  g_test_add_func ("/digest/sha512-is-hex-of-both-cases", test_sha512_is_hex_of_both_cases);
  g_test_add_func ("/digest/secret-has-the-digest-of-any-text",
                   test_secret_has_the_digest_of_any_text);
  return g_test_run ();
}
