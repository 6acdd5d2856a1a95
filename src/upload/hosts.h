/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxHost: what the uploads of this process share because they go to the same host: the number of
 * parts that are sent at a time (upload/flow.h). A host that nobody uploads to any more is
 * remembered, so that the next file begins with what the last one has learnt.
 *
 * Functions are called with the workers' lock held.
 */
#pragma once

#include "upload/flow.h"

G_BEGIN_DECLS

typedef struct
{
  /* immutable */
  char *name;

  /* with the lock */
  guint n_users;
  gint64 used; /* monotonic, when the last user left */
  BoxFlow flow;
} BoxHost;

/* The host of @endpoint, a URL. */
BoxHost *box_host_take_locked (const char *endpoint);
void box_host_give_back_locked (BoxHost *host);

/* For tests: hosts that are known. */
guint box_host_count_locked (void);

G_END_DECLS
