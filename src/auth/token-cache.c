/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/provider.h"
#include "base/error.h"
#include "base/retry.h"
#include "base/secret.h"

#include <stdlib.h>

/* A renewal that takes longer than this (a token endpoint that sends a byte a minute) has failed.
 * Microseconds. */
#define RENEWAL_LIMIT (180 * G_USEC_PER_SEC)

/* After a failed renewal none is begun for this long, so that many threads that retry do not hammer
 * a token endpoint that is in trouble; they get the failure again. Longer only if the server
 * asked for it. Microseconds. */
#define RENEWAL_PAUSE (1 * G_USEC_PER_SEC)

/* A server that asks for more patience than this is asked again all the same. Microseconds. */
#define PAUSE_MAX (300 * G_USEC_PER_SEC)

struct _BoxTokenCache
{
  /* immutable */
  char *key;                    /* NULL: in no table */
  const BoxTokenSource *source; /* @provider's; NULL: its tokens come from no file */

  /* one renewal at a time */
  BoxTokenProvider *provider;

  /* with the_caches.lock */
  guint users;

  GMutex lock;
  GCond changed;
  /* with lock */
  BoxToken *token; /* nullable */
  gboolean token_refused;
  char *refused;         /* that Box refused last, if not @token; nullable */
  gboolean single_use;   /* see BoxTokenOutlook */
  gint64 limit;          /* of one renewal; microseconds */
  BoxFileStamp stamp;    /* the source's file as last seen */
  gboolean file_changed; /* it should be read again */
  gboolean renewing;     /* the thread is there */
  gboolean abandoned;    /* no users: the thread frees everything */
  guint rounds;          /* renewals that have ended */
  guint forgotten;       /* how often all waiting was ended */
  GCancellable *renewal; /* ends the present one */
  gint64 deadline;       /* of the present one */
  GError *failure;       /* of the last renewal; NULL: it succeeded */
  guint strays;          /* see box_token_reply_doubt() */
  gint64 pause_until;    /* no renewal before, after a failure */
};

static struct
{
  GMutex lock;
  GHashTable *table; /* key → BoxTokenCache, not owned */
} the_caches;

static void
cache_free (BoxTokenCache *cache)
{
  g_free (cache->key);
  box_token_provider_free (cache->provider);
  box_token_free (cache->token);
  box_secret_free (cache->refused);
  g_clear_object (&cache->renewal);
  g_clear_error (&cache->failure);
  g_mutex_clear (&cache->lock);
  g_cond_clear (&cache->changed);
  g_free (cache);
}

static char *
make_key (const BoxTokenSource *source)
{
  char *real = realpath (source->path, NULL);
  char *key = g_strdup_printf ("%d %s %s %p %s", (int) source->kind, source->origin,
                               source->endpoint.url, (gpointer) source->endpoint.transport_config,
                               real != NULL ? real : source->path);

  free (real);
  return key;
}

static BoxTokenCache *
cache_new (BoxTokenProvider *provider, gint64 limit)
{
  BoxTokenCache *cache = g_new0 (BoxTokenCache, 1);

  cache->provider = provider;
  cache->limit = limit;
  g_mutex_init (&cache->lock);
  g_cond_init (&cache->changed);
  return cache;
}

static BoxTokenCache *
cache_new_shared (BoxTokenSource *source, const char *key)
{
  BoxTokenCache *cache = cache_new (box_token_provider_new (source), RENEWAL_LIMIT);

  cache->key = g_strdup (key);
  cache->source = source;
  /* Until it has been looked at. */
  cache->single_use = TRUE;
  box_file_stamp_take (source->path, &cache->stamp);
  return cache;
}

BoxTokenCache *
box_token_cache_new (BoxTokenProvider *provider, gint64 limit)
{
  BoxTokenCache *cache = cache_new (provider, limit);

  cache->users = 1;
  return cache;
}

/* Whether a cache without users has something worth keeping. */
static gboolean
is_worth_keeping (BoxTokenCache *cache)
{
  gboolean worth;

  g_mutex_lock (&cache->lock);
  worth = cache->key != NULL && cache->source->kind == BOX_TOKEN_SOURCE_CONFIG
          && !cache->token_refused
          && box_token_state (cache->token, g_get_monotonic_time (), 0) != BOX_TOKEN_EXPIRED;
  g_mutex_unlock (&cache->lock);
  return worth;
}

/* Frees a cache that is in no table any more; if it has a thread, that does it. */
static void
dispose (BoxTokenCache *cache)
{
  g_autoptr (GCancellable) renewal = NULL;
  gboolean renewing;

  g_mutex_lock (&cache->lock);
  renewing = cache->renewing;
  cache->abandoned = TRUE;
  if (renewing && !cache->single_use)
    renewal = g_object_ref (cache->renewal);
  g_mutex_unlock (&cache->lock);

  if (renewal != NULL)
    g_cancellable_cancel (renewal);
  if (!renewing)
    cache_free (cache);
}

