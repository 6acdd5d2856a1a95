/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status/status.h"

#include "api/client.h"
#include "base/watermark.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Looks are no more frequent. Microseconds. */
#define LOOK_INTERVAL G_USEC_PER_SEC

/* The directory is listed again after this though it says that it has not changed: clocks of
 * network file systems are not ours. Microseconds. */
#define LIST_INTERVAL (30 * G_USEC_PER_SEC)

/* A time of change younger than this may hide another change: they are as coarse as the kernel's
 * clock. Nanoseconds. */
#define COARSE_TIME G_GINT64_CONSTANT (2000000000)

/* A recording that another process had is looked at again after this, since a writer that dies
 * changes nothing. Microseconds. */
#define BUSY_INTERVAL (5 * G_USEC_PER_SEC)

/* Cells of the map of a recording's parts. */
#define MAP_CELLS 60

#define STATUS_VERSION 1

typedef struct
{
  BoxSpoolEntry *entry;
  gint64 looked_at; /* monotonic */
  gint64 changed;   /* of the journal: nanoseconds and size */
  gint64 journal_size;
  guint64 size;     /* of the data, now */
  guint64 uploaded; /* bytes that Box has acknowledged */
  char *failure;    /* of this process's last attempt; nullable */
  gint64 retry_at;  /* Unix time; 0: none is known */
  gboolean working;
  gboolean committed; /* this process has said so: all of it is uploaded, and counted */
  gboolean seen;      /* by the look that goes on */
} Row;

struct _BoxStatusView
{
  gatomicrefcount ref_count;
  BoxSpool *spool;
  BoxClient *client; /* nullable */
  char *path;        /* as the file system has it */
  char *shown;       /* the same, for people: UTF-8 */

  GMutex lock;
  /* with lock */
  GHashTable *rows;   /* name → Row */
  GPtrArray *names;   /* in the order of the spool */
  gint64 listed_at;   /* monotonic; 0: they are to be listed */
  gint64 changed;     /* of the directory, before it was listed; nanoseconds */
  guint version;      /* of what there is to see */
  BoxStatusSums told; /* the sums of that version */
  gint64 looked_at;   /* monotonic; 0: never */
  guint64 drained;    /* bytes of commits since the last look */
  BoxFile *last_file; /* of this process; nullable: none yet */
  BoxRates rates;
  gboolean stale; /* something is known to have changed since */
  BoxStatusSums sums;
};

static void
free_row (gpointer data)
{
  Row *row = data;

  g_clear_pointer (&row->entry, box_spool_entry_free);
  g_free (row->failure);
  g_free (row);
}

BoxStatusView *
box_status_view_new (BoxSpool *spool, const char *path, BoxClient *client)
{
  BoxStatusView *view = g_new0 (BoxStatusView, 1);

  g_atomic_ref_count_init (&view->ref_count);
  g_mutex_init (&view->lock);
  view->spool = box_spool_ref (spool);
  view->client = client != NULL ? box_client_ref (client) : NULL;
  view->path = g_strdup (path);
  view->shown = g_filename_display_name (path);
  view->rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_row);
  view->names = g_ptr_array_new_with_free_func (g_free);
  view->sums.started = g_get_real_time () / G_USEC_PER_SEC;
  return view;
}

BoxStatusView *
box_status_view_ref (BoxStatusView *view)
{
  g_atomic_ref_count_inc (&view->ref_count);
  return view;
}

void
box_status_view_unref (BoxStatusView *view)
{
  if (!g_atomic_ref_count_dec (&view->ref_count))
    return;
  g_hash_table_unref (view->rows);
  g_ptr_array_unref (view->names);
  box_spool_unref (view->spool);
  g_clear_pointer (&view->client, box_client_unref);
  g_clear_pointer (&view->last_file, box_file_free);
  g_mutex_clear (&view->lock);
  g_free (view->path);
  g_free (view->shown);
  g_free (view);
}

static Row *
ensure_row_locked (BoxStatusView *view, const char *name)
{
  Row *row = g_hash_table_lookup (view->rows, name);

  if (row == NULL)
    {
      row = g_new0 (Row, 1);
      g_hash_table_insert (view->rows, g_strdup (name), row);
    }
  return row;
}

