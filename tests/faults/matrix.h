/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * FaultMatrix: the cells of network.json. A cell is one fault, at one kind of request, at one time,
 * on one way of a recording to Box. The matrix names the cells, draws a sample of them, and writes
 * the rule that makes the emulator play a cell.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The bytes' way: what the recorder, the program or the daemon does with them. */
typedef enum
{
  FAULT_STREAM,  /* written into memory */
  FAULT_SPOOL,   /* written into the spool */
  FAULT_RESERVE, /* the same, into a session that is larger */
  FAULT_UNKNOWN, /* the same, without a size */
  FAULT_LIVE,    /* the same, in one request */
  FAULT_AHEAD,   /* the same, in parts that leave before the size is known */
  FAULT_FILE,    /* a file on disk */
  FAULT_RESUME,  /* a recording in the spool */
} FaultSource;

typedef enum
{
  FAULT_TO_SESSION,
  FAULT_TO_FOLDER,
  FAULT_TO_FILE,
} FaultTarget;

/* One row of "ways". */
typedef struct
{
  const char *name;
  FaultSource source;
  FaultTarget to;
  gboolean of_file; /* the session is one of a new version */
  gboolean large;   /* of a size that asks for a session */
  gboolean taken;   /* the name is taken, and the policy is to rename */
  gboolean folders; /* the folder is named by a path, and is not there */
  gboolean metadata;
  const char *grant; /* of the tokens: "refresh", "jwt"; NULL: it has one. Such a cell has an
                        emulator of its own, because requests for tokens say nothing of the cell */
  JsonArray *requests;
} FaultWay;

typedef struct _FaultMatrix FaultMatrix;

typedef struct
{
  const FaultMatrix *matrix;
  const FaultWay *way;
  JsonObject *request;
  JsonObject *fault;
  JsonObject *when;
  char *name; /* WAY/REQUEST/FAULT/WHEN */
} FaultCase;

/* Aborts the program if the file at @path is not as it should be. */
FaultMatrix *fault_matrix_load (const char *path);
void fault_matrix_free (FaultMatrix *matrix);

guint fault_matrix_count_ways (const FaultMatrix *matrix);
const FaultWay *fault_matrix_get_way (const FaultMatrix *matrix, guint i);

/* How many cells there are. */
guint fault_matrix_count (const FaultMatrix *matrix);

/* The cells of @way (element-type FaultCase), about @share of them, by chance: the same @seed gives
 * the same ones. @pattern: (nullable): only names that match it. */
GPtrArray *fault_matrix_choose (const FaultMatrix *matrix, const FaultWay *way, double share,
                                guint seed, const char *pattern);

/* The rules that play the case for requests with @token (nullable: for all), as a scenario. Free
 * with g_free(). */
char *fault_case_format_rules (const FaultCase *c, const char *token);

/* Whether the upload has to get over it by itself. */
gboolean fault_case_passes (const FaultCase *c);

G_END_DECLS
