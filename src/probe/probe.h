/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxProbe: tries, on a real account and in a folder of its own, what no document of Box says: how
 * far a session's "plan" looks, whether a commit takes the parts that it found, how large parts
 * are, how wrong requests are refused, how long a request may rest. Everything that it makes is
 * removed at the end; what a killed run has left is removed by the next one.
 *
 *   if (!box_probe_run (&settings, &events, user_data, cancellable, &profile, &error)) …
 *
 * The profile is a JSON object without secrets (docs/probe.md); box-emulator plays it.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "api/account.h"

G_BEGIN_DECLS

/**
 * BoxProbeSettings:
 * @folder_id: the scratch folder is made in it.
 * @quick: neither resting requests nor the speed of parts in parallel.
 * @longest_wait: seconds after which a part that "plan" has not found is given up.
 * @rests: (nullable): seconds, 0 at the end: how long a request of unknown length rests; NULL: 30,
 *   60 and 120.
 */
typedef struct
{
  BoxClient *client;
  BoxClientSettings client_settings; /* for a client with another token */
  const char *folder_id;
  gboolean quick;
  guint longest_wait;
  const guint *rests;
} BoxProbeSettings;

/* One line of the report, as it is found; and what is being tried now. */
typedef struct
{
  void (*trying) (const char *question, gpointer user_data);
  void (*found) (const char *question, const char *answer, gpointer user_data);
} BoxProbeEvents;

/**
 * box_probe_run:
 * @profile: (out) (transfer full): what was found; free with json_object_unref().
 *
 * An experiment that Box refuses, or that the network cuts, is an answer; the probe fails only if
 * the scratch folder cannot be made, the credentials are refused, or @cancellable is cancelled.
 * Then it has removed what it made, as far as Box allowed.
 */
gboolean
box_probe_run (const BoxProbeSettings *settings, const BoxProbeEvents *events, gpointer user_data,
               GCancellable *cancellable, JsonObject **profile, GError **error);

/* How far "plan" looks, by a profile. */
BoxPlanScope box_probe_get_plan (JsonObject *profile);

G_END_DECLS
