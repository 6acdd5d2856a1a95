/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of a FaultCell, for cell.c, which plays it, and judge.c. */
#pragma once

#include "cell.h"

G_BEGIN_DECLS

struct _FaultCell
{
  BoxEmulator *emulator;
  const FaultCase *c;
  char *name;
  char *token;
  char *config; /* the file with what tokens are got with; NULL */
  char *dir;
  guint64 size;
  guint64 total; /* with the padding of a reserve */
  char *file_id; /* of the file that gets a version; NULL: a new file is made */
  int fd;        /* of a file on disk; -1 */
  BoxClient *client;
  BoxSpool *spool;
  BoxDestination *destination;
  BoxDestination *target; /* of a session */
  BoxMetadata *metadata;  /* nullable */
  BoxDelivery *delivery;
  GError *error; /* of the delivery */
  gboolean committed;
  GError *resume_error;
  gboolean resumed;
  gint n_ends; /* atomic */
};

G_END_DECLS
