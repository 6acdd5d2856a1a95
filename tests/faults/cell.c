/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cell-state.h"

#include "kit/emulator.h"
#include "kit/keys.h"
#include "kit/patience.h"
#include "kit/pattern.h"
#include "kit/places.h"

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

/* Of the cell: one that has to survive has time for that on a busy machine, too; and of what
 * resumes it, which no fault meets. Seconds. */
#define TIMEOUT              5
#define RETRY_TIMEOUT        8
#define PATIENT_TIMEOUT      10
#define PATIENT_RETRY        120
#define RESUME_TIMEOUT       60
#define RESUME_RETRY_TIMEOUT 120

#define OLD_CONTENT "the version before"

guint64
fault_cell_part_size (const FaultWay *way)
{
  return way->large ? LARGE_PART : SMALL_PART;
}

BoxEmulatorPlan
fault_cell_plan (const FaultWay *way)
{
  return way->source == FAULT_AHEAD ? BOX_EMULATOR_PLAN_ACCOUNT : BOX_EMULATOR_PLAN_ABSENT;
}

static guint64
choose_size (const FaultWay *way)
{
  if (way->large)
    return LARGE_SIZE;
  return way->to == FAULT_TO_SESSION ? PARTS_SIZE : DIRECT_SIZE;
}

static BoxClient *
new_client (const FaultCell *cell, const char *token, const char *config, guint timeout)
{
  BoxClientSettings settings = {
    .access_token = config == NULL ? token : NULL,
    .auth_config = config,
    .timeout = timeout,
  };

  return kit_client_new (cell->emulator, FALSE, &settings);
}

/* The emulator is the cell's alone: its accounts are. */
static void
write_config (FaultCell *cell)
{
  static GMutex lock;
  static TestKey *key;
  g_autofree char *escaped = NULL;
  g_autofree char *accounts = NULL;
  g_autofree char *config = NULL;
  GError *error = NULL;

  g_mutex_lock (&lock);
  if (key == NULL)
    key = test_key_new (GNUTLS_PK_RSA);
  g_mutex_unlock (&lock);
  escaped = g_strescape (key->public_pem, NULL);
  accounts =
      g_strdup_printf ("{\"clients\": [{\"client_id\": \"client-1\", \"client_secret\": \"%s\","
                       " \"enterprise_id\": \"4711\", \"public_keys\": {\"key-1\": \"%s\"}}],"
                       " \"refresh_tokens\": [{\"token\": \"%s\", \"client_id\": \"client-1\"}]}",
                       TEST_CLIENT_SECRET, escaped, cell->token);
  if (!box_emulator_load_accounts (cell->emulator, accounts, &error))
    g_error ("%s: %s", cell->c->name, error->message);
  config = g_str_equal (cell->c->way->grant, "jwt")
               ? test_app_config (key->pkcs8, NULL, NULL)
               : g_strdup_printf ("{\"client_id\": \"client-1\", \"client_secret\": \"%s\","
                                  " \"refresh_token\": \"%s\"}",
                                  TEST_CLIENT_SECRET, cell->token);
  cell->config = g_strconcat (cell->dir, ".json", NULL);
  kit_write_text (cell->config, config);
}

static void
make_destination (FaultCell *cell)
{
  const FaultWay *way = cell->c->way;
  g_autofree char *id = NULL;

  if (way->to == FAULT_TO_FILE || way->of_file || way->taken)
    cell->file_id =
        box_emulator_add_file (cell->emulator, "0", cell->name, OLD_CONTENT, strlen (OLD_CONTENT));
  if (way->folders)
    cell->destination = box_destination_new_in_path (
        "0", (const char *const[]){ "Cells", cell->token, NULL }, TRUE, cell->name, NULL);
  else if (way->to == FAULT_TO_FOLDER)
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
  if (c->way->metadata)
    cell->metadata = box_metadata_new_from_pairs (NULL, (const char *const[]){ "k=v", NULL }, NULL);
  make_destination (cell);
  rules = fault_case_format_rules (c, c->way->grant == NULL ? cell->token : NULL);
  if (!box_emulator_load_scenario (emulator, rules, &error))
    g_error ("%s: %s: %s", c->name, rules, error->message);
  if (c->way->grant != NULL)
    write_config (cell);
  cell->client = new_client (cell, cell->token, cell->config,
                             fault_case_passes (c) ? PATIENT_TIMEOUT : TIMEOUT);
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
  g_free (cell->config);
  g_clear_pointer (&cell->metadata, box_metadata_unref);
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

static guint
get_retry_timeout (const FaultCell *cell)
{
  return fault_case_passes (cell->c) ? PATIENT_RETRY : RETRY_TIMEOUT;
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
    .metadata = cell->metadata,
    .parallel = 2,
    .max_memory = 4 * LARGE_PART,
    .retry_timeout = get_retry_timeout (cell),
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
  gboolean unknown = source == FAULT_UNKNOWN || source == FAULT_LIVE || source == FAULT_AHEAD;
  g_autofree char *account = g_strconcat (cell->dir, ".account", NULL);
  BoxDeliverySettings settings = {
    .upload = make_settings (cell, unknown ? 0 : cell->total),
    .sizing = unknown                   ? BOX_SIZING_SPOOL
              : source == FAULT_RESERVE ? BOX_SIZING_RESERVE
                                        : BOX_SIZING_EXACT,
    .padding = source == FAULT_RESERVE ? BOX_PADDING_ZERO : BOX_PADDING_NONE,
    .live = source == FAULT_LIVE,
    .ahead = source == FAULT_AHEAD,
    .expected_size = 2 * cell->size,
    .account_file = account,
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
    .metadata = cell->metadata,
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
      begin_recording (cell, recording, get_retry_timeout (cell));
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

/* The network is well again, and another process finds the recording @entry. */
static void
resume (FaultCell *cell, const BoxSpoolEntry *entry)
{
  g_autofree char *token = g_strconcat ("resumed-", cell->token, NULL);
  g_autoptr (BoxRecording) recording =
      box_recording_open (entry->journal_path, &cell->resume_error);

  cell->resumed = TRUE;
  if (recording == NULL)
    return;
  box_client_unref (cell->client);
  cell->client = new_client (cell, token, NULL, RESUME_TIMEOUT);
  begin_recording (cell, recording, RESUME_RETRY_TIMEOUT);
  cell->resume_error = wait_for_end (cell);
}

/* Without an error only metadata may be missing. */
static void
resume_rest (FaultCell *cell)
{
  g_autoptr (GPtrArray) list = box_spool_list (cell->spool, NULL);
  const BoxSpoolEntry *entry = list->len == 1 ? list->pdata[0] : NULL;

  if (entry != NULL && (cell->error != NULL || entry->status == BOX_SPOOL_UNSETTLED))
    resume (cell, entry);
}

void
fault_cell_wait (FaultCell *cell)
{
  cell->error = wait_for_end (cell);
  cell->committed = cell->error == NULL;
  if (cell->spool != NULL)
    resume_rest (cell);
}
