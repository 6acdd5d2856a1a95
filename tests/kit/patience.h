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

/* Waits until @condition holds, of which nobody tells; fails the test if it never does. Looks at it
 * every millisecond: what tells is waited for with a GCond or a GMainLoop. */
#define KIT_AWAIT(condition)                                                                       \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 kit_deadline = g_get_monotonic_time () + KIT_PATIENCE_US;                               \
                                                                                                   \
    while (!(condition))                                                                           \
      {                                                                                            \
        if (g_get_monotonic_time () > kit_deadline)                                                \
          g_error ("%s: waited in vain for: %s", G_STRLOC, #condition);                            \
        g_usleep (1000);                                                                           \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END
