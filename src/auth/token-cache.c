/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "auth/token-cache.h"
#include "base/error.h"
#include "base/wakeup.h"

#include <stdlib.h>

/* A renewal that takes longer than this (a token endpoint that sends a byte a minute) has failed.
 * Microseconds. */
#define RENEWAL_LIMIT (180 * G_USEC_PER_SEC)

/* After a failed renewal none is begun for this long, so that many threads that retry do not hammer
 * a token endpoint that is in trouble; they get the failure again. Longer only where the server
 * asked for it. Microseconds. */
#define RENEWAL_PAUSE (1 * G_USEC_PER_SEC)

/* As many replies in a row that there is no token endpoint are taken for those of a front or a
 * proxy that is in trouble. */
#define STRAYS_MAX 3

/* A server that asks for more patience than this is asked again all the same. Microseconds. */
#define PAUSE_MAX (300 * G_USEC_PER_SEC)

struct _BoxTokenCache
{
  /* immutable, but for what the renewing thread keeps in @source */
  char *key;
  BoxTokenSource *source;

  /* with the_keepers.lock */
  guint users;

  GMutex lock;
  GCond changed;
  /* with lock */
  BoxToken *token; /* nullable */
  gboolean token_refused;
  gboolean rotates;      /* a renewal uses up what it asks with: it is not cut short */
  BoxFileStamp stamp;    /* the source's file as last seen */
  gboolean file_changed; /* it should be read again */
  gboolean renewing;     /* the thread is there */
  gboolean abandoned;    /* no users: the thread frees everything */
  guint rounds;          /* renewals that have ended */
  GCancellable *renewal; /* ends the present one */
  gint64 deadline;       /* of the present one */
  GError *failure;       /* of the last renewal; NULL: it succeeded */
  guint strays;          /* such replies since the last other */
  gint64 pause_until;    /* no renewal before, after a failure */
};

static struct
{
  GMutex lock;
  GHashTable *table; /* key → BoxTokenCache, not owned */
} the_keepers;

static void
keeper_free (BoxTokenCache *keeper)
{
  g_free (keeper->key);
  box_token_source_free (keeper->source);
  box_token_free (keeper->token);
  g_clear_object (&keeper->renewal);
  g_clear_error (&keeper->failure);
  g_mutex_clear (&keeper->lock);
  g_cond_clear (&keeper->changed);
  g_free (keeper);
}

static char *
make_key (const BoxTokenSource *source)
{
  char *real = realpath (source->path, NULL);
  char *key =
      g_strdup_printf ("%d %s %s %p %s", (int) source->kind, source->origin, source->token_url,
                       (gpointer) source->transport_config, real != NULL ? real : source->path);

  free (real);
  return key;
}

static BoxTokenCache *
keeper_new (BoxTokenSource *source, const char *key)
{
  BoxTokenCache *keeper = g_new0 (BoxTokenCache, 1);

  keeper->key = g_strdup (key);
  keeper->source = source;
  keeper->rotates = TRUE;
  g_mutex_init (&keeper->lock);
  g_cond_init (&keeper->changed);
  box_file_stamp_take (source->path, &keeper->stamp);
  return keeper;
}

/* Whether a keeper without users has something worth keeping. */
static gboolean
is_worth_keeping (BoxTokenCache *keeper)
{
  gboolean worth;

  g_mutex_lock (&keeper->lock);
  worth = keeper->source->kind == BOX_TOKEN_SOURCE_CONFIG && !keeper->token_refused
          && box_token_state (keeper->token, g_get_monotonic_time (), 0) != BOX_TOKEN_EXPIRED;
  g_mutex_unlock (&keeper->lock);
  return worth;
}

/* Frees a keeper that is in no table any more; its thread does, where it has one. */
static void
dispose (BoxTokenCache *keeper)
{
  g_autoptr (GCancellable) renewal = NULL;
  gboolean renewing;

  g_mutex_lock (&keeper->lock);
  renewing = keeper->renewing;
  keeper->abandoned = TRUE;
  if (renewing && !keeper->rotates)
    renewal = g_object_ref (keeper->renewal);
  g_mutex_unlock (&keeper->lock);

  if (renewal != NULL)
    g_cancellable_cancel (renewal);
  if (!renewing)
    keeper_free (keeper);
}