/* Caches that were kept for nobody: their tokens have expired. */
static GPtrArray *
take_stale_locked (void)
{
  GPtrArray *stale = g_ptr_array_new_with_free_func ((GDestroyNotify) dispose);
  GHashTableIter iter;
  gpointer cache;

  g_hash_table_iter_init (&iter, the_caches.table);
  while (g_hash_table_iter_next (&iter, NULL, &cache))
    {
      if (((BoxTokenCache *) cache)->users > 0 || is_worth_keeping (cache))
        continue;
      g_hash_table_iter_remove (&iter);
      g_ptr_array_add (stale, cache);
    }
  return stale;
}

/* A token that was kept belongs to the configuration as it was then. */
static void
take_up (BoxTokenCache *cache)
{
  BoxFileStamp stamp;

  if (!box_file_stamp_take (cache->source->path, &stamp))
    return;
  g_mutex_lock (&cache->lock);
  if (!box_file_stamp_equal (&stamp, &cache->stamp))
    g_clear_pointer (&cache->token, box_token_free);
  cache->stamp = stamp;
  g_mutex_unlock (&cache->lock);
}

BoxTokenCache *
box_token_cache_get (BoxTokenSource *source)
{
  g_autofree char *key = make_key (source);
  g_autoptr (GPtrArray) stale = NULL;
  BoxTokenCache *cache;
  gboolean first;

  g_mutex_lock (&the_caches.lock);
  if (the_caches.table == NULL)
    the_caches.table = g_hash_table_new (g_str_hash, g_str_equal);
  stale = take_stale_locked ();
  cache = g_hash_table_lookup (the_caches.table, key);
  if (cache == NULL)
    {
      cache = cache_new_shared (g_steal_pointer (&source), key);
      g_hash_table_insert (the_caches.table, cache->key, cache);
    }
  first = cache->users++ == 0;
  g_mutex_unlock (&the_caches.lock);

  if (first)
    take_up (cache);
  box_token_source_free (source);
  return cache;
}

BoxTokenCache *
box_token_cache_ref (BoxTokenCache *cache)
{
  g_mutex_lock (&the_caches.lock);
  cache->users++;
  g_mutex_unlock (&the_caches.lock);
  return cache;
}

void
box_token_cache_unref (BoxTokenCache *cache)
{
  gboolean last;

  g_mutex_lock (&the_caches.lock);
  last = --cache->users == 0 && !is_worth_keeping (cache);
  if (last && cache->key != NULL)
    g_hash_table_remove (the_caches.table, cache->key);
  g_mutex_unlock (&the_caches.lock);
  if (last)
    dispose (cache);
}

gboolean
box_token_cache_open (BoxTokenCache *cache, GError **error)
{
  BoxTokenOutlook outlook = { NULL, FALSE };

  if (!box_token_provider_check (cache->provider, &outlook, error))
    return FALSE;
  g_mutex_lock (&cache->lock);
  cache->single_use = outlook.single_use;
  if (cache->token == NULL)
    cache->token = g_steal_pointer (&outlook.token);
  g_mutex_unlock (&cache->lock);
  box_token_free (outlook.token);
  return TRUE;
}

gint64
box_token_cache_get_expiry (BoxTokenCache *cache)
{
  gint64 expires;

  g_mutex_lock (&cache->lock);
  expires = cache->token != NULL ? cache->token->expires : G_MAXINT64;
  g_mutex_unlock (&cache->lock);
  return expires;
}

/* The present token; NULL if it does not exist, was refused, or has expired. */
static const char *
present_locked (BoxTokenCache *cache, gint64 lasting, BoxTokenState *state)
{
  *state = BOX_TOKEN_EXPIRED;
  if (cache->token == NULL || cache->token_refused)
    return NULL;

  *state = box_token_state (cache->token, g_get_monotonic_time (), lasting);
  if (*state == BOX_TOKEN_EXPIRED)
    return NULL;
  if (cache->file_changed)
    *state = BOX_TOKEN_SHORT;
  return cache->token->access;
}

/* Looks whether the source's file has changed. A failure before the change says nothing about what
 * comes after it. */
static void
watch_file (BoxTokenCache *cache)
{
  const BoxTokenSource *source = cache->source;
  BoxFileStamp stamp;

  if (source == NULL || !box_file_stamp_take (source->path, &stamp))
    return;

  g_mutex_lock (&cache->lock);
  if (!box_file_stamp_equal (&stamp, &cache->stamp))
    {
      cache->stamp = stamp;
      cache->pause_until = 0;
      cache->file_changed = source->kind == BOX_TOKEN_SOURCE_FILE;
    }
  g_mutex_unlock (&cache->lock);
}

