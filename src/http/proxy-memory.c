/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/digest.h"
#include "base/error.h"
#include "base/secret.h"
#include "http/proxy.h"

/* Directories often lock an account at five wrong passwords in half an hour. Microseconds. */
#define REST (10 * 60 * G_USEC_PER_SEC)

typedef struct
{
  gboolean wants_basic;
  guint refusals;    /* in a row */
  gint64 refused_at; /* monotonic */
} Memory;

static struct
{
  GMutex lock;
  GHashTable *table; /* with lock; hash of the proxy's URI to Memory */
} the_memory;

static Memory *
memory_of_locked (GUri *uri)
{
  g_autoptr (BoxSecret) text = g_uri_to_string (uri);
  g_autofree char *key = box_digest_secret (G_CHECKSUM_SHA256, text);
  Memory *memory;

  if (the_memory.table == NULL)
    the_memory.table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  memory = g_hash_table_lookup (the_memory.table, key);
  if (memory == NULL)
    {
      memory = g_new0 (Memory, 1);
      g_hash_table_insert (the_memory.table, g_steal_pointer (&key), memory);
    }
  return memory;
}

void
box_proxy_memory_refused (GUri *uri)
{
  Memory *memory;

  g_mutex_lock (&the_memory.lock);
  memory = memory_of_locked (uri);
  memory->refusals++;
  memory->refused_at = g_get_monotonic_time ();
  memory->wants_basic = FALSE;
  g_mutex_unlock (&the_memory.lock);
}

void
box_proxy_memory_accepted (GUri *uri, gboolean as_basic)
{
  Memory *memory;

  g_mutex_lock (&the_memory.lock);
  memory = memory_of_locked (uri);
  memory->refusals = 0;
  memory->wants_basic = as_basic;
  g_mutex_unlock (&the_memory.lock);
}

gboolean
box_proxy_memory_wants_basic (GUri *uri)
{
  gboolean wants_basic;

  g_mutex_lock (&the_memory.lock);
  wants_basic = memory_of_locked (uri)->wants_basic;
  g_mutex_unlock (&the_memory.lock);
  return wants_basic;
}

gboolean
box_proxy_memory_check (GUri *uri, GError **error)
{
  const Memory *memory;
  guint refusals = 0;

  if (g_uri_get_user (uri) == NULL)
    return TRUE;
  g_mutex_lock (&the_memory.lock);
  memory = memory_of_locked (uri);
  if (memory->refusals >= BOX_PROXY_MAX_OFFERS
      && g_get_monotonic_time () - memory->refused_at < REST)
    refusals = memory->refusals;
  g_mutex_unlock (&the_memory.lock);
  if (refusals == 0)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "the proxy %s has refused the user and password in its URI %u times, and is not "
               "asked again for some minutes; correct them",
               g_uri_get_host (uri), refusals);
  return FALSE;
}

void
box_proxy_memory_forget (void)
{
  g_mutex_lock (&the_memory.lock);
  g_clear_pointer (&the_memory.table, g_hash_table_unref);
  g_mutex_unlock (&the_memory.lock);
}
