/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuWorld: what all requests share. Its members lock themselves.
 */
#pragma once

#include "emulator/base/clock.h"
#include "emulator/box/rate.h"
#include "emulator/box/sessions.h"
#include "emulator/box/store.h"
#include "emulator/box/tokens.h"
#include "emulator/http/request-log.h"
#include "emulator/scenario/scenario.h"

G_BEGIN_DECLS

typedef struct
{
  char *dir;
  char *key; /* signs the addresses of downloads */
  guint64 part_size;
  guint64 max_size;
  guint64 quota;
  guint retry_after; /* s */
  gboolean late_expiry;
  EmuClock clock;
  EmuRate rate;
  EmuRequestLog *journal;
  EmuScenario *scenario;
  EmuStore *store;
  EmuSessions *sessions;
  EmuTokens *tokens;
} EmuWorld;

G_END_DECLS
