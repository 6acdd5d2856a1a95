/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BenchSessions: the upload sessions of the benchmarks' server: their sizes, and which parts came.
 * Bytes and digests are not kept: a reply repeats the digest that the client sent. All functions
 * may be called from any thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _BenchSessions BenchSessions;

BenchSessions *bench_sessions_new (guint64 part_size);

/* The new session's number, from 1. */
guint bench_sessions_add (BenchSessions *sessions, const char *name, guint64 size);

/* JSON of a session, its endpoints below @base ("https://host/api/2.0"); NULL if there is no such
 * session. */
char *bench_sessions_describe (BenchSessions *sessions, guint number, const char *base);

/* Notes a part and tells it as JSON; NULL: there is no such session. @sha1: hex. */
char *bench_sessions_store_part (BenchSessions *sessions, guint number, guint64 offset,
                                 guint64 size, const char *sha1);

/* A page of the parts that came. */
char *bench_sessions_list (BenchSessions *sessions, guint number, guint offset, guint limit);

/* JSON of the file that the session becomes; NULL: there is no such session, or parts lack. */
char *bench_sessions_commit (BenchSessions *sessions, guint number, const char *sha1);

void bench_sessions_remove (BenchSessions *sessions, guint number);

/* JSON of a file that was not uploaded in parts. */
char *bench_sessions_describe_file (const char *name, guint64 size, const char *sha1);

G_END_DECLS
