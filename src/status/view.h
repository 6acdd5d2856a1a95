/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxStatusView: what is in a spool and how safe it is, as numbers for people and machines: which
 * recordings there are, how much of each is at Box, since when bytes wait, how fast they come and
 * leave, when the disk will be full. It reads the journals, so that it sees what other processes
 * record and upload, too; a journal that has not changed is not read again.
 *
 * Threads: any; calls take turns.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "spool/spool.h"

G_BEGIN_DECLS

typedef struct _BoxStatusView BoxStatusView;

/* @path: of @spool, as the file system has it. */
BoxStatusView *box_status_view_new (BoxSpool *spool, const char *path);
BoxStatusView *box_status_view_ref (BoxStatusView *view);
void box_status_view_unref (BoxStatusView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxStatusView, box_status_view_unref)

/* What this process does: @name (of a recording) is at work, or not any more. */
void box_status_view_set_working (BoxStatusView *view, const char *name, gboolean working);

/* Box has the file of @name, of @size bytes, since now. */
void box_status_view_note_commit (BoxStatusView *view, const char *name, guint64 size);

/* @name failed with @message, one line; another attempt follows after @wait seconds. */
void box_status_view_note_failure (BoxStatusView *view, const char *name, const char *message,
                                   guint wait);

/* The sums. Times are Unix time, durations seconds, rates bytes per second. */
typedef struct
{
  guint recordings;     /* that are not known to be at Box */
  guint working;        /* of them, at work in this process */
  guint recording;      /* of them, still being written or uploaded by another process */
  guint failed;         /* of them, whose last attempt failed */
  guint unreadable;     /* whose journal is damaged */
  guint unsettled;      /* that are at Box without their metadata; safe */
  guint64 backlog;      /* bytes that Box does not have */
  gint64 oldest_unsafe; /* since when the oldest of them waits; 0: all are at Box */
  gint64 outage_since;  /* since when Box serves no request of this process although some of them
                         * wait; 0: it does */
  guint64 spool_bytes;  /* in the spool */
  guint64 free_bytes;   /* left on its disk */
  gint64 full_in;       /* at today's rates, if the recordings that run go on; -1: never */
  double fill_rate;     /* recorded */
  double drain_rate;    /* uploaded, by whomever */
  guint64 uploaded;     /* bytes since the start */
  guint64 commits;      /* of this process, since its start */
  guint64 failures;     /* likewise */
  gint64 last_commit;   /* 0: none yet */
  gint64 started;
} BoxStatusSums;

/* Looks, unless that was done within the last second. */
void box_status_view_get_sums (BoxStatusView *view, BoxStatusSums *sums);

/* The same with all recordings, as docs/watch.md describes /api/status. Free with
 * json_node_unref(). */
JsonNode *box_status_view_to_json (BoxStatusView *view);

G_END_DECLS
