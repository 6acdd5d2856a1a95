/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One rule of a scenario: parsed from JSON, and whether it strikes a request. Pure.
 */
#pragma once

#include "emulator/scenario/scenario.h"

G_BEGIN_DECLS

/* NULL with @error naming the member that is wrong. */
EmuRule *emu_rule_parse (JsonObject *object, GError **error);
void emu_rule_free (EmuRule *rule);

gboolean emu_rule_matches (const EmuRule *rule, const EmuMatch *match);

/* Whether it strikes the @n-th (from 1) request that matches. */
gboolean emu_rule_strikes (const EmuRule *rule, guint64 n);

G_END_DECLS