/* A copy of what one renewal needs, taken under the lock. */
typedef struct
{
  GCancellable *cancellable;
  char *refused[3]; /* NULL-terminated */
  char *present;    /* to be replaced, though not refused */
} Renewal;

static void
renewal_init_locked (Renewal *renewal, BoxTokenCache *cache)
{
  guint n = 0;

  *renewal = (Renewal){ .cancellable = g_object_ref (cache->renewal) };
  if (cache->token != NULL && cache->token_refused)
    renewal->refused[n++] = g_strdup (cache->token->access);
  else if (cache->token != NULL)
    renewal->present = g_strdup (cache->token->access);
  renewal->refused[n] = g_strdup (cache->refused);
}

static void
renewal_clear (Renewal *renewal)
{
  g_clear_object (&renewal->cancellable);
  for (guint i = 0; i < G_N_ELEMENTS (renewal->refused); i++)
    box_secret_free (renewal->refused[i]);
  box_secret_free (renewal->present);
}

/* How a renewal fails that has not ended in time. */
static GError *
new_silence (BoxTokenCache *cache)
{
  gint64 seconds = cache->limit / G_USEC_PER_SEC;

  if (cache->provider->deaf)
    return g_error_new (BOX_ERROR, BOX_ERROR_CREDENTIALS,
                        "The application was asked for a token and did not answer within "
                        "%" G_GINT64_FORMAT " seconds",
                        seconds);
  return g_error_new (BOX_ERROR, BOX_ERROR_TRANSIENT,
                      "The token endpoint has not answered within %" G_GINT64_FORMAT " seconds",
                      seconds);
}

static void
note_failure_locked (BoxTokenCache *cache, GError *failure)
{
  gint64 pause =
      MAX (RENEWAL_PAUSE, box_error_get_details (failure)->retry_after * (gint64) G_USEC_PER_SEC);

  g_clear_error (&cache->failure);
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_clear_error (&failure);
      failure = new_silence (cache);
    }
  box_token_reply_doubt (failure, &cache->strays);
  cache->failure = failure;
  cache->pause_until = g_get_monotonic_time () + MIN (pause, PAUSE_MAX);
  /* An application may be asked at any time. */
  if (cache->provider->deaf)
    cache->pause_until = 0;
}

static void
install_locked (BoxTokenCache *cache, BoxToken *token)
{
  box_token_free (cache->token);
  cache->token = token;
  cache->token_refused = FALSE;
  g_clear_pointer (&cache->refused, box_secret_free);
  cache->strays = 0;
  g_clear_error (&cache->failure);
}

static gpointer
renew_in_thread (gpointer user_data)
{
  BoxTokenCache *cache = user_data;
  BoxToken *token;
  GError *failure = NULL;
  BoxTokenWish wish;
  Renewal renewal;
  gboolean abandoned;

  g_mutex_lock (&cache->lock);
  renewal_init_locked (&renewal, cache);
  cache->file_changed = FALSE;
  g_mutex_unlock (&cache->lock);

  wish = (BoxTokenWish){
    .refused = (const char *const *) renewal.refused,
    .present = renewal.present,
    .cancellable = renewal.cancellable,
  };
  token = box_token_provider_obtain (cache->provider, &wish, &failure);

  g_mutex_lock (&cache->lock);
  if (token != NULL)
    install_locked (cache, token);
  else
    note_failure_locked (cache, failure);
  cache->renewing = FALSE;
  cache->rounds++;
  abandoned = cache->abandoned;
  g_cond_broadcast (&cache->changed);
  g_mutex_unlock (&cache->lock);

  renewal_clear (&renewal);
  if (abandoned)
    cache_free (cache);
  return NULL;
}

