/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuRequestLog: every request that came, and what became of it; lets tests wait for requests
 * instead of sleeping.
 */
#pragma once

#include "emulator/base/views.h"

G_BEGIN_DECLS

typedef struct _EmuRequestLog EmuRequestLog;

EmuRequestLog *emu_request_log_new (void);
void emu_request_log_free (EmuRequestLog *log);

/* Takes @request (but copies its headers), sets its number and time, and returns the number. */
guint emu_request_log_begin (EmuRequestLog *log, BoxEmulatorRequest *request);

void emu_request_log_add_body (EmuRequestLog *log, guint number, gsize bytes);
void emu_request_log_set_fault (EmuRequestLog *log, guint number, const char *fault);

/* Before the reply's first byte leaves, so that a client that has it finds it here. */
void emu_request_log_answer (EmuRequestLog *log, guint number, guint status);

/* Outcome of a request that was done after it was answered. */
void emu_request_log_set_late (EmuRequestLog *log, guint number, guint status);
void emu_request_log_end (EmuRequestLog *log, guint number, gboolean aborted);

GPtrArray *emu_request_log_get (EmuRequestLog *log, const char *route);

/* @status 0: with any or none; @done: only those that are done. */
guint emu_request_log_count (EmuRequestLog *log, const char *route, guint status, gboolean done);
guint emu_request_log_count_parallel (EmuRequestLog *log, const char *route);
gboolean emu_request_log_wait (EmuRequestLog *log, const char *route, gboolean done, guint n,
                               guint timeout_ms);
gboolean emu_request_log_wait_bytes (EmuRequestLog *log, guint64 bytes, guint timeout_ms);

G_END_DECLS
