/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/digest.h"
#include "base/secret.h"
#include "http/proxy.h"

#include <libsoup/soup.h>
#include <string.h>

/* Whether @item begins a challenge ("NTLM", "Basic realm=..."): its first word is not a parameter's
 * name. */
static gboolean
begins_challenge (const char *item)
{
  gsize word = strcspn (item, " \t=");
  const char *rest = item + word;

  rest += strspn (rest, " \t");
  return g_ascii_isalpha (*item) && (*rest != '=' || item[word] == '\0');
}

/* The scheme of a challenge that @item begins. */
static char *
scheme_of (const char *item)
{
  return g_strndup (item, strcspn (item, " \t"));
}

/* Digest's hash, or -1 if it is one that this program does not know. */
static gint
hash_of (GHashTable *params)
{
  const char *name = g_hash_table_lookup (params, "algorithm");

  if (name == NULL || g_ascii_strcasecmp (name, "MD5") == 0
      || g_ascii_strcasecmp (name, "MD5-sess") == 0)
    return G_CHECKSUM_MD5;
  if (g_ascii_strcasecmp (name, "SHA-256") == 0 || g_ascii_strcasecmp (name, "SHA-256-sess") == 0)
    return G_CHECKSUM_SHA256;
  return -1;
}

static gboolean
is_session (GHashTable *params)
{
  const char *name = g_hash_table_lookup (params, "algorithm");

  return name != NULL && strlen (name) > 5
         && g_ascii_strcasecmp (name + strlen (name) - 5, "-sess") == 0;
}

/* Whether "auth" is among the protections offered; absent, RFC 2069's form is meant. */
static gboolean
offers_auth (const char *qop)
{
  GSList *items = soup_header_parse_list (qop);
  gboolean found = FALSE;

  for (GSList *i = items; i != NULL; i = i->next)
    found |= g_ascii_strcasecmp (i->data, "auth") == 0;
  soup_header_free_list (items);
  return found;
}

/* Goes back to the proxy in a header. */
static gboolean
is_one_line (const char *value)
{
  return value == NULL || strpbrk (value, "\r\n") == NULL;
}

static gboolean
can_digest (GHashTable *params)
{
  const char *qop = g_hash_table_lookup (params, "qop");

  return g_hash_table_lookup (params, "realm") != NULL
         && g_hash_table_lookup (params, "nonce") != NULL && hash_of (params) >= 0
         && is_one_line (g_hash_table_lookup (params, "realm"))
         && is_one_line (g_hash_table_lookup (params, "nonce"))
         && is_one_line (g_hash_table_lookup (params, "opaque"))
         && (qop == NULL || offers_auth (qop));
}

static void
take_digest (BoxChallenge *challenge, const char *text)
{
  GHashTable *params = soup_header_parse_param_list (text);
  const char *stale;

  if (challenge->params != NULL || !can_digest (params))
    {
      g_hash_table_unref (params);
      return;
    }
  stale = g_hash_table_lookup (params, "stale");
  challenge->kind = BOX_CHALLENGE_DIGEST;
  challenge->stale = stale != NULL && g_ascii_strcasecmp (stale, "true") == 0;
  challenge->params = params;
}

/* @text: one challenge, its parameters separated by commas. */
static void
take_challenge (BoxChallenge *challenge, const char *text)
{
  g_autofree char *scheme = scheme_of (text);
  char *schemes = challenge->schemes != NULL ? g_strconcat (challenge->schemes, ", ", scheme, NULL)
                                             : g_strdup (scheme);

  g_free (challenge->schemes);
  challenge->schemes = schemes;
  if (g_ascii_strcasecmp (scheme, "Digest") == 0)
    take_digest (challenge, text + strlen (scheme));
  else if (g_ascii_strcasecmp (scheme, "Basic") == 0 && challenge->kind != BOX_CHALLENGE_DIGEST)
    challenge->kind = BOX_CHALLENGE_BASIC;
  else if (challenge->kind == BOX_CHALLENGE_NONE)
    challenge->kind = BOX_CHALLENGE_UNSUPPORTED;
  if (challenge->kind == BOX_CHALLENGE_NONE)
    challenge->kind = BOX_CHALLENGE_UNSUPPORTED;
}

