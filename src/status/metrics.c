/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status/status.h"

#include "api/client.h"

#include <math.h>

typedef enum
{
  GAUGE,
  COUNTER,
} Type;

static void
head (GString *text, const char *name, Type type, const char *help)
{
  g_string_append_printf (text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                          type == GAUGE ? "gauge" : "counter");
}

static void
add (GString *text, const char *name, Type type, const char *help, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  head (text, name, type, help);
  g_string_append_printf (text, "%s %s\n", name,
                          isinf (value) ? "+Inf"
                                        : g_ascii_formatd (number, sizeof number, "%.16g", value));
}

static void
add_requests (const char *request, const char *status_class, guint64 n, gpointer user_data)
{
  g_string_append_printf (user_data,
                          "boxupload_requests_total{request=\"%s\",status_class=\"%s\"} "
                          "%" G_GUINT64_FORMAT "\n",
                          request, status_class, n);
}

/* Recordings by state; their names are nobody's label. */
static void
add_recordings (GString *text, const BoxStatusSums *sums)
{
  const struct
  {
    const char *state;
    guint n;
  } states[] = {
    { "uploading", sums->working },   { "recording", sums->recording },
    { "failed", sums->failed },       { "unreadable", sums->unreadable },
    { "unsettled", sums->unsettled },
  };

  head (text, "boxupload_recordings_in_state", GAUGE,
        "Recordings in the spool that are in a state; one may be in several.");
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    g_string_append_printf (text, "boxupload_recordings_in_state{state=\"%s\"} %u\n",
                            states[i].state, states[i].n);
}

char *
box_status_metrics_format (BoxStatusView *view)
{
  GString *text = g_string_new (NULL);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  BoxStatusSums sums;

  box_status_view_get_sums (view, &sums);
  head (text, "boxupload_build_info", GAUGE, "Version of boxupload; the value is 1.");
  g_string_append (text, "boxupload_build_info{version=\"" BOX_VERSION "\"} 1\n");
  add (text, "boxupload_start_time_seconds", GAUGE, "When the process started, Unix time.",
       (double) sums.started);
  add (text, "boxupload_recordings", GAUGE, "Recordings in the spool that Box does not have.",
       sums.recordings);
  add_recordings (text, &sums);
  add (text, "boxupload_backlog_bytes", GAUGE, "Bytes in the spool that Box does not have.",
       (double) sums.backlog);
  add (text, "boxupload_oldest_unsent_seconds", GAUGE,
       "Age of the oldest byte that Box does not have; 0 if Box has all.",
       sums.oldest_unsafe > 0 ? (double) MAX (now - sums.oldest_unsafe, 0) : 0);
  add (text, "boxupload_outage_seconds", GAUGE,
       "How long Box has served no request while bytes wait; 0 if it serves them.",
       sums.outage_since > 0 ? (double) MAX (now - sums.outage_since, 0) : 0);
  add (text, "boxupload_spool_full_in_seconds", GAUGE,
       "When the disk of the spool will be full at today's rates; +Inf: never.",
       sums.full_in >= 0 ? (double) sums.full_in : INFINITY);
  add (text, "boxupload_spool_bytes", GAUGE, "Bytes in the spool.", (double) sums.spool_bytes);
  add (text, "boxupload_spool_free_bytes", GAUGE, "Bytes that are free on the disk of the spool.",
       (double) sums.free_bytes);
  add (text, "boxupload_fill_rate_bytes_per_second", GAUGE, "Bytes that are recorded.",
       sums.fill_rate);
  add (text, "boxupload_drain_rate_bytes_per_second", GAUGE, "Bytes that reach Box.",
       sums.drain_rate);
  add (text, "boxupload_uploaded_bytes_total", COUNTER,
       "Bytes of the spool that have reached Box since the start.", (double) sums.uploaded);
  add (text, "boxupload_commits_total", COUNTER, "Recordings that this process has finished.",
       (double) sums.commits);
  add (text, "boxupload_failures_total", COUNTER, "Attempts of this process that have failed.",
       (double) sums.failures);
  add (text, "boxupload_last_commit_timestamp_seconds", GAUGE,
       "When this process last finished a recording, Unix time; 0 if it has not.",
       (double) sums.last_commit);
  head (text, "boxupload_requests_total", COUNTER, "Requests of this process to Box.");
  box_traffic_visit (add_requests, text);
  return g_string_free (text, FALSE);
}
