/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often this process has asked Box for what, and how Box answered: counters for monitoring.
 * Any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A request to @url was answered with @status; 0: it got no answer. @cancelled: because nobody
 * waited for it any more. */
void box_traffic_count (const char *method, const char *url, guint status, gboolean cancelled);

/* Since when Box has answered no request, or only that it cannot serve (5xx); Unix time. 0: it
 * served the last one, or none was sent. */
gint64 box_traffic_get_outage (void);

/* @request: "part", "commit", …; @status_class: "2xx" to "5xx", or "none". */
typedef void (*BoxTrafficVisitor) (const char *request, const char *status_class, guint64 n,
                                   gpointer user_data);

/* Calls @visit for each counter that is not zero. */
void box_traffic_visit (BoxTrafficVisitor visit, gpointer user_data);

G_END_DECLS