void
box_status_view_set_working (BoxStatusView *view, const char *name, gboolean working)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&view->lock);
  Row *row = ensure_row_locked (view, name);

  view->stale = TRUE;
  view->version++;
  row->working = working;
  row->looked_at = 0;
  if (working)
    g_clear_pointer (&row->failure, g_free);
  /* Nobody has looked meanwhile, perhaps for years: what is over is not remembered. */
  else if (row->entry == NULL)
    g_hash_table_remove (view->rows, name);
}

void
box_status_view_note_commit (BoxStatusView *view, const char *name, const BoxFile *file)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&view->lock);
  Row *row = ensure_row_locked (view, name);

  view->stale = TRUE;
  view->version++;
  view->sums.commits++;
  view->sums.last_commit = g_get_real_time () / G_USEC_PER_SEC;
  g_clear_pointer (&view->last_file, box_file_free);
  view->last_file = box_file_copy (file);
  view->drained += file->size - MIN (row->uploaded, file->size);
  row->size = row->uploaded = file->size;
  row->committed = TRUE;
}

void
box_status_view_note_failure (BoxStatusView *view, const char *name, const char *message,
                              guint wait)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&view->lock);
  Row *row = ensure_row_locked (view, name);

  view->stale = TRUE;
  view->version++;
  view->sums.failures++;
  g_free (row->failure);
  row->failure = g_strdup (message);
  row->retry_at = g_get_real_time () / G_USEC_PER_SEC + wait;
}

/* --- Looking ---------------------------------------------------------------------------------- */

/* Bytes that Box has: all of them if its file is made; what this process commits counts when it
 * says so. */
static guint64
count_uploaded (const Row *row)
{
  const BoxSpoolEntry *entry = row->entry;
  guint64 bytes;

  if (row->committed || (entry->state->file != NULL && !row->working))
    return entry->size;
  bytes = box_part_sum (entry->state->parts);
  if (bytes == 0)
    bytes = box_part_sum (entry->state->ahead);
  return MIN (bytes, entry->size);
}

static gint64
get_change (const struct stat *file)
{
  return file->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + file->st_mtim.tv_nsec;
}

/* Whether its journal is as it was. */
static gboolean
is_known (Row *row, gint64 now)
{
  struct stat data, journal;

  if (row->looked_at == 0 || stat (row->entry->journal_path, &journal) < 0
      || (row->entry->status == BOX_SPOOL_BUSY && now - row->looked_at > BUSY_INTERVAL))
    return FALSE;
  if (stat (row->entry->data_path, &data) == 0)
    row->size = (guint64) data.st_size;
  return get_change (&journal) == row->changed && journal.st_size == row->journal_size;
}

static void
look_at (BoxStatusView *view, Row *row, const char *name, gint64 now)
{
  struct stat journal;

  g_clear_pointer (&row->entry, box_spool_entry_free);
  row->entry = box_spool_look (view->spool, name);
  if (row->entry == NULL)
    return;
  row->looked_at = now;
  row->size = row->entry->size;
  row->uploaded = count_uploaded (row);
  if (stat (row->entry->journal_path, &journal) < 0)
    return;
  row->changed = get_change (&journal);
  row->journal_size = journal.st_size;
}

/* Looks at one recording; adds to @rates what has come and left since. */
static void
update_row_locked (BoxStatusView *view, const char *name, gint64 now, BoxRates *rates)
{
  Row *row = ensure_row_locked (view, name);
  gboolean is_new = row->entry == NULL;
  guint64 size = row->size, uploaded = row->uploaded, drained;

  if (row->entry == NULL || !is_known (row, now))
    {
      look_at (view, row, name, now);
      view->version++;
    }
  if (row->entry == NULL)
    return;
  row->seen = TRUE;
  view->version += row->size != size ? 1 : 0;
  /* Bytes that were there at the start came before it. */
  if (is_new && view->looked_at == 0)
    return;
  drained = row->uploaded > uploaded ? row->uploaded - uploaded : 0;
  rates->filled += row->size > size ? row->size - size : 0;
  rates->drained += drained;
  rates->released += row->entry->state->ended || row->working ? drained : 0;
}

