/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPreflight: asks Box, while a recording begins, whether it would take the file; in a thread of
 * its own. Whatever can pass is not reported.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

typedef struct _BoxPreflight BoxPreflight;

/* Begins. @refused is called at most once, from another thread, with what Box, or somebody in its
 * place, has against the file. @client and @destination are borrowed. */
BoxPreflight *
box_preflight_new (BoxClient *client, const BoxDestination *destination,
                   void (*refused) (const GError *error, gpointer user_data), gpointer user_data);

/* Stops it. When this returns @refused has returned, and will not be called. */
void box_preflight_free (BoxPreflight *preflight);

G_END_DECLS
