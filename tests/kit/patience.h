/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long a test waits for what must happen. It ends a test that hangs, and measures nothing: no
 * machine is so slow or so busy that it takes as long. A test that measures uses a clock.
 */
#pragma once

#include <glib.h>

/* Seconds, milliseconds, microseconds. */
#define KIT_PATIENCE    300
#define KIT_PATIENCE_MS (KIT_PATIENCE * 1000)
#define KIT_PATIENCE_US (KIT_PATIENCE * (gint64) G_USEC_PER_SEC)
