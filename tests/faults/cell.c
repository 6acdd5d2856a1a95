/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cell.h"

#include "kit/patience.h"
#include "kit/pattern.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define SMALL_PART 4096
#define LARGE_PART (8 << 20)

/* Five parts of a session, or one request; and a size from which Box has sessions. */
#define PARTS_SIZE  (4 * SMALL_PART + 17)
#define DIRECT_SIZE 1000
#define LARGE_SIZE  (BOX_SESSION_MIN_SIZE + 17)

/* What a reserve is larger than its stream. */
#define GAP (SMALL_PART + 100)

/* Of the cell; and of what resumes it, which no fault meets. Seconds. */
#define TIMEOUT              2
#define RETRY_TIMEOUT        3
#define RESUME_TIMEOUT       60
#define RESUME_RETRY_TIMEOUT 120

#define OLD_CONTENT "the version before"

struct _FaultCell
{
  BoxEmulator *emulator;
  const FaultCase *c;
  char *name;
  char *token;
  char *dir;
  guint64 size;
  guint64 total; /* with the padding of a reserve */
  char *file_id; /* of the file that gets a version; NULL: a new file is made */
  int fd;        /* of a file on disk; -1 */
  BoxClient *client;
  BoxSpool *spool;
  BoxDestination *destination;
  BoxDestination *target; /* of a session */
  BoxDelivery *delivery;
  GError *error; /* of the delivery */
  gboolean committed;
  GError *resume_error;
  gboolean resumed;
  gint n_ends; /* atomic */
};

guint64
fault_cell_part_size (const FaultWay *way)
{
  return way->large ? LARGE_PART : SMALL_PART;
}

static guint64
choose_size (const FaultWay *way)
{
  if (way->large)
    return LARGE_SIZE;
  return way->to == FAULT_TO_SESSION ? PARTS_SIZE : DIRECT_SIZE;
}

static BoxClient *
new_client (const FaultCell *cell, const char *token, guint timeout)
{
  BoxClientSettings settings = {
    .access_token = token,
    .timeout = timeout,
    .endpoint = box_emulator_get_endpoint (cell->emulator, FALSE),
    .api_endpoint = box_emulator_get_api_endpoint (cell->emulator, FALSE),
  };
  g_autoptr (GError) error = NULL;
  BoxClient *client = box_client_new (&settings, &error);

  g_assert_no_error (error);
  return client;
}

static void
make_destination (FaultCell *cell)
{
  const FaultWay *way = cell->c->way;
  g_autofree char *id = NULL;

  if (way->to == FAULT_TO_FILE || way->of_file || way->taken)
    cell->file_id =
        box_emulator_add_file (cell->emulator, "0", cell->name, OLD_CONTENT, strlen (OLD_CONTENT));
  if (way->to == FAULT_TO_FOLDER)
    cell->destination = box_destination_new_folder ("0", cell->name, NULL);
  else if (way->to == FAULT_TO_FILE)
    cell->destination = box_destination_new_file (cell->file_id, NULL);
  else
    {
      id = box_emulator_add_session (cell->emulator, way->of_file ? NULL : "0", cell->name,
                                     way->of_file ? cell->file_id : NULL, cell->total);
      cell->destination = box_destination_new_session (id, NULL);
      cell->target = way->of_file ? box_destination_new_file (cell->file_id, NULL)
                                  : box_destination_new_folder ("0", cell->name, NULL);
    }
  g_assert_nonnull (cell->destination);
}

FaultCell *
fault_cell_new (BoxEmulator *emulator, const char *dir, const FaultCase *c, guint number)
{
  FaultCell *cell = g_new0 (FaultCell, 1);
  g_autofree char *rules = NULL;
  GError *error = NULL;

  cell->emulator = emulator;
  cell->c = c;
  cell->fd = -1;
  cell->name = g_strdup_printf ("cell-%u.bin", number);
  cell->token = g_strdup_printf ("secret-of-cell-%u", number);
  cell->dir = g_build_filename (dir, cell->name, NULL);
  cell->size = choose_size (c->way);
  cell->total = cell->size + (c->way->source == FAULT_RESERVE ? GAP : 0);
  make_destination (cell);
  rules = fault_case_format_rules (c, cell->token);
  if (!box_emulator_load_scenario (emulator, rules, &error))
    g_error ("%s: %s: %s", c->name, rules, error->message);
  cell->client = new_client (cell, cell->token, TIMEOUT);
  return cell;
}

