/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ends a test that hangs. No test takes nearly as long on any machine; tests that measure time use
 * their own clock.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sanitizers take memory and time of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KIT_SANITIZED TRUE
#else
#define KIT_SANITIZED FALSE
#endif

/* Aborts the program, with a line that says why, unless kit_watchdog_stop() comes first. Its
 * children have none. */
void kit_watchdog_start (void);
void kit_watchdog_stop (void);

G_END_DECLS
