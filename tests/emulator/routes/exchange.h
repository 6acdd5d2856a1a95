/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exchanges on one connection: request after request is read, handed to its route, and
 * answered.
 */
#pragma once

#include "emulator/http/connection.h"
#include "emulator/routes/world.h"

G_BEGIN_DECLS

/* Returns when the connection has ended. */
void emu_exchange_serve (EmuWorld *world, EmuConnection *connection);

G_END_DECLS
