/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxProxyMemory: what the process remembers of each proxy with its user and password: whether they
 * are taken at once, and how often they were refused. A password that was refused twice in a row
 * rests for ten minutes: directories lock an account after a few wrong ones. Thread-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How often a password is offered: a second time if a nonce was stale, the scheme another, or the
 * connection lost. */
#define BOX_PROXY_MAX_OFFERS 2

/* @uri, in all of them: of the proxy, with its user and password. */
void box_proxy_memory_refused (GUri *uri);
void box_proxy_memory_accepted (GUri *uri, gboolean as_basic);

/* Whether Basic was taken before, so that it can be offered without being asked. */
gboolean box_proxy_memory_wants_basic (GUri *uri);

/* How often the password was refused, if it must not be offered now; else 0. */
guint box_proxy_memory_rests (GUri *uri);

/* For tests: forgets everything. */
void box_proxy_memory_forget (void);

G_END_DECLS
