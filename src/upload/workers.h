/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process's workers: threads that carry out the steps of all uploads, so that a hundred uploads
 * do not mean hundreds of threads. At most 32 (environment BOXUPLOAD_WORKERS, 1 to 256), made when
 * there is work, ended after 15 idle seconds; each owns a BoxTransport.
 *
 * Threads share one lock, the workers' (box_workers_lock()). It guards the list of tasks and the
 * shared state of every upload. It is held for decisions only, never for I/O, hashing or calls out,
 * so that it is free whatever the number of uploads.
 */
#pragma once

#include "http/transport.h"

G_BEGIN_DECLS

typedef struct _BoxTask BoxTask;

/* Who goes first when several steps are possible. */
typedef enum
{
  BOX_RANK_CONTROL, /* short, and much depends on it: open, commit */
  BOX_RANK_LIVE,    /* bytes of a recording that is being made, or that are only in memory */
  BOX_RANK_PADDING, /* what such a recording gets behind its end */
  BOX_RANK_BACKLOG, /* bytes of a file that is complete on a disk here */
} BoxRank;

typedef struct
{
  BoxRank rank;
  gint64 since; /* age of what waits: when the step became possible, or the file was begun */
  guint64 size; /* of the file */
} BoxTurn;

/* Whether @a goes before @b: by rank, then the older one, and of those of about the same age the
 * one of the smaller file. Pure. */
gboolean box_turn_precedes (const BoxTurn *a, const BoxTurn *b);

/* The workers' interface to an upload. Functions that end in _locked are called with the lock. */
typedef struct
{
  /* Whether the task has a step that could begin at @now: TRUE with its @turn; else FALSE with
   * @wake_at, when to ask again (G_MAXINT64: not before box_workers_wake_locked()). */
  gboolean (*ready_locked) (BoxTask *task, gint64 now, BoxTurn *turn, gint64 *wake_at);
  /* Takes the step and carries it out, releasing the lock while it does. FALSE: the task is over,
   * and is dropped. */
  gboolean (*run_locked) (BoxTask *task, BoxTransport *transport, gint64 now);
  void (*ref) (BoxTask *task);
  /* Called without the lock. */
  void (*unref) (BoxTask *task);
} BoxTaskClass;

/* Embedded in the upload; the workers hold a reference while it is on their list. */
struct _BoxTask
{
  const BoxTaskClass *klass;
  gboolean listed; /* with the lock */
};

/* The one lock of uploads and workers. */
GMutex *box_workers_lock (void);

/* Adds @task and wakes a worker for it. There is at least one worker until the task is dropped.
 * BOX_ERROR_SPACE: there is no worker, and the system has no thread or no descriptors for one;
 * @task was not added. */
gboolean box_workers_add_locked (BoxTask *task, GError **error);

/* Something changed that may have made a step of @task possible. */
void box_workers_wake_locked (BoxTask *task);

/* Called by run_locked after it has taken its step, before it releases the lock: another worker
 * takes the next step, so that steps run at the same time. And by anybody after a change that may
 * have made a step of any task possible. */
void box_workers_continue_locked (void);

/* Workers at most. */
guint box_workers_get_max_locked (void);

/* For tests: threads that exist now. */
guint box_workers_count (void);

/* For tests: microseconds after which a worker without work ends. */
void box_workers_set_idle_time (gint64 idle_time);

G_END_DECLS
