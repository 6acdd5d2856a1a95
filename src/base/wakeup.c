/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/wakeup.h"

/* Takes the lock, so that the signal cannot fall between a waiter's check and its wait. */
static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  BoxWakeup *wakeup = user_data;

  g_mutex_lock (wakeup->lock);
  g_cond_broadcast (wakeup->cond);
  g_mutex_unlock (wakeup->lock);
}

void
box_wakeup_connect (BoxWakeup *wakeup, GCancellable *cancellable, GMutex *lock, GCond *cond)
{
  wakeup->cancellable = cancellable;
  wakeup->lock = lock;
  wakeup->cond = cond;
  wakeup->id = 0;
  if (cancellable != NULL)
    wakeup->id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), wakeup, NULL);
}

void
box_wakeup_disconnect (BoxWakeup *wakeup)
{
  if (wakeup->cancellable != NULL)
    g_cancellable_disconnect (wakeup->cancellable, wakeup->id);
}
