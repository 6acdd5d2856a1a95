/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/flow.h"

#include "upload/workers.h"

/* Hosts without users that are remembered. */
#define MOST_IDLE 16

/* with the workers' lock; of BoxHost; NULL before the first */
static GPtrArray *the_hosts;

static void
host_free (gpointer data)
{
  BoxHost *host = data;

  box_flow_clear (&host->flow);
  g_free (host->name);
  g_free (host);
}

static BoxHost *
find_locked (const char *name)
{
  for (guint i = 0; i < the_hosts->len; i++)
    {
      BoxHost *host = g_ptr_array_index (the_hosts, i);

      if (g_str_equal (host->name, name))
        return host;
    }
  return NULL;
}

/* A worker that waits for an answer can do nothing else: some remain for opening and committing. */
static guint
most_parts (void)
{
  return MAX (box_workers_get_max_locked () * 3 / 4, 1);
}

BoxHost *
box_host_take_locked (const char *endpoint)
{
  g_autoptr (GUri) uri = g_uri_parse (endpoint, G_URI_FLAGS_NONE, NULL);
  g_autofree char *name =
      uri != NULL ? g_strdup_printf ("%s:%d", g_uri_get_host (uri), g_uri_get_port (uri))
                  : g_strdup (endpoint);
  BoxHost *host;

  if (the_hosts == NULL)
    the_hosts = g_ptr_array_new_with_free_func (host_free);
  host = find_locked (name);
  if (host == NULL)
    {
      host = g_new0 (BoxHost, 1);
      host->name = g_steal_pointer (&name);
      box_flow_init (&host->flow, most_parts ());
      g_ptr_array_add (the_hosts, host);
    }
  host->n_users++;
  return host;
}

/* The one that has had no users for longest, if too many have none; else NULL. */
static BoxHost *
find_forgotten_locked (void)
{
  BoxHost *oldest = NULL;
  guint n_idle = 0;

  for (guint i = 0; i < the_hosts->len; i++)
    {
      BoxHost *host = g_ptr_array_index (the_hosts, i);

      if (host->n_users > 0)
        continue;
      n_idle++;
      if (oldest == NULL || host->used < oldest->used)
        oldest = host;
    }
  return n_idle > MOST_IDLE ? oldest : NULL;
}

void
box_host_give_back_locked (BoxHost *host)
{
  BoxHost *forgotten;

  host->used = g_get_monotonic_time ();
  host->n_users--;
  forgotten = find_forgotten_locked ();
  if (forgotten != NULL)
    g_ptr_array_remove_fast (the_hosts, forgotten);
}

guint
box_host_count_locked (void)
{
  return the_hosts != NULL ? the_hosts->len : 0;
}