/* Keepers that were kept for nobody: their tokens have expired. */
static GPtrArray *
take_stale_locked (void)
{
  GPtrArray *stale = g_ptr_array_new_with_free_func ((GDestroyNotify) dispose);
  GHashTableIter iter;
  gpointer keeper;

  g_hash_table_iter_init (&iter, the_keepers.table);
  while (g_hash_table_iter_next (&iter, NULL, &keeper))
    {
      if (((BoxTokenCache *) keeper)->users > 0 || is_worth_keeping (keeper))
        continue;
      g_hash_table_iter_remove (&iter);
      g_ptr_array_add (stale, keeper);
    }
  return stale;
}

/* What was kept belongs to the configuration as it was then. */
static void
take_up (BoxTokenCache *keeper)
{
  BoxFileStamp stamp;

  if (!box_file_stamp_take (keeper->source->path, &stamp))
    return;
  g_mutex_lock (&keeper->lock);
  if (!box_file_stamp_equal (&stamp, &keeper->stamp))
    g_clear_pointer (&keeper->token, box_token_free);
  keeper->stamp = stamp;
  g_mutex_unlock (&keeper->lock);
}

BoxTokenCache *
box_token_cache_get (BoxTokenSource *source)
{
  g_autofree char *key = make_key (source);
  g_autoptr (GPtrArray) stale = NULL;
  BoxTokenCache *keeper;
  gboolean first;

  g_mutex_lock (&the_keepers.lock);
  if (the_keepers.table == NULL)
    the_keepers.table = g_hash_table_new (g_str_hash, g_str_equal);
  stale = take_stale_locked ();
  keeper = g_hash_table_lookup (the_keepers.table, key);
  if (keeper == NULL)
    {
      keeper = keeper_new (g_steal_pointer (&source), key);
      g_hash_table_insert (the_keepers.table, keeper->key, keeper);
    }
  first = keeper->users++ == 0;
  g_mutex_unlock (&the_keepers.lock);

  if (first)
    take_up (keeper);
  box_token_source_free (source);
  return keeper;
}

void
box_token_cache_unref (BoxTokenCache *keeper)
{
  gboolean last;

  g_mutex_lock (&the_keepers.lock);
  last = --keeper->users == 0 && !is_worth_keeping (keeper);
  if (last)
    g_hash_table_remove (the_keepers.table, keeper->key);
  g_mutex_unlock (&the_keepers.lock);
  if (last)
    dispose (keeper);
}

gboolean
box_token_cache_open (BoxTokenCache *keeper, GError **error)
{
  g_autoptr (BoxToken) token = NULL;
  gboolean rotates;

  if (!box_token_source_open (keeper->source, &token, &rotates, error))
    return FALSE;
  g_mutex_lock (&keeper->lock);
  keeper->rotates = rotates;
  if (keeper->token == NULL)
    keeper->token = g_steal_pointer (&token);
  g_mutex_unlock (&keeper->lock);
  return TRUE;
}

gint64
box_token_cache_get_expiry (BoxTokenCache *keeper)
{
  gint64 expires;

  g_mutex_lock (&keeper->lock);
  expires = keeper->token != NULL ? keeper->token->expires : G_MAXINT64;
  g_mutex_unlock (&keeper->lock);
  return expires;
}

/* The present token; NULL where there is none, or Box refused it, or it has expired. */
static const char *
present_locked (BoxTokenCache *keeper, gint64 lasting, BoxTokenState *state)
{
  *state = BOX_TOKEN_EXPIRED;
  if (keeper->token == NULL || keeper->token_refused)
    return NULL;

  *state = box_token_state (keeper->token, g_get_monotonic_time (), lasting);
  if (*state == BOX_TOKEN_EXPIRED)
    return NULL;
  if (keeper->file_changed)
    *state = BOX_TOKEN_SHORT;
  return keeper->token->access;
}

