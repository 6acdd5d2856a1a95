/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxPlan: decides the next step of an upload. Pure: a table of the parts and a few facts. Events
 * change it (box_plan_opened(), box_plan_sent(), …), and box_plan_next() returns the next step and
 * changes nothing. No clock, no socket, no lock: the caller gives the time and guards the plan.
 *
 * An upload opens (a session, or a preflight if the file is small enough for one request), asks
 * for parts that Box may have already from elsewhere, sends the others, and commits; a commit that
 * may have worked is looked up before it is repeated; a failure may abort the session. Times are
 * monotonic microseconds.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  BOX_STEP_WAIT,   /* nothing to do before wake_at, or until something happens */
  BOX_STEP_OPEN,   /* open the session, or preflight */
  BOX_STEP_LIST,   /* ask which parts Box has */
  BOX_STEP_ASK,    /* ask which of the held parts Box has from elsewhere */
  BOX_STEP_VERIFY, /* compare the digest of an adopted part with Box's */
  BOX_STEP_SEND,   /* send a part */
  BOX_STEP_DIGEST, /* add unwritten bytes to the file's digest */
  BOX_STEP_WHOLE,  /* send the whole file in one request */
  BOX_STEP_COMMIT,
  BOX_STEP_LOOKUP, /* find out whether a commit or whole upload took effect */
  BOX_STEP_ABORT,
  BOX_STEP_DONE, /* nothing will ever be done again */
} BoxStepKind;

typedef struct
{
  BoxStepKind kind;
  guint part;     /* VERIFY, SEND: its index */
  gint64 since;   /* when the step became possible; the longest wait takes precedence */
  gint64 wake_at; /* WAIT: G_MAXINT64 if only an event can change it */
} BoxStep;

typedef enum
{
  BOX_PART_EMPTY,     /* its bytes are not complete */
  BOX_PART_HELD,      /* complete, but Box may have its bytes from elsewhere: an ASK decides */
  BOX_PART_READY,     /* to be sent */
  BOX_PART_FAILED,    /* to be sent again, not before not_before */
  BOX_PART_UNSURE,    /* to be listed, then adopted or sent again */
  BOX_PART_IN_FLIGHT, /* being sent or verified */
  BOX_PART_DONE,
} BoxPartState;

typedef struct
{
  BoxPartState state;
  gboolean adopted;  /* Box had it already */
  gboolean verify;   /* EMPTY or READY: adopted with a digest to compare */
  gboolean sealed;   /* its bytes are complete */
  gboolean hold;     /* EMPTY or HELD: an ASK decides */
  guint attempts;    /* requests sent so far */
  guint refusals;    /* number of them that were refused as overlapping or damaged */
  gint64 since;      /* when it was sealed */
  gint64 not_before; /* FAILED, UNSURE */
  gboolean asked;    /* the server asked for not_before */
  guint slow;        /* requests that moved, but not in time */
  guint ease;        /* the plan's ease when it was begun last */
  gboolean listed; /* UNSURE: the LIST that runs was asked for after the part's request had ended */
  gboolean left;   /* IN_FLIGHT: its last byte has left, or none is sent */
} BoxPlanPart;

typedef enum
{
  BOX_PLAN_CONTROL_NONE,
  BOX_PLAN_CONTROL_BUSY, /* an OPEN, WHOLE, COMMIT, LOOKUP or ABORT runs; nothing else may begin */
  BOX_PLAN_CONTROL_LIST, /* a LIST, ASK or DIGEST runs; parts may be sent meanwhile */
} BoxPlanControl;

typedef struct
{
  /* settings */
  guint parallel;
  guint share;     /* no new part begins beside so many in flight and in trouble */
  gint64 gate;     /* no part is sent before */
  gboolean commit; /* FALSE: the end is when every part is there */
  gboolean abort_on_failure;

  /* what happened */
  gboolean opened;
  gboolean whole;      /* one request instead of parts */
  gboolean list_first; /* the session may hold parts that are to be adopted */
  gboolean finished;   /* every byte is there and sealed */
  gboolean undigested; /* the file's digest is not whole yet */
  gboolean unsure;     /* the commit or whole upload may have taken effect */
  gboolean committed;
  gboolean failed;
  gboolean cancelled;
  gboolean draining; /* no part and no session begins any more */
  gboolean aborted;  /* tried to; success or not */
  BoxPlanControl control;
  guint control_attempts;
  guint control_refusals; /* number of them that the network did not cause */
  guint commit_attempts;  /* COMMITs or WHOLEs; a LOOKUP between them does not reset the count */
  guint commit_refusals;  /* number of them refused because of the state at Box */
  guint whole_slow;       /* WHOLEs that moved, but not in time */
  gint64 control_since;
  gint64 control_not_before;
  gboolean control_asked;

  /* parts */
  GArray *parts;  /* of BoxPlanPart */
  guint n_sealed; /* parts [0, n_sealed) are */
  guint n_done;   /* sealed and DONE */
  guint n_in_flight;
  guint allowed;   /* sends in flight at most now: less than `parallel` after slow ones */
  guint prompt;    /* sends that ended well since `allowed` changed */
  guint ease;      /* how often `allowed` was lowered */
  guint next_new;  /* no part below is READY */
  guint n_stream;  /* parts below hold bytes of the stream, the others only padding */
  guint n_leaving; /* of those in flight and not left: with bytes of the stream */
  guint n_leaving_padding;
  GArray *troubled; /* guint: indices of FAILED and UNSURE parts, ascending */
  guint n_unsure;
  guint n_held;
} BoxPlan;

