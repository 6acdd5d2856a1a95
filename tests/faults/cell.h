/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FaultCell: one case of the matrix, played. Its rules strike the requests with its own token, so
 * that many cells share one emulator and run at the same time:
 *
 *   cell = fault_cell_new (emulator, dir, c, number);
 *   fault_cell_begin (cell);
 *   fault_cell_wait (cell);     // its end, and then that of the recording that it left
 *   problem = fault_cell_judge (cell);
 *   fault_cell_free (cell);
 */
#pragma once

#include "delivery/delivery.h"
#include "emulator/box-emulator.h"
#include "matrix.h"

G_BEGIN_DECLS

/* Parts of the emulator's sessions for a @way. */
guint64 fault_cell_part_size (const FaultWay *way);

/* How far their plans look. */
BoxEmulatorPlan fault_cell_plan (const FaultWay *way);

typedef struct _FaultCell FaultCell;

FaultCell *
fault_cell_new (BoxEmulator *emulator, const char *dir, const FaultCase *c, guint number);
void fault_cell_free (FaultCell *cell);

/* Starts the delivery and gives it all its bytes. */
void fault_cell_begin (FaultCell *cell);

/* Waits for the end. If the recording stayed in the spool, another delivery of it begins, which no
 * fault meets, and its end is waited for, too. */
void fault_cell_wait (FaultCell *cell);

typedef enum
{
  FAULT_RIGHT,       /* the file is there */
  FAULT_RIGHT_AGAIN, /* after the recording was resumed */
  FAULT_REFUSED,     /* an error, without a spool: no file, or the right one */
  FAULT_NOT_MET,     /* no request was struck */
  FAULT_WRONG,
} FaultOutcome;

/* @problem: (out) (nullable): of WRONG; free with g_free(). */
FaultOutcome fault_cell_judge (FaultCell *cell, char **problem);

G_END_DECLS
