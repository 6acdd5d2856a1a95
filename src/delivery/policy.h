/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPolicy: the decisions about one file on its way to Box, as pure functions. box_delivery_next()
 * chooses the next step. The others say what a failed upload means for its bytes: which failure
 * ends a recording, and which failure another upload can mend.
 */
#pragma once

#include "api/destination.h"

G_BEGIN_DECLS

/* The settings of a file whose bytes are in the spool. */
typedef struct
{
  gboolean given_session; /* no other session can take its place */
  BoxIfExists if_exists;
  gboolean left_to_others; /* somebody else uploads the recording, with other credentials */
} BoxTerms;

/* Whether @error is Box's own answer (or a finding of this process) about a setting that the user
 * can correct: the folder, the name, the credentials. Only such an answer may stop a recording, and
 * only at its beginning. A gateway, a portal, a proxy, a certificate or a full account may not. */
gboolean box_policy_refuses_settings (const BoxTerms *terms, const GError *error);

/* Whether @error says that the name is taken, and the terms have another way: a version of that
 * file, or another name. A folder of that name has no versions. */
gboolean box_policy_has_way (const BoxTerms *terms, const GError *error);

/* Whether @error can be ignored: others upload the recording, with their own credentials, and this
 * recorder's are refused or may not do it. */
gboolean box_policy_is_for_others (const BoxTerms *terms, const GError *error);

/* Whether another upload of the recording, at the end of the stream, can succeed after @error: with
 * another session, or because the refusal was transient. */
gboolean box_policy_another_upload_can_mend (const GError *error);

/* The session of a failed upload. */
typedef struct
{
  gboolean given;        /* by the application: no other can take its place */
  gboolean opened;       /* FALSE: the upload did not come so far */
  gboolean continued;    /* it is of an earlier run, perhaps of another identity */
  gboolean another;      /* it replaced one of this run */
  gboolean commit_begun; /* the file may be at Box */
  BoxIfExists if_exists;
} BoxSessionFacts;

/* Whether an upload with another session can succeed after @error. */
gboolean box_policy_another_session_can_mend (const BoxSessionFacts *facts, const GError *error);

/* The phase of a file. It only moves down this list. */
typedef enum
{
  BOX_DELIVERY_RECEIVING, /* bytes come */
  BOX_DELIVERY_ENDING,    /* the stream is over: it is padded, and ended in the spool */
  BOX_DELIVERY_UPLOADING, /* the rest goes to Box */
  /* Ends: nothing follows. */
  BOX_DELIVERY_SPOOLED,   /* durably in the spool, for others to upload */
  BOX_DELIVERY_FILLED,    /* the session has all parts, and its application commits it */
  BOX_DELIVERY_COMMITTED, /* Box has the file */
  BOX_DELIVERY_EMPTY,     /* there was no byte: no file is made */
  BOX_DELIVERY_FAILED,
} BoxDeliveryPhase;

/* The upload that runs, or ran last. */
typedef enum
{
  BOX_CARRIER_NONE,
  BOX_CARRIER_RUNNING,
  BOX_CARRIER_DONE,
  BOX_CARRIER_FAILED,
} BoxCarrier;

/* The facts about a file on its way. */
typedef struct
{
  /* settings */
  gboolean spooled;        /* the bytes stay in a recording until Box has them */
  gboolean left_to_others; /* its end is a recording in the spool */
  gboolean to_settle;      /* the file gets something after its commit */

  /* what happened */
  BoxDeliveryPhase phase;
  gboolean broken;   /* by something else than an upload: the stream, the disk, a setting */
  gboolean finished; /* no more bytes come */
  gboolean empty;    /* finished without a byte */
  gboolean closed;   /* padded; and a recording has its end */
  BoxCarrier carrier;
  gboolean mendable;  /* the carrier failed with what another upload can mend */
  gboolean again;     /* the carrier is another upload of the recording */
  gboolean committed; /* the carrier made a file of it */
  gboolean settled;   /* that has got what it gets, or it was tried */
  gboolean cleared;   /* the recording has left the spool, or its removal was tried */
} BoxDeliveryFacts;

typedef enum
{
  BOX_DELIVERY_WAIT,   /* for the stream */
  BOX_DELIVERY_CLOSE,  /* pad, and end the recording */
  BOX_DELIVERY_AWAIT,  /* the carrier's end */
  BOX_DELIVERY_RESEND, /* the recording in another upload, by what its journal says */
  BOX_DELIVERY_SETTLE, /* what the file gets after its commit */
  BOX_DELIVERY_CLEAR,  /* the recording out of the spool */
  BOX_DELIVERY_ENTER,  /* the next phase */
  BOX_DELIVERY_STOP,   /* the end has been reached */
} BoxDeliveryStepKind;

typedef struct
{
  BoxDeliveryStepKind kind;
  BoxDeliveryPhase phase; /* ENTER */
} BoxDeliveryStep;

/* The next step of a file with these @facts. */
BoxDeliveryStep box_delivery_next (const BoxDeliveryFacts *facts);

/* Whether @phase is an end. */
gboolean box_delivery_phase_is_end (BoxDeliveryPhase phase);

G_END_DECLS
