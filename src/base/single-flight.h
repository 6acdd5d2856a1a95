/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxSingleFlight: questions that many threads have at the same time. The first thread asks; those
 * that come meanwhile wait for its answer; those that come later get it from memory, if it is one
 * to keep. A static variable needs no more than its two public fields:
 *
 *   static BoxSingleFlight the_answers = { .max_kept = 64, .clear_answer = clear };
 */
#pragma once

#include <gio/gio.h>

#include "base/error.h"

G_BEGIN_DECLS

typedef struct
{
  /* Immutable. */
  guint max_kept;              /* answers that are kept; one more, and all are forgotten */
  GDestroyNotify clear_answer; /* (nullable): frees what an answer has, not the answer */

  GMutex lock;
  GCond changed;     /* an answer has come, or a waiting thread was cancelled */
  GHashTable *table; /* with lock; key to flight: under way, or with an answer that is kept */
  guint n_waiting;   /* with lock; threads that wait for the answer of another one */
} BoxSingleFlight;

/**
 * BoxQuestion:
 * @ask: finds the answer, however long that takes. Returns a block of g_atomic_rc_box_new(), never
 *   NULL: a failure is an answer, too. It is kept for those who come later if @keep is set to TRUE.
 * @accepts: whether the answer of another thread, or a kept one, is an answer to this caller.
 *   Called with a lock: it only looks.
 * @user_data: for both.
 */
typedef struct
{
  gpointer (*ask) (gboolean *keep, gpointer user_data);
  gboolean (*accepts) (gconstpointer answer, gpointer user_data);
  gpointer user_data;
} BoxQuestion;

/**
 * box_single_flight_ask:
 * @key: the same for all who may share an answer.
 * @kept: (out) (nullable): whether the answer was a kept one.
 * @cancellable: (nullable): ends the wait for another thread. Asking is for @question to end.
 *
 * The answer, as a reference; free with box_single_flight_unref(). A thread that does not accept
 * what another one was answered asks next; the rest wait for it. NULL: BOX_ERROR_CANCELLED.
 */
gpointer box_single_flight_ask (BoxSingleFlight *self, const char *key, const BoxQuestion *question,
                                gboolean *kept, GCancellable *cancellable, GError **error);

/* Forgets the answer that is kept for @key, and returns it; NULL: nothing is kept. Does not touch a
 * question that is under way. Free with box_single_flight_unref(). */
gpointer box_single_flight_forget (BoxSingleFlight *self, const char *key);

/* @answer may be NULL. */
void box_single_flight_unref (BoxSingleFlight *self, gpointer answer);

G_END_DECLS
