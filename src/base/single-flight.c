/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/single-flight.h"

#include "base/retry.h"

/* One time that a question is asked. */
typedef struct
{
  BoxSingleFlight *owner;
  guint refs;      /* with the owner's lock, as all */
  gpointer answer; /* NULL: under way */
} Flight;

static void
flight_unref_locked (gpointer data)
{
  Flight *flight = data;

  if (--flight->refs > 0)
    return;
  box_single_flight_unref (flight->owner, flight->answer);
  g_free (flight);
}

static gboolean
is_answered (gpointer key, gpointer value, gpointer user_data)
{
  return ((Flight *) value)->answer != NULL;
}

static Flight *
begin_locked (BoxSingleFlight *self, const char *key)
{
  Flight *flight = g_new0 (Flight, 1);

  if (g_hash_table_size (self->table) >= self->max_kept)
    g_hash_table_foreach_remove (self->table, is_answered, NULL);
  flight->owner = self;
  flight->refs = 1;
  g_hash_table_insert (self->table, g_strdup (key), flight);
  return flight;
}

/* The flight for @key, as a reference; @ours: the caller has to ask. */
static Flight *
join_locked (BoxSingleFlight *self, const char *key, const BoxQuestion *question, gboolean *ours)
{
  Flight *flight;

  if (self->table == NULL)
    self->table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, flight_unref_locked);
  flight = g_hash_table_lookup (self->table, key);
  *ours = flight == NULL
          || (flight->answer != NULL && !question->accepts (flight->answer, question->user_data));
  if (*ours)
    {
      g_hash_table_remove (self->table, key);
      flight = begin_locked (self, key);
    }
  flight->refs++;
  return flight;
}

/* Waits for the answer of another thread's @flight. FALSE: @cancellable came first. */
static gboolean
await_locked (BoxSingleFlight *self, const Flight *flight, GCancellable *cancellable)
{
  self->n_waiting++;
  while (flight->answer == NULL && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&self->changed, &self->lock);
  self->n_waiting--;
  return flight->answer != NULL;
}

/* Asks, and answers those that wait. Takes the reference of @flight. */
static gpointer
conclude (BoxSingleFlight *self, const char *key, const BoxQuestion *question, Flight *flight)
{
  gboolean keep = FALSE;
  gpointer answer = question->ask (&keep, question->user_data);

  g_mutex_lock (&self->lock);
  flight->answer = g_atomic_rc_box_acquire (answer);
  if (!keep)
    g_hash_table_remove (self->table, key);
  flight_unref_locked (flight);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return answer;
}

/* What somebody else asked, as a reference. NULL: nothing that is accepted before @cancellable;
 * @ours (a reference): it is the caller's turn to ask. */
static gpointer
share_locked (BoxSingleFlight *self, const char *key, const BoxQuestion *question, gboolean *kept,
              GCancellable *cancellable, Flight **ours)
{
  gpointer answer = NULL;
  gboolean go_on = TRUE;

  while (go_on && answer == NULL)
    {
      gboolean is_ours;
      Flight *flight = join_locked (self, key, question, &is_ours);

      *kept = !is_ours && flight->answer != NULL;
      if (is_ours)
        {
          *ours = flight;
          return NULL;
        }
      go_on = await_locked (self, flight, cancellable);
      if (go_on && question->accepts (flight->answer, question->user_data))
        answer = g_atomic_rc_box_acquire (flight->answer);
      flight_unref_locked (flight);
    }
  return answer;
}

gpointer
box_single_flight_ask (BoxSingleFlight *self, const char *key, const BoxQuestion *question,
                       gboolean *kept, GCancellable *cancellable, GError **error)
{
  Flight *ours = NULL;
  gboolean was_kept;
  BoxWakeup wakeup;
  gpointer answer;

  box_wakeup_connect (&wakeup, cancellable, &self->lock, &self->changed);
  g_mutex_lock (&self->lock);
  answer = share_locked (self, key, question, &was_kept, cancellable, &ours);
  g_mutex_unlock (&self->lock);
  box_wakeup_disconnect (&wakeup);
  if (ours != NULL)
    answer = conclude (self, key, question, ours);
  if (answer == NULL)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "cancelled");
  if (kept != NULL)
    *kept = was_kept;
  return answer;
}

gpointer
box_single_flight_forget (BoxSingleFlight *self, const char *key)
{
  Flight *flight;
  gpointer answer = NULL;

  g_mutex_lock (&self->lock);
  flight = self->table != NULL ? g_hash_table_lookup (self->table, key) : NULL;
  if (flight != NULL && flight->answer != NULL)
    {
      answer = g_atomic_rc_box_acquire (flight->answer);
      g_hash_table_remove (self->table, key);
    }
  g_mutex_unlock (&self->lock);
  return answer;
}

void
box_single_flight_unref (BoxSingleFlight *self, gpointer answer)
{
  if (answer != NULL && self->clear_answer != NULL)
    g_atomic_rc_box_release_full (answer, self->clear_answer);
  else if (answer != NULL)
    g_atomic_rc_box_release (answer);
}
