/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkPreflight: asks Box, while a recording begins, whether it would take the file
 * that comes of it: a wrong folder, a taken name or a refused token is then known before hours were
 * recorded. No network is no reason not to record. In a thread of its own.
 */
#pragma once

#include "config.h"
#include "reporter.h"

G_BEGIN_DECLS

typedef struct _SinkPreflight SinkPreflight;

/* Begins; a definite no is told to @reporter as the failure. Keeps @reporter; @plan has to outlive
 * it. */
SinkPreflight *sink_preflight_new (const SinkConfig *plan, SinkReporter *reporter);

/* Stops it, at once. */
void sink_preflight_free (SinkPreflight *self);

G_END_DECLS
