/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/client.h"

#include <string.h>

/* The first row that fits names the request. @path: a pattern, without the query. */
static const struct
{
  const char *name;
  const char *method;
  const char *path;
} kinds[] = {
  { "create_session", "POST", "*/files/upload_sessions" },
  { "create_session", "POST", "*/files/*/upload_sessions" },
  { "plan", "POST", "*/upload_sessions/*/plan" },
  { "commit", "POST", "*/upload_sessions/*/commit" },
  { "list_parts", "GET", "*/upload_sessions/*/parts" },
  { "part", "PUT", "*/upload_sessions/*" },
  { "session", "GET", "*/upload_sessions/*" },
  { "abort", "DELETE", "*/upload_sessions/*" },
  { "preflight", "OPTIONS", "*" },
  { "upload", "POST", "*/files/content" },
  { "upload", "POST", "*/files/*/content" },
  { "metadata", "*", "*/metadata/*" },
  { "folder", "*", "*/folders*" },
  { "file", "*", "*/files/*" },
  { "other", "*", "*" },
};

/* No answer, 1xx to 5xx. */
#define N_CLASSES 6

static guint64 counters[G_N_ELEMENTS (kinds)][N_CLASSES]; /* atomic */
static gint64 outage;                                     /* atomic; Unix time */

static guint
find_kind (const char *method, const char *url)
{
  g_autofree char *path = g_strndup (url, strcspn (url, "?"));
  guint i = 0;

  while (i < G_N_ELEMENTS (kinds) - 1
         && !(g_pattern_match_simple (kinds[i].method, method)
              && g_pattern_match_simple (kinds[i].path, path)))
    i++;
  return i;
}

/* The first of a row of failures begins an outage. */
static void
note_outage (gboolean served)
{
  gint64 none = 0, now = g_get_real_time () / G_USEC_PER_SEC;

  if (served)
    __atomic_store_n (&outage, 0, __ATOMIC_RELAXED);
  else
    __atomic_compare_exchange_n (&outage, &none, now, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void
box_traffic_count (const char *method, const char *url, guint status, gboolean cancelled)
{
  guint class = MIN (status / 100, N_CLASSES - 1);

  __atomic_fetch_add (&counters[find_kind (method, url)][class], 1, __ATOMIC_RELAXED);
  if (status != 0 || !cancelled)
    note_outage (status != 0 && status < 500);
}

gint64
box_traffic_get_outage (void)
{
  return __atomic_load_n (&outage, __ATOMIC_RELAXED);
}

/* Two rows may have one name: their sum is told at the first. */
static guint64
sum (guint kind, guint class)
{
  guint64 n = 0;

  for (guint i = kind; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i].name, kinds[kind].name))
      n += __atomic_load_n (&counters[i][class], __ATOMIC_RELAXED);
  return n;
}

void
box_traffic_visit (BoxTrafficVisitor visit, gpointer user_data)
{
  static const char *const classes[N_CLASSES] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    for (guint class = 0; class < N_CLASSES; class ++)
      {
        guint64 n = i > 0 && g_str_equal (kinds[i].name, kinds[i - 1].name) ? 0 : sum (i, class);

        if (n > 0)
          visit (kinds[i].name, classes[class], n, user_data);
      }
}
