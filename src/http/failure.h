/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxFailure: what is known of an exchange that failed, and the error that it makes. Pure. */
#pragma once

#include <gio/gio.h>

#include "http/patience.h"

G_BEGIN_DECLS

/* How far an exchange has come. */
typedef enum
{
  BOX_STAGE_RESOLVING,
  BOX_STAGE_CONNECTING,
  BOX_STAGE_TUNNELLING,
  BOX_STAGE_HANDSHAKING,
  BOX_STAGE_SENDING,
  BOX_STAGE_WAITING,
  BOX_STAGE_READING,
} BoxStage;

typedef struct
{
  const char *host; /* borrowed */
  guint timeout;    /* seconds, of connecting to one address */
  BoxStage stage;
  gboolean started; /* a byte of the request may have left */
  GTlsCertificateFlags certificate_problems;
  char *certificate_words; /* what they are */
} BoxFailure;

/* The error of an exchange that the watchdog has ended. */
GError *box_failure_describe_verdict (const BoxFailure *self, BoxPatienceVerdict verdict,
                                      const BoxPatience *patience);

/* The error of one that failed for @reason, an error of libsoup, GIO or BOX_ERROR. */
GError *box_failure_describe (const BoxFailure *self, const GError *reason);

G_END_DECLS
