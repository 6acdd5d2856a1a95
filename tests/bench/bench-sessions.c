/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-sessions.h"

#define MAX_PAGE 1000

typedef struct
{
  char *name;
  guint64 size;
  guint n_parts;
  guint n_stored;
  gboolean *stored; /* n_parts */
} Session;

struct _BenchSessions
{
  guint64 part_size; /* immutable */
  GMutex lock;
  GHashTable *table; /* with lock: number to Session */
  guint last;        /* with lock */
};

static void
session_free (gpointer data)
{
  Session *session = data;

  g_free (session->name);
  g_free (session->stored);
  g_free (session);
}

BenchSessions *
bench_sessions_new (guint64 part_size)
{
  BenchSessions *self = g_new0 (BenchSessions, 1);

  self->part_size = part_size;
  self->table = g_hash_table_new_full (NULL, NULL, NULL, session_free);
  g_mutex_init (&self->lock);
  return self;
}

static Session *
find_locked (BenchSessions *self, guint number)
{
  return g_hash_table_lookup (self->table, GUINT_TO_POINTER (number));
}

guint
bench_sessions_add (BenchSessions *self, const char *name, guint64 size)
{
  Session *session = g_new0 (Session, 1);
  guint number;

  session->name = g_strdup (name);
  session->size = size;
  session->n_parts = (guint) ((size + self->part_size - 1) / self->part_size);
  session->stored = g_new0 (gboolean, session->n_parts);

  g_mutex_lock (&self->lock);
  number = ++self->last;
  g_hash_table_insert (self->table, GUINT_TO_POINTER (number), session);
  g_mutex_unlock (&self->lock);
  return number;
}

char *
bench_sessions_describe (BenchSessions *self, guint number, const char *base)
{
  char *json = NULL;
  const Session *session;

  g_mutex_lock (&self->lock);
  session = find_locked (self, number);
  if (session != NULL)
    {
      g_autofree char *url = g_strdup_printf ("%s/files/upload_sessions/%08X", base, number);

      json = g_strdup_printf (
          "{\"id\":\"%08X\",\"type\":\"upload_session\",\"session_expires_at\":"
          "\"2099-01-01T00:00:00Z\",\"part_size\":%" G_GUINT64_FORMAT
          ",\"total_parts\":%u,\"num_parts_processed\":%u,\"session_endpoints\":{"
          "\"upload_part\":\"%s\",\"commit\":\"%s/commit\",\"abort\":\"%s\","
          "\"list_parts\":\"%s/parts\",\"status\":\"%s\",\"log_event\":\"%s/log\"}}",
          number, self->part_size, session->n_parts, session->n_stored, url, url, url, url, url,
          url);
    }
  g_mutex_unlock (&self->lock);
  return json;
}

static char *
describe_part (guint index, guint64 offset, guint64 size, const char *sha1)
{
  return g_strdup_printf ("{\"part_id\":\"%08X\",\"offset\":%" G_GUINT64_FORMAT
                          ",\"size\":%" G_GUINT64_FORMAT ",\"sha1\":%s%s%s}",
                          index + 1, offset, size, sha1 != NULL ? "\"" : "",
                          sha1 != NULL ? sha1 : "null", sha1 != NULL ? "\"" : "");
}

char *
bench_sessions_store_part (BenchSessions *self, guint number, guint64 offset, guint64 size,
                           const char *sha1)
{
  g_autofree char *part = NULL;
  guint index = (guint) (offset / self->part_size);
  Session *session;

  g_mutex_lock (&self->lock);
  session = find_locked (self, number);
  if (session != NULL && index < session->n_parts)
    {
      session->n_stored += session->stored[index] ? 0 : 1;
      session->stored[index] = TRUE;
      part = describe_part (index, offset, size, sha1);
    }
  g_mutex_unlock (&self->lock);
  return part != NULL ? g_strdup_printf ("{\"part\":%s}", part) : NULL;
}

char *
bench_sessions_list (BenchSessions *self, guint number, guint offset, guint limit)
{
  GString *json = g_string_new ("{\"entries\":[");
  const Session *session;
  guint seen = 0, given = 0, total = 0;

  limit = limit == 0 ? MAX_PAGE : MIN (limit, MAX_PAGE);
  g_mutex_lock (&self->lock);
  session = find_locked (self, number);
  total = session != NULL ? session->n_parts : 0;
  for (guint i = 0; i < total && given < limit; i++)
    {
      g_autofree char *part = NULL;
      guint64 start = i * self->part_size;

      if (!session->stored[i] || seen++ < offset)
        continue;
      part = describe_part (i, start, MIN (self->part_size, session->size - start), NULL);
      g_string_append_printf (json, "%s%s", given++ > 0 ? "," : "", part);
    }
  g_mutex_unlock (&self->lock);
  g_string_append_printf (json, "],\"total_count\":%u,\"limit\":%u,\"offset\":%u}", total, limit,
                          offset);
  return g_string_free (json, FALSE);
}

char *
bench_sessions_describe_file (const char *name, guint64 size, const char *sha1)
{
  return g_strdup_printf (
      "{\"total_count\":1,\"entries\":[{\"type\":\"file\",\"id\":\"1001\",\"sequence_id\":\"0\","
      "\"etag\":\"0\",\"sha1\":\"%s\",\"name\":\"%s\",\"size\":%" G_GUINT64_FORMAT
      ",\"file_version\":{\"type\":\"file_version\",\"id\":\"2001\",\"sha1\":\"%s\"},"
      "\"parent\":{\"type\":\"folder\",\"id\":\"0\",\"name\":\"All Files\"},"
      "\"content_created_at\":\"2026-01-01T00:00:00Z\","
      "\"content_modified_at\":\"2026-01-01T00:00:00Z\",\"item_status\":\"active\"}]}",
      sha1, name, size, sha1);
}

char *
bench_sessions_commit (BenchSessions *self, guint number, const char *sha1)
{
  char *json = NULL;
  const Session *session;

  g_mutex_lock (&self->lock);
  session = find_locked (self, number);
  if (session != NULL && session->n_stored == session->n_parts)
    json = bench_sessions_describe_file (session->name, session->size, sha1);
  g_mutex_unlock (&self->lock);
  return json;
}

void
bench_sessions_remove (BenchSessions *self, guint number)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->table, GUINT_TO_POINTER (number));
  g_mutex_unlock (&self->lock);
}