/* Looks whether the source's file has changed. A failure before the change says nothing about what
 * comes after it. */
static void
watch_file (BoxTokenCache *keeper)
{
  const BoxTokenSource *source = keeper->source;
  BoxFileStamp stamp;

  if (source->path == NULL || !box_file_stamp_take (source->path, &stamp))
    return;

  g_mutex_lock (&keeper->lock);
  if (!box_file_stamp_equal (&stamp, &keeper->stamp))
    {
      keeper->stamp = stamp;
      keeper->pause_until = 0;
      keeper->file_changed = source->kind == BOX_TOKEN_SOURCE_FILE;
    }
  g_mutex_unlock (&keeper->lock);
}

/* What one renewal works with: a copy of what it needs, taken under the lock. */
typedef struct
{
  BoxTokenSource *source;
  GCancellable *cancellable;
  char *refused[2]; /* NULL-terminated */
  char *present;    /* to be replaced, though not refused */
} Renewal;

static void
renewal_init_locked (Renewal *renewal, BoxTokenCache *keeper)
{
  *renewal = (Renewal){
    .source = keeper->source,
    .cancellable = g_object_ref (keeper->renewal),
  };
  if (keeper->token != NULL && keeper->token_refused)
    renewal->refused[0] = g_strdup (keeper->token->access);
  else if (keeper->token != NULL)
    renewal->present = g_strdup (keeper->token->access);
}

static void
renewal_clear (Renewal *renewal)
{
  g_clear_object (&renewal->cancellable);
  box_secret_free (renewal->refused[0]);
  box_secret_free (renewal->present);
}

/* Whether a reply with @failure is none of a token endpoint, though it may be there. */
static gboolean
is_stray (const GError *failure)
{
  const BoxErrorDetails *details = box_error_get_details (failure);

  return details->box_code == NULL && (details->http_status == 404 || details->http_status == 405);
}

static void
note_failure_locked (BoxTokenCache *keeper, GError *failure)
{
  gint64 pause =
      MAX (RENEWAL_PAUSE, box_error_get_details (failure)->retry_after * (gint64) G_USEC_PER_SEC);

  g_clear_error (&keeper->failure);
  if (g_error_matches (failure, BOX_ERROR, BOX_ERROR_CANCELLED))
    {
      g_clear_error (&failure);
      failure = g_error_new (BOX_ERROR, BOX_ERROR_TRANSIENT,
                             "The token endpoint has not answered within %d seconds",
                             (gint) (RENEWAL_LIMIT / G_USEC_PER_SEC));
    }
  keeper->strays = is_stray (failure) ? keeper->strays + 1 : 0;
  if (keeper->strays > 0 && keeper->strays < STRAYS_MAX)
    failure->code = BOX_ERROR_TRANSIENT;
  keeper->failure = failure;
  keeper->pause_until = g_get_monotonic_time () + MIN (pause, PAUSE_MAX);
}

static void
install_locked (BoxTokenCache *keeper, BoxToken *token)
{
  box_token_free (keeper->token);
  keeper->token = token;
  keeper->token_refused = FALSE;
  keeper->strays = 0;
  g_clear_error (&keeper->failure);
}

static gpointer
renew_in_thread (gpointer user_data)
{
  BoxTokenCache *keeper = user_data;
  BoxToken *token;
  GError *failure = NULL;
  Renewal renewal;
  gboolean abandoned;

  g_mutex_lock (&keeper->lock);
  renewal_init_locked (&renewal, keeper);
  keeper->file_changed = FALSE;
  g_mutex_unlock (&keeper->lock);

  token = box_token_source_obtain (renewal.source, (const char *const *) renewal.refused,
                                   renewal.present, renewal.cancellable, &failure);

  g_mutex_lock (&keeper->lock);
  if (token != NULL)
    install_locked (keeper, token);
  else
    note_failure_locked (keeper, failure);
  keeper->renewing = FALSE;
  keeper->rounds++;
  abandoned = keeper->abandoned;
  g_cond_broadcast (&keeper->changed);
  g_mutex_unlock (&keeper->lock);

  renewal_clear (&renewal);
  if (abandoned)
    keeper_free (keeper);
  return NULL;
}

