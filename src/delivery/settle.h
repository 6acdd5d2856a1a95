/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxSettle: what a file gets at Box after its commit: its metadata. Each step may be repeated, so
 * that it is done exactly once whenever the process ends. What is left to do is in a journal: that
 * of the recording, or, for a file whose bytes were in memory or are the user's, a journal without
 * data (an errand).
 */
#pragma once

#include "api/metadata.h"
#include "spool/spool.h"

G_BEGIN_DECLS

/**
 * BoxSettleSettings:
 * @metadata: not NULL.
 * @retry_timeout: seconds that passing failures are retried; 0: forever.
 * @retrying: (nullable): before each wait; @delay in microseconds.
 */
typedef struct
{
  BoxClient *client;
  BoxMetadata *metadata;
  guint retry_timeout;
  void (*retrying) (guint attempt, gint64 delay, const GError *reason, gpointer user_data);
  gpointer user_data;
} BoxSettleSettings;

/* Does the steps for the file @file_id, and notes in @recording (nullable) that they are done, or
 * why not. FALSE: Box has refused one, or it could not be done in time. */
gboolean box_settle_run (const BoxSettleSettings *settings, const char *file_id,
                         BoxRecording *recording, GCancellable *cancellable, GError **error);

/* An errand for @file in the spool @directory (nullable: the default one). */
BoxRecording *box_settle_new_errand (const char *directory, const BoxFile *file,
                                     BoxMetadata *metadata, GError **error);

G_END_DECLS
