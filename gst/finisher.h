/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkFinisher: uploads a recording whose stream is over, by the element's settings,
 * and has a reporter tell of it. A BoxRecoveryJob does it in a thread of its own, so that the
 * streaming thread can give way to a pause meanwhile.
 */
#pragma once

#include "config.h"
#include "delivery/recovery.h"
#include "reporter.h"

G_BEGIN_DECLS

typedef struct _SinkFinisher SinkFinisher;

/* Begins. Keeps @recording and @reporter, which is told everything but the end. */
SinkFinisher *
sink_finisher_new (const SinkConfig *plan, BoxRecording *recording, SinkReporter *reporter);

/* Stops it, at once, if it is not done. */
void sink_finisher_free (SinkFinisher *self);

/* READY: done; FAILED: see sink_finisher_get_error(). @timeout in microseconds. */
BoxWait sink_finisher_wait (SinkFinisher *self, gint64 timeout);

/* TRUE makes the wait return at once until FALSE is set. Any thread. */
void sink_finisher_interrupt (SinkFinisher *self, gboolean interrupted);

/* Bytes per second of the upload that runs and of those to come. Any thread. */
void sink_finisher_set_rate (SinkFinisher *self, guint64 rate);

/* The upload that runs, or ran last; NULL: none yet. Any thread. */
BoxUpload *sink_finisher_dup_upload (SinkFinisher *self);

/* After FAILED. Owned by @self. */
const GError *sink_finisher_get_error (SinkFinisher *self);

/* After READY: the file, NULL where it is not ours to commit or @how is EMPTY. Owned by @self. */
const BoxFile *sink_finisher_get_file (SinkFinisher *self, BoxRecovered *how);

G_END_DECLS