/* A recording that went has left as a whole. */
static gboolean
drop_unseen (gpointer name, gpointer value, gpointer drained)
{
  Row *row = value;
  gboolean gone = !row->seen;

  if (gone && row->entry != NULL)
    *(guint64 *) drained += row->size - MIN (row->uploaded, row->size);
  row->seen = FALSE;
  return gone;
}

/* --- Sums ------------------------------------------------------------------------------------- */

static gboolean
is_safe (const Row *row)
{
  return row->entry->status == BOX_SPOOL_COMMITTED || row->entry->status == BOX_SPOOL_UNSETTLED
         || row->entry->status == BOX_SPOOL_KEPT;
}

/* Since when its oldest byte that is not at Box waits, as if bytes had come evenly. Unix time. */
static gint64
get_unsafe_since (const Row *row, gint64 now)
{
  const BoxRecordingIntent *intent = row->entry->state->intent;
  gint64 created =
      intent != NULL ? intent->created : box_recording_get_time_of_name (row->entry->name);

  if (created <= 0 || created > now)
    return now;
  if (row->entry->status != BOX_SPOOL_BUSY || row->size == 0)
    return created;
  return created
         + (gint64) ((double) (now - created) * ((double) row->uploaded / (double) row->size));
}

static void
add_row (const Row *row, gint64 now, BoxStatusSums *sums)
{
  gint64 since;

  sums->spool_bytes += row->size;
  if (row->entry->status == BOX_SPOOL_UNREADABLE)
    sums->unreadable++;
  sums->unsettled += row->entry->status == BOX_SPOOL_UNSETTLED ? 1 : 0;
  if (is_safe (row))
    return;
  sums->recordings++;
  sums->working += row->working ? 1 : 0;
  sums->recording += row->entry->status == BOX_SPOOL_BUSY && !row->working ? 1 : 0;
  sums->failed += row->failure != NULL || row->entry->state->failure != NULL ? 1 : 0;
  if (row->size <= row->uploaded)
    return;
  sums->backlog += row->size - row->uploaded;
  since = get_unsafe_since (row, now);
  if (sums->oldest_unsafe == 0 || since < sums->oldest_unsafe)
    sums->oldest_unsafe = since;
}

static void
measure_disk (BoxStatusView *view)
{
  struct statvfs disk;
  BoxStatusSums *sums = &view->sums;
  gint64 full_in;

  sums->free_bytes = 0;
  sums->full_in = -1;
  if (statvfs (view->path, &disk) < 0)
    return;
  sums->free_bytes = (guint64) disk.f_bavail * disk.f_frsize;
  full_in = box_rates_get_full_in (&view->rates, sums->free_bytes);
  sums->full_in = full_in >= 0 ? full_in / G_USEC_PER_SEC : -1;
}

static void
sum_locked (BoxStatusView *view)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  BoxStatusSums *sums = &view->sums;
  GHashTableIter iter;
  gpointer row;

  sums->recordings = sums->working = sums->recording = sums->failed = 0;
  sums->unsettled = sums->unreadable = 0;
  sums->backlog = sums->spool_bytes = 0;
  sums->oldest_unsafe = 0;
  g_hash_table_iter_init (&iter, view->rows);
  while (g_hash_table_iter_next (&iter, NULL, &row))
    add_row (row, now, sums);
  sums->outage_since = sums->backlog > 0 ? box_traffic_get_outage () : 0;
  measure_disk (view);
}

/* Keeps the list if the directory has not changed since. */
static gboolean
list_locked (BoxStatusView *view, gint64 now)
{
  gint64 clock = g_get_real_time () * 1000, changed = 0;
  GPtrArray *names;
  struct stat dir;

  if (stat (view->path, &dir) == 0)
    changed = get_change (&dir);
  if (view->listed_at != 0 && changed != 0 && changed == view->changed
      && now - view->listed_at < LIST_INTERVAL)
    return TRUE;
  names = box_spool_list_names (view->spool, NULL);
  if (names == NULL)
    return FALSE;
  g_ptr_array_unref (view->names);
  view->names = names;
  view->changed = clock - changed > COARSE_TIME ? changed : 0;
  view->listed_at = now;
  return TRUE;
}

