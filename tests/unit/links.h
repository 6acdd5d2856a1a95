/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links in virtual time: uploads of endless files, each with a fixed number of parts in flight or
 * with a BoxFlow, over one bottleneck to a server that thinks before it answers. What is modelled:
 * the fair share of TCP connections, their slow start after a rest, a ceiling for a connection by
 * its window and by loss, a proxy that takes bytes before they are on their way, and a server that
 * takes so many requests a minute.
 */
#pragma once

#include "upload/flow.h"

G_BEGIN_DECLS

#define LINK_UPLOADS_MAX 10

typedef struct
{
  const char *name;
  double mbit;       /* a second */
  double rtt;        /* seconds */
  double think;      /* seconds, from the last byte of a part to its answer */
  double jitter;     /* fraction of think by which it differs, either way */
  double loss;       /* of packets */
  double buffer;     /* bytes that a proxy takes of each connection at once */
  guint per_minute;  /* requests that the server takes; 0: all */
  double change_at;  /* seconds; 0: never */
  double changed_to; /* Mbit a second, until back_at */
  double back_at;    /* seconds; 0: never */
} Link;

/* One upload over a link: its number of parts, or 0 with a flow. */
typedef struct
{
  guint fixed;
  BoxFlow *flow; /* of one process; shared by its uploads */
  double starts; /* seconds */
} LinkUpload;

typedef struct
{
  double bytes[LINK_UPLOADS_MAX]; /* that got through in the second half, by upload */
  double total;                   /* from beginning to end */
  guint n_refused;                /* answers of 429 */
  guint n_changes;                /* of the first upload's aim, in the second half */
  double in_flight;               /* parts of the first upload, on the average of the second half */
  double longest;                 /* seconds that a part took from its beginning to its last byte */
} LinkResult;

/* Uploads over @link for @seconds, with parts of @part_size bytes. */
LinkResult link_run (const Link *link, const LinkUpload *uploads, guint n_uploads, double seconds,
                     double part_size, guint32 seed);

G_END_DECLS
