/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport-fixture.h"

#include "kit/places.h"

const Mode fixture_plain = { FALSE }, fixture_tls = { TRUE };

/* Made once for all tests of a program. */
static GTlsCertificate *certificate;
static char *ca_file;

static gboolean takes_http = TRUE, takes_tls = TRUE;

void
fixture_init_program (int *argc, char ***argv)
{
  g_autofree char *pem = NULL;

  g_test_init (argc, argv, NULL);
  takes_http = *argc < 2 || g_str_equal ((*argv)[1], "http");
  takes_tls = *argc < 2 || g_str_equal ((*argv)[1], "tls");
  certificate = raw_certificate_new ("127.0.0.1", &pem);
  ca_file = kit_new_file (pem);
}

int
fixture_run_program (void)
{
  int result = g_test_run ();

  kit_remove_file (ca_file);
  g_object_unref (certificate);
  return result;
}

GTlsCertificate *
fixture_get_certificate (void)
{
  return certificate;
}

const char *
fixture_get_ca_file (void)
{
  return ca_file;
}

gboolean
fixture_takes (const Mode *mode)
{
  return mode->tls ? takes_tls : takes_http;
}

void
fixture_add_both (const char *name, GTestDataFunc function)
{
  g_autofree char *over_plain = g_strconcat ("/transport/http/", name, NULL);
  g_autofree char *over_tls = g_strconcat ("/transport/tls/", name, NULL);

  if (takes_http)
    g_test_add_data_func (over_plain, &fixture_plain, function);
  if (takes_tls)
    g_test_add_data_func (over_tls, &fixture_tls, function);
}

void
fixture_init (Fixture *fixture, const Mode *mode, RawServe serve, gpointer data, guint timeout)
{
  g_autoptr (GError) error = NULL;

  fixture->server = raw_server_new (serve, data, mode->tls ? certificate : NULL);
  fixture->config = box_transport_config_new (ca_file, NULL, timeout, &error);
  g_assert_no_error (error);
  fixture->transport = box_transport_new ();
  fixture->cancellable = g_cancellable_new ();
}

void
fixture_clear (Fixture *fixture)
{
  box_transport_free (fixture->transport);
  box_transport_config_unref (fixture->config);
  raw_server_free (fixture->server);
  g_object_unref (fixture->cancellable);
}

static gboolean
pattern_read (gpointer data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  Pattern *pattern = data;

  if (offset + length > pattern->fail_at)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, "the disk is on fire");
      return FALSE;
    }
  for (gsize i = 0; i < length; i++)
    buffer[i] = (guint8) ((offset + i) % 251);
  return TRUE;
}

static void
pattern_progress (gpointer data, guint64 position)
{
  ((Pattern *) data)->sent = (gint64) position;
}

void
pattern_init (Pattern *pattern, guint64 size)
{
  *pattern = (Pattern){
    .body = { .size = size,
              .read = pattern_read,
              .progress = pattern_progress,
              .user_data = pattern },
    .fail_at = G_MAXUINT64,
  };
}

void
pattern_assert (GBytes *bytes, gsize size)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);

  g_assert_cmpuint (g_bytes_get_size (bytes), ==, size);
  for (gsize i = 0; i < size; i++)
    if (data[i] != i % 251)
      g_error ("byte %zu is wrong", i);
}

BoxReply *
fixture_send (Fixture *fixture, const char *method, const BoxBody *body, GError **error)
{
  g_autofree char *url = raw_server_get_url (fixture->server, "path?query=1");
  BoxRequest request = {
    .method = method,
    .url = url,
    .headers = (const char *const[]){ "Authorization", "Bearer secret", NULL },
    .content_type = body != NULL ? "application/octet-stream" : NULL,
    .body = body,
  };

  return box_transport_send (fixture->transport, fixture->config, &request, fixture->cancellable,
                             error);
}

void
fixture_assert_body (const BoxReply *reply, const char *text)
{
  gsize length;
  const char *data = g_bytes_get_data (reply->body, &length);
  g_autofree char *body = length > 0 ? g_strndup (data, length) : g_strdup ("");

  g_assert_cmpstr (body, ==, text);
}
