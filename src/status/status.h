/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The daemon, seen: BoxStatusView, the numbers; their text for Prometheus; and BoxStatusServer,
 * which shows them over HTTP.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "api/client.h"
#include "spool/spool.h"

G_BEGIN_DECLS

/*
 * BoxStatusView: what is in a spool and how safe it is, as numbers for people and machines: which
 * recordings there are, how much of each is at Box, since when bytes wait, how fast they come and
 * leave, when the disk will be full. It reads the journals, so that it sees what other processes
 * record and upload, too; a journal that has not changed is not read again.
 *
 * Threads: any; calls take turns.
 */

typedef struct _BoxStatusView BoxStatusView;

/* @path: of @spool, as the file system has it. @client: (nullable): its files' links are shown. */
BoxStatusView *box_status_view_new (BoxSpool *spool, const char *path, BoxClient *client);
BoxStatusView *box_status_view_ref (BoxStatusView *view);
void box_status_view_unref (BoxStatusView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxStatusView, box_status_view_unref)

/* What this process does: @name (of a recording) is at work, or not any more. */
void box_status_view_set_working (BoxStatusView *view, const char *name, gboolean working);

/* Box has @file, that of @name, since now. */
void box_status_view_note_commit (BoxStatusView *view, const char *name, const BoxFile *file);

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

/* Looks likewise. The number changes whenever box_status_view_to_json() would say something else
 * than another time, or a little more or less room on the disk. */
guint box_status_view_get_version (BoxStatusView *view);

/* The sums with all recordings, as docs/watch.md describes /api/status. Free with
 * json_node_unref(). */
JsonNode *box_status_view_to_json (BoxStatusView *view);

/* The sums of @view, and this process's requests, as Prometheus reads them: text exposition format
 * 0.0.4. No label has the name of a file. Free with g_free(). */
char *box_status_metrics_format (BoxStatusView *view);

/* libsoup's. */
typedef struct _SoupMessageHeaders SoupMessageHeaders;

/* What a request with @headers is worth to a server at a @loopback address, or with a @token
 * (nullable): HTTP's 200, or the status that refuses it. */
guint box_status_admit (SoupMessageHeaders *headers, const char *method, gboolean loopback,
                        const char *token);

/*
 * BoxStatusServer: shows a BoxStatusView over HTTP: a page for people ("/"), the same as JSON
 * ("/api/status"), live ("/api/events", server-sent events), and for Prometheus ("/metrics"). It
 * only reads. It has a thread of its own, so that no upload waits for a browser.
 *
 * Any web page in a browser on this machine can send requests to a loopback address. So a request
 * must name that address (or "localhost") as its host, which a foreign name that points here does
 * not. At any other address a token is needed.
 */

typedef struct _BoxStatusServer BoxStatusServer;

/**
 * box_status_server_new:
 * @address: ADDRESS:PORT, "[::1]:8080", or PORT alone: of 127.0.0.1. Port 0: the system picks one.
 * @token: (nullable): needed for every request, as a bearer token or the password of HTTP's Basic.
 *
 * BOX_ERROR_SETTINGS: the address makes no sense, cannot be listened at, or is not a loopback one
 * and there is no token.
 */
BoxStatusServer *
box_status_server_new (BoxStatusView *view, const char *address, const char *token, GError **error);
void box_status_server_free (BoxStatusServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BoxStatusServer, box_status_server_free)

/* "http://127.0.0.1:8080/"; owned by @server. */
const char *box_status_server_get_url (BoxStatusServer *server);

G_END_DECLS