static void
begin_renewal_locked (BoxTokenCache *keeper)
{
  g_autoptr (GError) local_error = NULL;
  GThread *thread;

  g_clear_object (&keeper->renewal);
  keeper->renewal = g_cancellable_new ();
  keeper->deadline = g_get_monotonic_time () + RENEWAL_LIMIT;
  keeper->renewing = TRUE;

  thread = g_thread_try_new ("box-token", renew_in_thread, keeper, &local_error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
      return;
    }
  keeper->renewing = FALSE;
  keeper->rounds++;
  note_failure_locked (keeper, g_error_new (BOX_ERROR, BOX_ERROR_TRANSIENT,
                                            "No thread to renew the access token: %s",
                                            local_error->message));
}

/* Waits for the present renewal to end, be it by force. */
static void
await_renewal_locked (BoxTokenCache *keeper, GCancellable *cancellable)
{
  guint round = keeper->rounds;

  while (keeper->rounds == round && keeper->renewing && !g_cancellable_is_cancelled (cancellable))
    {
      g_autoptr (GCancellable) renewal = NULL;

      if (g_cond_wait_until (&keeper->changed, &keeper->lock, keeper->deadline))
        continue;
      /* Once: cancelling is calling out, so the lock is released. */
      keeper->deadline = G_MAXINT64;
      renewal = g_object_ref (keeper->renewal);
      g_mutex_unlock (&keeper->lock);
      g_cancellable_cancel (renewal);
      g_mutex_lock (&keeper->lock);
    }
}

/* The failure that stands, its Retry-After counted from now. */
static GError *
failure_locked (BoxTokenCache *keeper)
{
  const GError *failure = keeper->failure;
  BoxErrorDetails details = *box_error_get_details (failure);
  gint64 left = keeper->pause_until - g_get_monotonic_time ();

  if (details.retry_after >= 0)
    details.retry_after = (gint) (MAX (left, 0) / G_USEC_PER_SEC);
  return box_error_new_with_details ((BoxErrorCode) failure->code, &details, "%s",
                                     failure->message);
}

static char *
take_token_locked (BoxTokenCache *keeper, gint64 lasting, GCancellable *cancellable, GError **error)
{
  gboolean waited = FALSE;

  while (!g_cancellable_is_cancelled (cancellable))
    {
      BoxTokenState state;
      const char *present = present_locked (keeper, lasting, &state);
      gboolean paused = !keeper->renewing && keeper->failure != NULL
                        && g_get_monotonic_time () < keeper->pause_until;

      if (state == BOX_TOKEN_DUE && !keeper->renewing && !paused)
        begin_renewal_locked (keeper);
      if (state <= BOX_TOKEN_DUE || (present != NULL && (waited || paused)))
        return g_strdup (present);
      if (paused || (waited && keeper->failure != NULL))
        {
          g_propagate_error (error, failure_locked (keeper));
          return NULL;
        }
      if (!keeper->renewing)
        begin_renewal_locked (keeper);
      await_renewal_locked (keeper, cancellable);
      waited = TRUE;
    }
  g_set_error (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Cancelled");
  return NULL;
}

char *
box_token_cache_take (BoxTokenCache *keeper, const char *refused, gint64 lasting,
                      GCancellable *cancellable, GError **error)
{
  BoxWakeup wakeup;
  char *token;

  watch_file (keeper);
  box_wakeup_connect (&wakeup, cancellable, &keeper->lock, &keeper->changed);
  g_mutex_lock (&keeper->lock);
  if (keeper->token != NULL && g_strcmp0 (refused, keeper->token->access) == 0)
    keeper->token_refused = TRUE;
  token = take_token_locked (keeper, lasting, cancellable, error);
  g_mutex_unlock (&keeper->lock);
  box_wakeup_disconnect (&wakeup);
  return token;
}
