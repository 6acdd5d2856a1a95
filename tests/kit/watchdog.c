/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/watchdog.h"

#include "kit/patience.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SECONDS (3 * KIT_PATIENCE)

static void
on_alarm (int signal_number)
{
  static const char text[] = "Bail out! The watchdog: this test took too long\n";

  if (write (STDOUT_FILENO, text, sizeof text - 1) < 0)
    _exit (99);
  abort ();
}

void
kit_watchdog_start (void)
{
  signal (SIGALRM, on_alarm);
  alarm (SECONDS);
}

void
kit_watchdog_stop (void)
{
  alarm (0);
}