void
fault_cell_free (FaultCell *cell)
{
  g_clear_pointer (&cell->delivery, box_delivery_free);
  g_clear_pointer (&cell->spool, box_spool_unref);
  g_clear_pointer (&cell->target, box_destination_free);
  box_destination_free (cell->destination);
  box_client_unref (cell->client);
  g_clear_error (&cell->error);
  g_clear_error (&cell->resume_error);
  if (cell->fd >= 0)
    close (cell->fd);
  g_free (cell->file_id);
  g_free (cell->name);
  g_free (cell->token);
  g_free (cell->dir);
  g_free (cell);
}

static void
on_ended (BoxDelivery *delivery, BoxDeliveryPhase phase, const BoxFile *file, const GError *error,
          gpointer user_data)
{
  g_atomic_int_inc (&((FaultCell *) user_data)->n_ends);
}

static const BoxDeliveryEvents events = { .ended = on_ended };

static BoxIfExists
choose_policy (const FaultCell *cell)
{
  return cell->c->way->taken ? BOX_IF_EXISTS_RENAME : BOX_IF_EXISTS_ERROR;
}

static BoxUploadSettings
make_settings (FaultCell *cell, guint64 size)
{
  return (BoxUploadSettings){
    .client = cell->client,
    .destination = cell->destination,
    .session_target = cell->target,
    .size = size,
    .if_exists = choose_policy (cell),
    .on_error = BOX_ON_ERROR_ABORT,
    .commit = TRUE,
    .parallel = 2,
    .max_memory = 4 * LARGE_PART,
    .retry_timeout = RETRY_TIMEOUT,
  };
}

static void
open_spool (FaultCell *cell)
{
  GError *error = NULL;

  cell->spool = box_spool_open (cell->dir, 0, &error);
  g_assert_no_error (error);
}

/* Gives the delivery all bytes, unless it ends before. */
static void
write_all (FaultCell *cell)
{
  guint8 buffer[65536];

  for (guint64 at = 0; at < cell->size;)
    {
      gsize length = (gsize) MIN (sizeof buffer, cell->size - at), done;

      kit_pattern_fill (at, buffer, length);
      done = box_delivery_write (cell->delivery, at, buffer, length);
      at += done;
      if (done < length && box_delivery_wait_room (cell->delivery) == BOX_WAIT_FAILED)
        return;
    }
}

static void
begin_stream (FaultCell *cell)
{
  FaultSource source = cell->c->way->source;
  gboolean unknown = source == FAULT_UNKNOWN || source == FAULT_LIVE;
  BoxDeliverySettings settings = {
    .upload = make_settings (cell, unknown ? 0 : cell->total),
    .sizing = unknown                   ? BOX_SIZING_SPOOL
              : source == FAULT_RESERVE ? BOX_SIZING_RESERVE
                                        : BOX_SIZING_EXACT,
    .padding = source == FAULT_RESERVE ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
    .live = source == FAULT_LIVE,
  };
  GError *error = NULL;

  if (source != FAULT_STREAM)
    open_spool (cell);
  cell->delivery = box_delivery_new_stream (&settings, cell->spool, &events, cell, NULL, &error);
  g_assert_no_error (error);
  box_delivery_start (cell->delivery);
  write_all (cell);
  box_delivery_finish (cell->delivery, "eos", settings.padding, cell->total - cell->size, NULL);
}

static void
begin_file (FaultCell *cell)
{
  BoxUploadSettings settings = make_settings (cell, cell->size);
  GError *error = NULL;

  kit_pattern_write_file (cell->dir, cell->size);
  cell->fd = g_open (cell->dir, O_RDONLY | O_CLOEXEC, 0);
  g_assert_cmpint (cell->fd, >=, 0);
  cell->delivery = box_delivery_new_file (&settings, cell->fd, &events, cell, NULL, &error);
  g_assert_no_error (error);
  box_delivery_start (cell->delivery);
}

