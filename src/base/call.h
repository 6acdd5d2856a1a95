/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxCall: repeats a call while its failures are transient, with the waits of base/retry.h. For
 * callers that wait in their own thread: the command line, recovery. The engine of uploads does not
 * wait like this, it schedules.
 */
#pragma once

#include <gio/gio.h>

#include "base/error.h"

G_BEGIN_DECLS

/* One attempt: FALSE exactly when @error is set, in the domain BOX_ERROR. */
typedef gboolean (*BoxCallFunc) (gpointer user_data, GCancellable *cancellable, GError **error);

/**
 * BoxCallPolicy:
 * @timeout: seconds after the first failure in which new attempts begin; 0: for ever.
 * @retrying: (nullable): told before each wait; @delay in microseconds.
 * @user_data: for @retrying.
 */
typedef struct
{
  guint timeout;
  void (*retrying) (guint attempt, gint64 delay, const GError *reason, gpointer user_data);
  gpointer user_data;
} BoxCallPolicy;

/* Calls @function until it succeeds, fails for good, or @policy ends it; @error is the last
 * attempt's, or CANCELLED. */
gboolean box_call (const BoxCallPolicy *policy, BoxCallFunc function, gpointer user_data,
                   GCancellable *cancellable, GError **error);

/* Waits @delay microseconds; FALSE with BOX_ERROR_CANCELLED as soon as @cancellable (nullable) is
 * cancelled. */
gboolean box_call_sleep (gint64 delay, GCancellable *cancellable, GError **error);

G_END_DECLS
