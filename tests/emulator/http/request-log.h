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
void emu_request_log_free (EmuRequestLog *journal);

/* Takes @request (but copies its headers), sets its number and time, and returns the number. */
guint emu_request_log_begin (EmuRequestLog *journal, BoxEmulatorRequest *request);

void emu_request_log_add_body (EmuRequestLog *journal, guint number, gsize bytes);
void emu_request_log_set_fault (EmuRequestLog *journal, guint number, const char *fault);

/* Before the reply's first byte leaves, so that a client that has it finds it here. */
void emu_request_log_answer (EmuRequestLog *journal, guint number, guint status);

/* Outcome of a request that was done after it was answered. */
void emu_request_log_set_late (EmuRequestLog *journal, guint number, guint status);
void emu_request_log_end (EmuRequestLog *journal, guint number, gboolean aborted);

GPtrArray *emu_request_log_get (EmuRequestLog *journal, const char *route);

/* @status 0: with any or none; @done: only those that are done. */
guint
emu_request_log_count (EmuRequestLog *journal, const char *route, guint status, gboolean done);
guint emu_request_log_count_parallel (EmuRequestLog *journal, const char *route);
gboolean emu_request_log_wait (EmuRequestLog *journal, const char *route, gboolean done, guint n,
                               guint timeout_ms);
gboolean emu_request_log_wait_bytes (EmuRequestLog *journal, guint64 bytes, guint timeout_ms);

G_END_DECLS
