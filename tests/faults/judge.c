/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cell-state.h"

#include "kit/pattern.h"

#include <string.h>

/* Whether a request of @route was struck. */
static gboolean
was_struck (const FaultCell *cell, const char *route)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (cell->emulator, route);

  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = requests->pdata[i];

      if (request->fault != NULL
          && (cell->config != NULL || g_strcmp0 (request->token, cell->token) == 0))
        return TRUE;
    }
  return FALSE;
}

static gboolean
was_met (const FaultCell *cell)
{
  JsonArray *routes = json_object_get_array_member (cell->c->request, "routes");

  for (guint i = 0; i < json_array_get_length (routes); i++)
    if (was_struck (cell, json_array_get_string_element (routes, i)))
      return TRUE;
  return FALSE;
}

static BoxEmulatorFile *
find_in_path (const FaultCell *cell)
{
  g_autofree char *path = g_strconcat ("Cells/", cell->token, NULL);
  g_autofree char *id = box_emulator_find_folder (cell->emulator, path);

  return id != NULL ? box_emulator_find_file (cell->emulator, id, cell->name) : NULL;
}

/* The file that the cell makes; NULL: it is not there. */
static BoxEmulatorFile *
find_file (const FaultCell *cell)
{
  g_autofree char *other = NULL;

  if (cell->file_id != NULL && !cell->c->way->taken)
    return box_emulator_get_file (cell->emulator, cell->file_id);
  if (cell->c->way->folders)
    return find_in_path (cell);
  if (!cell->c->way->taken)
    return box_emulator_find_file (cell->emulator, "0", cell->name);
  other =
      g_strdup_printf ("%.*s (1).bin", (int) (strlen (cell->name) - strlen (".bin")), cell->name);
  return box_emulator_find_file (cell->emulator, "0", other);
}

/* What is wrong with what Box has; NULL: nothing. @there: (out): the recording is there. */
static char *
judge_file (const FaultCell *cell, gboolean *there)
{
  g_autoptr (BoxEmulatorFile) file = find_file (cell);
  g_autofree char *sha1 = kit_pattern_sha1 (cell->size, cell->total - cell->size);
  gboolean is_version = cell->file_id != NULL && !cell->c->way->taken;

  *there = FALSE;
  if (file == NULL)
    return is_version ? g_strdup ("the file is gone") : NULL;
  if (is_version && file->n_versions == 1)
    return NULL;
  *there = TRUE;
  if (file->n_versions != (is_version ? 2 : 1))
    return g_strdup_printf ("%u versions", file->n_versions);
  /* A reserve that was uploaded again has the size of its stream. */
  if (cell->resumed && g_strcmp0 (file->sha1, sha1) != 0)
    {
      g_free (sha1);
      sha1 = kit_pattern_sha1 (cell->size, 0);
    }
  return g_strcmp0 (file->sha1, sha1) != 0 ? g_strdup ("the file has other bytes") : NULL;
}

static char *
judge_message (const FaultCell *cell)
{
  const char *message = cell->error->message;

  if (!g_utf8_validate (message, -1, NULL) || strlen (message) < 20 || strlen (message) > 1200
      || strpbrk (message, "\n\r\033") != NULL || strstr (message, "BoxError") != NULL
      || strstr (message, "(null)") != NULL)
    return g_strdup_printf ("its message is of no use: %s", message);
  if (strstr (message, cell->token) != NULL)
    return g_strdup ("its message has the token");
  return NULL;
}

/* It is there, and was made once. */
static char *
judge_metadata (const FaultCell *cell)
{
  g_autoptr (BoxEmulatorFile) file = find_file (cell);
  g_autoptr (JsonObject) instance =
      file != NULL ? box_emulator_get_metadata (cell->emulator, file->id, "global/properties")
                   : NULL;

  if (instance == NULL)
    return g_strdup ("the metadata is missing");
  return json_object_get_int_member (instance, "$version") == 0
             ? NULL
             : g_strdup ("the metadata was changed");
}

static char *
judge_spool (const FaultCell *cell)
{
  g_autoptr (GPtrArray) list = box_spool_list (cell->spool, NULL);

  if (cell->resume_error != NULL)
    return g_strdup_printf ("%s; resumed: %s",
                            cell->error != NULL ? cell->error->message : "committed",
                            cell->resume_error->message);
  if (list->len > 0)
    return g_strdup ("the recording is at Box and in the spool");
  return cell->metadata != NULL ? judge_metadata (cell) : NULL;
}

static char *
find_problem (const FaultCell *cell, gboolean *there)
{
  char *problem = judge_file (cell, there);

  if (problem == NULL && cell->error != NULL)
    problem = judge_message (cell);
  if (problem == NULL && cell->spool != NULL)
    problem = judge_spool (cell);
  if (problem == NULL && g_atomic_int_get (&cell->n_ends) != (cell->resumed ? 2 : 1))
    problem = g_strdup_printf ("%d ends", g_atomic_int_get (&cell->n_ends));
  if (problem == NULL && (cell->committed || cell->resumed) && !*there)
    problem = g_strdup ("it is committed, and not there");
  if (problem == NULL && cell->spool != NULL && !*there)
    problem = g_strdup_printf ("it is lost: %s",
                               cell->error != NULL ? cell->error->message : "committed");
  if (problem == NULL && cell->error != NULL && fault_case_passes (cell->c))
    problem = g_strdup_printf ("it did not survive: %s", cell->error->message);
  return problem;
}

FaultOutcome
fault_cell_judge (FaultCell *cell, char **problem)
{
  gboolean there = FALSE;

  *problem = find_problem (cell, &there);
  if (*problem != NULL)
    return FAULT_WRONG;
  if (!was_met (cell))
    return FAULT_NOT_MET;
  if (cell->resumed)
    return FAULT_RIGHT_AGAIN;
  return cell->committed ? FAULT_RIGHT : FAULT_REFUSED;
}