static BoxRecording *
make_recording (FaultCell *cell)
{
  BoxRecordingIntent intent = {
    .destination = cell->destination,
    .sizing = cell->target != NULL ? BOX_SIZING_EXACT : BOX_SIZING_SPOOL,
    .size = cell->target != NULL ? cell->size : 0,
    .padding = BOX_PADDING_NONE,
    .if_exists = choose_policy (cell),
    .commit = TRUE,
    .created = g_get_real_time () / G_USEC_PER_SEC,
  };
  BoxRecordingEnd end = { .size = cell->size, .total = cell->size, .padding = BOX_PADDING_NONE };
  g_autofree guint8 *bytes = g_malloc (cell->size);
  g_autoptr (BoxRecording) recording = NULL;

  kit_pattern_fill (0, bytes, cell->size);
  recording = box_spool_record (cell->spool, &intent, NULL);
  g_assert_nonnull (recording);
  g_assert_true (box_recording_write (recording, 0, bytes, cell->size, NULL));
  g_assert_true (box_recording_set_end (recording, &end, NULL));
  return g_steal_pointer (&recording);
}

static void
begin_recording (FaultCell *cell, BoxRecording *recording, guint retry_timeout)
{
  BoxRecoverySettings settings = { .client = cell->client,
                                   .parallel = 2,
                                   .retry_timeout = retry_timeout };

  cell->delivery = box_delivery_new_recording (recording, &settings, &events, cell, NULL);
  box_delivery_start (cell->delivery);
}

void
fault_cell_begin (FaultCell *cell)
{
  g_autoptr (BoxRecording) recording = NULL;

  switch (cell->c->way->source)
    {
    case FAULT_FILE:
      begin_file (cell);
      break;
    case FAULT_RESUME:
      open_spool (cell);
      recording = make_recording (cell);
      begin_recording (cell, recording, RETRY_TIMEOUT);
      break;
    default:
      begin_stream (cell);
    }
}

/* NULL: it was committed. */
static GError *
wait_for_end (FaultCell *cell)
{
  BoxWait wait = box_delivery_wait (cell->delivery, KIT_PATIENCE_US);
  GError *error = NULL;

  if (wait != BOX_WAIT_READY && wait != BOX_WAIT_FAILED)
    g_error ("%s: does not end", cell->c->name);
  error = box_delivery_dup_error (cell->delivery);
  g_clear_pointer (&cell->delivery, box_delivery_free);
  g_assert_true ((wait == BOX_WAIT_FAILED) == (error != NULL));
  return error;
}

/* The network is well again, and another process finds the recording. */
static void
resume (FaultCell *cell)
{
  g_autoptr (GPtrArray) list = box_spool_list (cell->spool, NULL);
  g_autoptr (BoxRecording) recording = NULL;
  g_autofree char *token = g_strconcat ("resumed-", cell->token, NULL);
  const BoxSpoolEntry *entry;

  if (list->len != 1)
    return;
  entry = list->pdata[0];
  recording = box_recording_open (entry->journal_path, &cell->resume_error);
  cell->resumed = TRUE;
  if (recording == NULL)
    return;
  box_client_unref (cell->client);
  cell->client = new_client (cell, token, RESUME_TIMEOUT);
  begin_recording (cell, recording, RESUME_RETRY_TIMEOUT);
  cell->resume_error = wait_for_end (cell);
}

void
fault_cell_wait (FaultCell *cell)
{
  cell->error = wait_for_end (cell);
  cell->committed = cell->error == NULL;
  if (cell->error != NULL && cell->spool != NULL)
    resume (cell);
}

static gboolean
was_met (const FaultCell *cell)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (cell->emulator, NULL);
  JsonNode *routes = json_object_get_member (cell->c->request, "routes");
  g_autofree char *wanted = json_to_string (routes, FALSE);

  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = requests->pdata[i];

      if (request->fault != NULL && g_strcmp0 (request->token, cell->token) == 0
          && strstr (wanted, request->route) != NULL)
        return TRUE;
    }
  return FALSE;
}

/* The file that the cell makes; NULL: it is not there. */
static BoxEmulatorFile *
find_file (const FaultCell *cell)
{
  g_autofree char *other = NULL;

  if (cell->file_id != NULL && !cell->c->way->taken)
    return box_emulator_get_file (cell->emulator, cell->file_id);
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

static char *
judge_spool (const FaultCell *cell)
{
  g_autoptr (GPtrArray) list = box_spool_list (cell->spool, NULL);

  if (cell->resume_error != NULL)
    return g_strdup_printf ("%s; resumed: %s", cell->error->message, cell->resume_error->message);
  if (list->len > 0)
    return g_strdup ("the recording is at Box and in the spool");
  return NULL;
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
    problem = g_strdup_printf ("it is lost: %s", cell->error->message);
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