/* Counts another version if the sums have changed by more than a little room on the disk. */
static void
compare_sums_locked (BoxStatusView *view)
{
  BoxStatusSums sums = view->sums;

  if (ABS ((gint64) (sums.free_bytes - view->told.free_bytes))
      < (gint64) (view->told.free_bytes / 100))
    sums.free_bytes = view->told.free_bytes;
  sums.fill_rate = (double) (gint64) sums.fill_rate;
  sums.drain_rate = (double) (gint64) sums.drain_rate;
  if (memcmp (&sums, &view->told, sizeof sums) == 0)
    return;
  view->told = sums;
  view->version++;
}

static void
look_locked (BoxStatusView *view)
{
  gint64 now = g_get_monotonic_time ();
  BoxRates *rates = &view->rates;
  guint64 drained = rates->drained, gone = 0;

  if (view->looked_at != 0 && !view->stale && now - view->looked_at < LOOK_INTERVAL)
    return;
  view->stale = FALSE;
  if (!list_locked (view, now))
    return;
  for (guint i = 0; i < view->names->len; i++)
    update_row_locked (view, view->names->pdata[i], now, rates);
  view->version += g_hash_table_foreach_remove (view->rows, drop_unseen, &gone);
  rates->drained += gone + view->drained;
  rates->released += gone + view->drained;
  view->drained = 0;
  view->sums.uploaded += rates->drained - drained;
  box_rates_look (rates, now);
  view->sums.fill_rate = rates->fill;
  view->sums.drain_rate = rates->drain;
  view->looked_at = now;
  sum_locked (view);
  compare_sums_locked (view);
}

guint
box_status_view_get_version (BoxStatusView *view)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&view->lock);

  look_locked (view);
  return view->version;
}

void
box_status_view_get_sums (BoxStatusView *view, BoxStatusSums *sums)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&view->lock);

  look_locked (view);
  *sums = view->sums;
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

/* A number that is not known is null. */
static void
add_known (JsonBuilder *builder, const char *name, gint64 value, gint64 unknown)
{
  json_builder_set_member_name (builder, name);
  if (value != unknown)
    json_builder_add_int_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

/* One digit a cell: how many tenths of its bytes are at Box, "9" also for all. */
static char *
draw_map (const Row *row)
{
  GPtrArray *parts = row->entry->state->parts;
  guint64 cells[MAP_CELLS] = { 0 };
  double width = (double) row->size / MAP_CELLS;
  char *map;

  if (row->size == 0 || parts == NULL || parts->len == 0)
    return NULL;
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = parts->pdata[i];
      guint64 end = part->offset + part->size;

      for (guint64 at = part->offset; at < end && at < row->size;)
        {
          guint cell = MIN ((guint) ((double) at / width), MAP_CELLS - 1);
          guint64 next = MAX (at + 1, MIN (end, (guint64) (width * (cell + 1))));

          cells[cell] += next - at;
          at = next;
        }
    }
  map = g_new0 (char, MAP_CELLS + 1);
  for (guint i = 0; i < MAP_CELLS; i++)
    map[i] = (char) ('0' + MIN ((int) ((double) cells[i] / width * 9.5), 9));
  return map;
}

static const char *
get_state (const Row *row)
{
  if (row->working)
    return "uploading";
  switch (row->entry->status)
    {
    case BOX_SPOOL_BUSY:
      return row->entry->state->ended ? "uploading" : "recording";
    case BOX_SPOOL_COMMITTED:
      return "committed";
    case BOX_SPOOL_UNSETTLED:
      return "unsettled";
    case BOX_SPOOL_KEPT:
      return "kept";
    case BOX_SPOOL_UNREADABLE:
      return "unreadable";
    case BOX_SPOOL_INTERRUPTED:
    case BOX_SPOOL_COMPLETE:
    default:
      return row->failure != NULL || row->entry->state->failure != NULL ? "failed" : "waiting";
    }
}

/* The members file_id and link of a file that Box has. */
static void
add_file (JsonBuilder *builder, const BoxStatusView *view, const BoxFile *file)
{
  g_autofree char *link =
      file != NULL && view->client != NULL ? box_client_format_link (view->client, file->id) : NULL;

  add_string (builder, "file_id", file != NULL ? file->id : NULL);
  add_string (builder, "link", link);
}

