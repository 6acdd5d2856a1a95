/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "http/proxy.h"

#include <string.h>

#define PROXY   "http://u:pw@proxy.example.com:3128"
#define TUNNEL  "box-http://proxy.example.com:3128"
#define CLEARLY "http://proxy.example.com:3128"

typedef struct
{
  const char *uri;
  const char *way;
} ProxyCase;

static const ProxyCase cases[] = {
  { "http://127.0.0.1:8080/api/2.0", "direct://" },
  { "http://[::1]:8080/", "direct://" },
  { "http://localhost/", "direct://" },
  { "https://127.0.0.1:8443/", TUNNEL },
  { "https://upload.box.com/api/2.0", TUNNEL },
  { "http://localhost.example.com/", CLEARLY },
  { "http://127.0.0.1.example.com/", CLEARLY },
};

static void
test_clear_text_to_loopback_takes_no_proxy (gconstpointer data)
{
  const ProxyCase *c = data;
  g_autoptr (GProxyResolver) resolver = box_proxy_new (PROXY, NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) ways = g_proxy_resolver_lookup (resolver, c->uri, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (ways), ==, 1);
  g_assert_cmpstr (ways[0], ==, c->way);
}

static const char *const unusable[] = {
  "ftp://u:secret@proxy.example.com",
  "u:secret@proxy.example.com:3128",
  "http://u%0D%0AX:secret@proxy.example.com:3128",
  "http://",
};

static void
test_what_is_no_proxy_is_a_setting_to_mend (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (unusable); i++)
    {
      g_autoptr (GProxyResolver) resolver = box_proxy_new (unusable[i], NULL);
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) ways =
          g_proxy_resolver_lookup (resolver, "https://upload.box.com/", NULL, &error);

      g_assert_null (ways);
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      g_assert_null (strstr (error->message, "secret"));
    }
}

static void
on_answered (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  char ***ways = user_data;

  *ways = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (resolver), result, &error);
  g_assert_no_error (error);
}

static void
test_asynchronous_question_has_the_same_answer (gconstpointer data)
{
  const ProxyCase *c = data;
  g_autoptr (GProxyResolver) resolver = box_proxy_new (PROXY, NULL);
  g_auto (GStrv) ways = NULL;

  g_proxy_resolver_lookup_async (resolver, c->uri, NULL, on_answered, &ways);
  while (ways == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (ways[0], ==, c->way);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/proxy/clear-text-to-loopback-takes-no-proxy/%u", i);
      g_autofree char *async_path =
          g_strdup_printf ("/proxy/asynchronous-question-has-the-same-answer/%u", i);

      g_test_add_data_func (path, &cases[i], test_clear_text_to_loopback_takes_no_proxy);
      g_test_add_data_func (async_path, &cases[i], test_asynchronous_question_has_the_same_answer);
    }
  g_test_add_func ("/proxy/what-is-none-is-a-setting-to-mend",
                   test_what_is_no_proxy_is_a_setting_to_mend);
  return g_test_run ();
}