static void
begin_renewal_locked (BoxTokenCache *cache)
{
  g_autoptr (GError) local_error = NULL;
  GThread *thread;

  g_clear_object (&cache->renewal);
  cache->renewal = g_cancellable_new ();
  cache->deadline = g_get_monotonic_time () + cache->limit;
  cache->renewing = TRUE;

  thread = g_thread_try_new ("box-token", renew_in_thread, cache, &local_error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  cache->renewing = FALSE;
  cache->rounds++;
  note_failure_locked (
      cache,
      g_error_new (
          BOX_ERROR, BOX_ERROR_TRANSIENT,
          "The system has no thread left to renew the access token with (%s): raise the limit "
          "(ulimit -u, TasksMax=) if this does not pass",
          local_error->message));
}

/* Whether the present renewal must run to its end: cancelling it would lose the new token. */
static gboolean
is_let_run (BoxTokenCache *cache)
{
  return cache->provider->deaf || cache->single_use;
}

/* The renewal goes on, but those who wait for it now have waited enough. */
static void
give_up_locked (BoxTokenCache *cache)
{
  note_failure_locked (cache, new_silence (cache));
  cache->rounds++;
  g_cond_broadcast (&cache->changed);
}

/* Waits for the present renewal, and cancels it at its deadline if that is allowed. */
static void
await_renewal_locked (BoxTokenCache *cache, GCancellable *cancellable)
{
  guint round = cache->rounds, forgotten = cache->forgotten;

  /* One that others gave up. */
  if (cache->deadline == G_MAXINT64 && is_let_run (cache))
    cache->deadline = g_get_monotonic_time () + cache->limit;

  while (cache->rounds == round && cache->renewing && cache->forgotten == forgotten
         && !g_cancellable_is_cancelled (cancellable))
    {
      g_autoptr (GCancellable) renewal = NULL;

      if (g_cond_wait_until (&cache->changed, &cache->lock, cache->deadline))
        continue;
      /* Once: cancelling is calling out, so the lock is released. */
      cache->deadline = G_MAXINT64;
      if (is_let_run (cache))
        {
          give_up_locked (cache);
          return;
        }
      renewal = g_object_ref (cache->renewal);
      g_mutex_unlock (&cache->lock);
      g_cancellable_cancel (renewal);
      g_mutex_lock (&cache->lock);
    }
}

/* The failure that stands, its Retry-After counted from now. */
static GError *
failure_locked (BoxTokenCache *cache)
{
  const GError *failure = cache->failure;
  BoxErrorDetails details = *box_error_get_details (failure);
  gint64 left = cache->pause_until - g_get_monotonic_time ();

  if (details.retry_after >= 0)
    details.retry_after = (gint) (MAX (left, 0) / G_USEC_PER_SEC);
  return box_error_new_with_details ((BoxErrorCode) failure->code, &details, "%s",
                                     failure->message);
}

static char *
take_token_locked (BoxTokenCache *cache, gint64 lasting, GCancellable *cancellable, GError **error)
{
  guint forgotten = cache->forgotten;
  gboolean waited = FALSE;

  while (!g_cancellable_is_cancelled (cancellable) && cache->forgotten == forgotten)
    {
      BoxTokenState state;
      const char *present = present_locked (cache, lasting, &state);
      gboolean paused = !cache->renewing && cache->failure != NULL
                        && g_get_monotonic_time () < cache->pause_until;

      if (state == BOX_TOKEN_DUE && !cache->renewing && !paused)
        begin_renewal_locked (cache);
      if (state <= BOX_TOKEN_DUE || (present != NULL && (waited || paused)))
        return g_strdup (present);
      if (paused || (waited && cache->failure != NULL))
        {
          g_propagate_error (error, failure_locked (cache));
          return NULL;
        }
      if (!cache->renewing)
        begin_renewal_locked (cache);
      await_renewal_locked (cache, cancellable);
      waited = TRUE;
    }
  g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Cancelled");
  return NULL;
}

/* A token that Box has refused is not wanted again. */
static void
note_refused_locked (BoxTokenCache *cache, const char *refused)
{
  if (refused == NULL)
    return;
  if (cache->token != NULL && g_str_equal (refused, cache->token->access))
    cache->token_refused = TRUE;
  else if (g_strcmp0 (refused, cache->refused) != 0)
    {
      box_secret_free (cache->refused);
      cache->refused = g_strdup (refused);
    }
}

char *
box_token_cache_take (BoxTokenCache *cache, const char *refused, gint64 lasting,
                      GCancellable *cancellable, GError **error)
{
  BoxWakeup wakeup;
  char *token;

  watch_file (cache);
  box_wakeup_connect (&wakeup, cancellable, &cache->lock, &cache->changed);
  g_mutex_lock (&cache->lock);
  note_refused_locked (cache, refused);
  token = take_token_locked (cache, lasting, cancellable, error);
  g_mutex_unlock (&cache->lock);
  box_wakeup_disconnect (&wakeup);
  return token;
}

char *
box_token_cache_peek (BoxTokenCache *cache, const char *refused)
{
  BoxTokenState state;
  char *token;

  g_mutex_lock (&cache->lock);
  note_refused_locked (cache, refused);
  token = g_strdup (present_locked (cache, 0, &state));
  g_mutex_unlock (&cache->lock);
  return token;
}

void
box_token_cache_forget (BoxTokenCache *cache)
{
  g_mutex_lock (&cache->lock);
  g_clear_pointer (&cache->token, box_token_free);
  cache->token_refused = FALSE;
  cache->forgotten++;
  g_cond_broadcast (&cache->changed);
  g_mutex_unlock (&cache->lock);
}

void
box_token_cache_set_limit (BoxTokenCache *cache, gint64 limit)
{
  g_mutex_lock (&cache->lock);
  cache->limit = limit;
  g_mutex_unlock (&cache->lock);
}
