/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuJournal: every request that came, and what became of it; lets tests wait for requests instead
 * of sleeping.
 */
#pragma once

#include "emulator/box-emulator.h"

G_BEGIN_DECLS

typedef struct _EmuJournal EmuJournal;

EmuJournal *emu_journal_new (void);
void emu_journal_free (EmuJournal *journal);

/* Takes @request (but copies its headers), sets its number and time, and returns the number. */
guint emu_journal_begin (EmuJournal *journal, BoxEmulatorRequest *request);

void emu_journal_add_body (EmuJournal *journal, guint number, gsize bytes);
void emu_journal_set_fault (EmuJournal *journal, guint number, const char *fault);

/* Before the reply's first byte leaves, so that a client that has it finds it here. */
void emu_journal_answer (EmuJournal *journal, guint number, guint status);
void emu_journal_end (EmuJournal *journal, guint number, gboolean aborted);

GPtrArray *emu_journal_get (EmuJournal *journal, const char *route);

/* @status 0: with any or none; @done: only those that are done. */
guint emu_journal_count (EmuJournal *journal, const char *route, guint status, gboolean done);
guint emu_journal_count_parallel (EmuJournal *journal, const char *route);
gboolean
emu_journal_wait (EmuJournal *journal, const char *route, gboolean done, guint n, guint timeout_ms);
gboolean emu_journal_wait_bytes (EmuJournal *journal, guint64 bytes, guint timeout_ms);

G_END_DECLS