/* One header may hold several challenges, whose parameters are separated by commas as well. */
static void
take_value (BoxChallenge *challenge, const char *value)
{
  GSList *items = soup_header_parse_list (value);
  g_autoptr (GString) text = g_string_new (NULL);

  for (GSList *i = items; i != NULL; i = i->next)
    {
      if (begins_challenge (i->data) && text->len > 0)
        {
          take_challenge (challenge, text->str);
          g_string_truncate (text, 0);
        }
      else if (text->len > 0)
        g_string_append (text, ", ");
      g_string_append (text, i->data);
    }
  if (text->len > 0 && begins_challenge (text->str))
    take_challenge (challenge, text->str);
  soup_header_free_list (items);
}

void
box_challenge_init (BoxChallenge *challenge, const char *const *values)
{
  *challenge = (BoxChallenge){ .kind = BOX_CHALLENGE_NONE };
  for (const char *const *value = values; *value != NULL; value++)
    take_value (challenge, *value);
  if (challenge->schemes != NULL)
    {
      char *valid = g_utf8_make_valid (challenge->schemes, -1);

      g_free (challenge->schemes);
      challenge->schemes = valid;
    }
}

void
box_challenge_clear (BoxChallenge *challenge)
{
  g_clear_pointer (&challenge->params, g_hash_table_unref);
  g_clear_pointer (&challenge->schemes, g_free);
}

static char *
basic (const char *user, const char *password)
{
  g_autoptr (BoxSecret) pair = g_strconcat (user, ":", password, NULL);
  g_autoptr (BoxSecret) encoded = g_base64_encode ((const guchar *) pair, strlen (pair));

  return g_strconcat ("Basic ", encoded, NULL);
}

/* The hash of the texts joined by colons; free with g_free(). */
static char *
hash_joined (gint hash, const char *const *texts)
{
  g_autoptr (BoxSecret) joined = g_strjoinv (":", (char **) texts);

  return box_digest_secret ((GChecksumType) hash, joined);
}

static char *
hash_of_credentials (GHashTable *params, const char *user, const char *password, const char *cnonce)
{
  gint hash = hash_of (params);
  const char *const first[] = { user, g_hash_table_lookup (params, "realm"), password, NULL };
  g_autofree char *plain = hash_joined (hash, first);
  const char *const session[] = { plain, g_hash_table_lookup (params, "nonce"), cnonce, NULL };

  return is_session (params) ? hash_joined (hash, session) : g_steal_pointer (&plain);
}

/* Backslashes and quotes would end the quoted text. */
static void
append_quoted (GString *text, const char *name, const char *value)
{
  g_string_append_printf (text, "%s=\"", name);
  for (; *value != '\0'; value++)
    {
      if (*value == '"' || *value == '\\')
        g_string_append_c (text, '\\');
      g_string_append_c (text, *value);
    }
  g_string_append_c (text, '"');
}

static char *
digest (GHashTable *params, const char *user, const char *password, const char *method,
        const char *target, const char *cnonce)
{
  const char *nonce = g_hash_table_lookup (params, "nonce");
  const char *opaque = g_hash_table_lookup (params, "opaque");
  const char *algorithm = g_hash_table_lookup (params, "algorithm");
  gboolean has_qop = g_hash_table_lookup (params, "qop") != NULL;
  g_autofree char *ha1 = hash_of_credentials (params, user, password, cnonce);
  g_autofree char *ha2 =
      hash_joined (hash_of (params), (const char *const[]){ method, target, NULL });
  g_autofree char *response =
      hash_joined (hash_of (params), has_qop ? (const char *const[]){ ha1, nonce, "00000001",
                                                                      cnonce, "auth", ha2, NULL }
                                             : (const char *const[]){ ha1, nonce, ha2, NULL });
  GString *text = g_string_new ("Digest ");

  append_quoted (text, "username", user);
  append_quoted (text, ", realm", g_hash_table_lookup (params, "realm"));
  append_quoted (text, ", nonce", nonce);
  append_quoted (text, ", uri", target);
  append_quoted (text, ", response", response);
  if (algorithm != NULL)
    g_string_append_printf (text, ", algorithm=%s", algorithm);
  if (opaque != NULL)
    append_quoted (text, ", opaque", opaque);
  if (has_qop)
    g_string_append (text, ", qop=auth, nc=00000001");
  if (has_qop || is_session (params))
    append_quoted (text, ", cnonce", cnonce);
  return g_string_free (text, FALSE);
}

char *
box_challenge_answer (const BoxChallenge *challenge, const char *user, const char *password,
                      const char *method, const char *target, const char *cnonce)
{
  if (challenge->kind == BOX_CHALLENGE_BASIC)
    return basic (user, password);
  g_return_val_if_fail (challenge->kind == BOX_CHALLENGE_DIGEST, NULL);
  return digest (challenge->params, user, password, method, target, cnonce);
}