/* @parallel: sends in flight at most. @now: monotonic, microseconds, as everywhere here. */
void box_plan_init (BoxPlan *plan, guint parallel, gboolean commit, gboolean abort_on_failure,
                    gint64 now);
void box_plan_clear (BoxPlan *plan);

/* From now on: sends in flight at most. */
void box_plan_set_parallel (BoxPlan *plan, guint parallel);

/* Until the next call: no part is sent before @gate (0: they may; G_MAXINT64: not before another
 * call), and no new one beside @share parts in flight and in trouble. */
void box_plan_set_gate (BoxPlan *plan, gint64 gate, guint share);

/* The step to begin now, or a WAIT for a time or a change, or DONE. */
BoxStep box_plan_next (const BoxPlan *plan, gint64 now);

/* @step, which box_plan_next() gave, begins. */
void box_plan_begin (BoxPlan *plan, const BoxStep *step);

/* The OPEN worked. @n_parts: of the session; 0: the file goes in one request. @list: the session
 * may hold parts; they are listed before any is sent. */
void box_plan_opened (BoxPlan *plan, guint n_parts, gboolean list, gint64 now);

/* After box_plan_opened(): Box may have the bytes of @part from elsewhere, whether they are
 * complete here or not. It is not sent before an ASK. Ignored if it was adopted, or has begun. */
void box_plan_hold (BoxPlan *plan, guint part);

/* The bytes of parts [0, @n) are complete. */
void box_plan_seal (BoxPlan *plan, guint n, gint64 now);

/* Before they are sealed: parts from @n_stream on are nothing but padding. They make way for the
 * bytes of the stream, which are lost if this host is: none begins beside a part of the stream that
 * is being sent, and one at a time while such a part waits for another try. */
void box_plan_pad (BoxPlan *plan, guint n_stream);

/* The file's digest needs a DIGEST, from the finish on. */
void box_plan_leave_digest (BoxPlan *plan);

/* The DIGEST ended. */
void box_plan_digested (BoxPlan *plan, gint64 now);

/* Every part is sealed (or every byte of a whole upload is there). */
void box_plan_finish (BoxPlan *plan, gint64 now);

/* The last byte of a part that is sent has left this host. */
void box_plan_left (BoxPlan *plan, guint part);

/* A SEND or VERIFY ended well. */
void box_plan_sent (BoxPlan *plan, guint part);

/* A SEND failed and is to be tried again; @unsure: only if a list does not have the part. @asked:
 * the wait is the server's wish, which box_plan_hurry() respects. */
void box_plan_send_failed (BoxPlan *plan, guint part, gboolean unsure, gint64 not_before,
                           gboolean asked);

/* A SEND made progress, but did not end in time; call this before box_plan_send_failed(). From now
 * on half as many parts are in flight, and one more each time that as many have succeeded. */
void box_plan_send_was_slow (BoxPlan *plan, guint part);

/* A list has @part. Ignored if the part is in flight or done. @verify: its digest must be compared.
 * Returns whether it was adopted. */
gboolean box_plan_adopt (BoxPlan *plan, guint part, gboolean verify);

/* The LIST succeeded, and all its parts were adopted: unsure parts that it did not have are
 * sent again. */
void box_plan_listed (BoxPlan *plan, gint64 now);

/* The ASK has asked for @part, and Box does not have it: it is sent. */
void box_plan_missed (BoxPlan *plan, guint part);

/* The ASK succeeded; what it asked for was adopted or missed. */
void box_plan_asked (BoxPlan *plan, gint64 now);

/* No ASK any more: held parts are sent. */
void box_plan_stop_asking (BoxPlan *plan);

/* A control step (OPEN, LIST, ASK, WHOLE, COMMIT, LOOKUP) is to be tried again; @unsure: it may
 * have taken effect (WHOLE, COMMIT). */
void box_plan_control_failed (BoxPlan *plan, gboolean unsure, gint64 not_before, gboolean asked);

/* Box accepted the COMMIT; it must be repeated from @not_before on until it is done. */
void box_plan_commit_pending (BoxPlan *plan, gint64 not_before);

/* After a COMMIT or WHOLE: the result of the OPEN is no longer true. Another OPEN follows from
 * @not_before on, and every part is sent again, into another session. */
void box_plan_reopen (BoxPlan *plan, gint64 not_before);

/* The LOOKUP found that the COMMIT or WHOLE had not taken effect. */
void box_plan_not_committed (BoxPlan *plan, gint64 now);

/* The COMMIT or WHOLE worked, or the LOOKUP found that it had. */
void box_plan_committed (BoxPlan *plan);

/* The ABORT ended, well or not. */
void box_plan_aborted (BoxPlan *plan);

/* The running step has ended without a result (after a failure or a cancel). */
void box_plan_dropped (BoxPlan *plan, const BoxStep *step);

/* No step follows but the clean-up: fail after a fatal error, cancel by the owner. */
void box_plan_fail (BoxPlan *plan);
void box_plan_cancel (BoxPlan *plan);

/* No part and no session begins any more; those in flight end. */
void box_plan_drain (BoxPlan *plan);

/* The network is back: waits end, but for those that the server asked for. */
void box_plan_hurry (BoxPlan *plan, gint64 now);

/* Time is running out: all waits end, for one last try of each. */
void box_plan_call_last (BoxPlan *plan, gint64 now);

/* Nothing runs, and nothing will before a wait of a failed step is over. */
gboolean box_plan_only_waits (const BoxPlan *plan, gint64 now);

G_END_DECLS
