/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EmuWorld: what all requests share. Its members lock themselves.
 */
#pragma once

#include "emulator/base/clock.h"
#include "emulator/box/limits.h"
#include "emulator/box/profile.h"
#include "emulator/box/rate.h"
#include "emulator/box/sessions.h"
#include "emulator/box/store.h"
#include "emulator/box/tokens.h"
#include "emulator/http/request-log.h"
#include "emulator/scenario/scenario.h"

G_BEGIN_DECLS

typedef struct _EmuLateCalls EmuLateCalls; /* routes/late.h */

typedef struct
{
  char *dir;
  char *key; /* signs the addresses of downloads */
  guint64 part_size;
  guint64 max_size;
  guint64 quota;
  guint retry_after; /* s */
  gboolean late_expiry;
  gboolean session_conflicts; /* a session like one that is open is refused */
  char *upload_host; /* in the URLs of sessions and preflights; NULL: the one that was called */
  EmuProfile *profile;
  EmuClock clock;
  EmuRate rate;
  EmuLimits limits;
  EmuRequestLog *log;
  EmuScenario *scenario;
  EmuStore *store;
  EmuSessions *sessions;
  EmuTokens *tokens;
  EmuLateCalls *late;
} EmuWorld;

G_END_DECLS