static void
add_recording (JsonBuilder *builder, const BoxStatusView *view, const char *name, const Row *row,
               gint64 now)
{
  const BoxJournalState *state = row->entry->state;
  const BoxDestination *destination = state->intent != NULL ? state->intent->destination : NULL;
  g_autofree char *map = draw_map (row);
  gboolean safe = is_safe (row) || row->size <= row->uploaded;

  json_builder_begin_object (builder);
  add_string (builder, "name", name);
  add_string (builder, "file", destination != NULL ? destination->name : NULL);
  add_string (builder, "folder_id", destination != NULL ? destination->folder_id : NULL);
  add_file (builder, view, state->file);
  add_string (builder, "state", get_state (row));
  add_int (builder, "size", (gint64) row->size);
  add_int (builder, "bytes_uploaded", (gint64) row->uploaded);
  add_string (builder, "map", map);
  json_builder_set_member_name (builder, "interrupted");
  json_builder_add_boolean_value (builder, row->entry->status == BOX_SPOOL_INTERRUPTED);
  add_known (builder, "created", state->intent != NULL ? state->intent->created : 0, 0);
  add_known (builder, "unsafe_since", safe ? 0 : get_unsafe_since (row, now), 0);
  add_string (builder, "failure",
              row->failure != NULL          ? row->failure
              : row->entry->problem != NULL ? row->entry->problem
                                            : state->failure);
  add_known (builder, "retry_at", row->failure != NULL ? row->retry_at : 0, 0);
  json_builder_end_object (builder);
}

static void
add_last_file (JsonBuilder *builder, const BoxStatusView *view)
{
  json_builder_set_member_name (builder, "last_file");
  if (view->last_file == NULL)
    {
      json_builder_add_null_value (builder);
      return;
    }
  json_builder_begin_object (builder);
  add_string (builder, "name", view->last_file->name);
  add_file (builder, view, view->last_file);
  json_builder_end_object (builder);
}

static void
add_sums (JsonBuilder *builder, const BoxStatusView *view, gint64 now)
{
  const BoxStatusSums *sums = &view->sums;
  gboolean trouble = sums->failed + sums->unreadable > 0;

  add_int (builder, "version", STATUS_VERSION);
  add_int (builder, "time", now);
  add_int (builder, "started", sums->started);
  add_string (builder, "state", trouble ? "trouble" : sums->backlog > 0 ? "unsafe" : "safe");
  add_string (builder, "spool", view->shown);
  add_int (builder, "spool_bytes", (gint64) sums->spool_bytes);
  add_int (builder, "free_bytes", (gint64) sums->free_bytes);
  add_known (builder, "full_in", sums->full_in, -1);
  add_int (builder, "backlog_bytes", (gint64) sums->backlog);
  add_known (builder, "oldest_unsafe", sums->oldest_unsafe, 0);
  add_known (builder, "outage_since", sums->outage_since, 0);
  add_int (builder, "oldest_unsafe_age",
           sums->oldest_unsafe > 0 ? MAX (now - sums->oldest_unsafe, 0) : 0);
  add_int (builder, "fill_rate", (gint64) sums->fill_rate);
  add_int (builder, "drain_rate", (gint64) sums->drain_rate);
  add_int (builder, "uploaded_bytes", (gint64) sums->uploaded);
  add_int (builder, "commits", (gint64) sums->commits);
  add_int (builder, "failures", (gint64) sums->failures);
  add_known (builder, "last_commit", sums->last_commit, 0);
  add_last_file (builder, view);
}

JsonNode *
box_status_view_to_json (BoxStatusView *view)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&view->lock);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  look_locked (view);
  json_builder_begin_object (builder);
  add_sums (builder, view, now);
  json_builder_set_member_name (builder, "recordings");
  json_builder_begin_array (builder);
  for (guint i = 0; i < view->names->len; i++)
    {
      const char *name = view->names->pdata[i];
      const Row *row = g_hash_table_lookup (view->rows, name);

      if (row != NULL && row->entry != NULL)
        add_recording (builder, view, name, row, now);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
