/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPreflight: asks Box at the beginning of a recording whether it would accept the file, in a
 * separate thread. Transient failures are not reported.
 */
#pragma once

#include "api/client.h"

G_BEGIN_DECLS

typedef struct _BoxPreflight BoxPreflight;

/* Begins. @refused is called at most once, from another thread, with the refusal of Box, or of
 * somebody in its place. @client and @destination are borrowed. */
BoxPreflight *
box_preflight_new (BoxClient *client, const BoxDestination *destination,
                   void (*refused) (const GError *error, gpointer user_data), gpointer user_data);

/* Stops it. When this returns @refused has returned, and will not be called. */
void box_preflight_free (BoxPreflight *preflight);

G_END_DECLS
