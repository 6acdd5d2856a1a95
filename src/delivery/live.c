/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/growing.h"

#include "api/folder.h"
#include "base/process.h"

#include <sys/eventfd.h>
#include <unistd.h>

/* Small writes leave together, when they have this size or age (bytes, microseconds): 60 MB in
 * pieces of 1316 bytes cost 1.7 CPU s in a chunk each, and 0.17 like this. */
#define BATCH     (64u << 10)
#define BATCH_AGE (100 * G_TIME_SPAN_MILLISECOND)

/* Bytes of the body that may be read from the file at once. */
#define LONGEST_READ (1u << 20)

struct _BoxLive
{
  /* immutable */
  BoxRecording *recording;
  BoxUploadSettings settings;
  BoxLiveEvents events;
  gpointer user_data;
  gint64 patience; /* how long the stream may stand still, microseconds */
  BoxPace *pace;
  GCancellable *cancellable;
  int wakeup; /* an eventfd: there is something new to take */

  GThread *thread; /* the producer's; NULL before it is started */

  /* the live thread */
  BoxDestination *place;  /* where the destination's path leads to */
  BoxDestination *target; /* where the file really goes, by if_exists */
  char *etag;             /* of the file that gets a version; nullable */
  gboolean begun;         /* Box would take the file */

  GMutex lock;
  GCond changed;
  /* with lock */
  guint64 available;    /* bytes of the recording */
  guint64 taken;        /* by the request */
  guint64 sent;         /* to the network */
  gint64 waiting_since; /* monotonic: when the first byte that was not taken came */
  gint64 grown_at;      /* monotonic: when the last byte came, or the request began */
  gboolean resting;     /* the request has nothing to send */
  gboolean finished;
  gboolean cancelled;
  BoxSha1 sha1;
  GError *broken; /* by the producer */
  gboolean over;
  BoxFile *file; /* nullable */
};

/* --- The bytes ------------------------------------------------------------------------------ */

static void
wake (BoxLive *live)
{
  (void) !eventfd_write (live->wakeup, 1);
  g_cond_broadcast (&live->changed);
}

static BoxSourceState
stand_still_locked (BoxLive *live, gint64 now, gint64 *rest, GError **error)
{
  *rest = live->grown_at + live->patience - now;
  if (*rest > 0)
    return BOX_SOURCE_RESTS;
  g_set_error (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "the stream stood still for %u s",
               (guint) (live->patience / G_USEC_PER_SEC));
  return BOX_SOURCE_FAILED;
}

/* What there is to do at @offset; BYTES: @length of them may leave now. */
static BoxSourceState
look_locked (BoxLive *live, guint64 offset, gsize *length, gint64 *rest, GError **error)
{
  gint64 now = g_get_monotonic_time ();
  guint64 there = live->available - offset;

  live->resting = FALSE;
  if (live->broken != NULL)
    {
      g_propagate_error (error, g_error_copy (live->broken));
      return BOX_SOURCE_FAILED;
    }
  if (there >= BATCH || (there > 0 && (live->finished || now >= live->waiting_since + BATCH_AGE)))
    {
      *length = (gsize) MIN (there, *length);
      live->taken = offset + *length;
      live->waiting_since = now;
      return BOX_SOURCE_BYTES;
    }
  if (live->finished)
    return BOX_SOURCE_ENDED;
  live->resting = TRUE;
  if (there == 0)
    return stand_still_locked (live, now, rest, error);
  *rest = live->waiting_since + BATCH_AGE - now;
  return BOX_SOURCE_RESTS;
}

static BoxSourceState
take (gpointer user_data, guint64 offset, guint8 *buffer, gsize *length, gint64 *rest,
      GError **error)
{
  BoxLive *live = user_data;
  BoxSourceState state;
  eventfd_t count;

  (void) !eventfd_read (live->wakeup, &count);
  *length = MIN (*length, LONGEST_READ);
  g_mutex_lock (&live->lock);
  state = look_locked (live, offset, length, rest, error);
  g_mutex_unlock (&live->lock);
  if (state == BOX_SOURCE_BYTES
      && !box_recording_read (live->recording, offset, buffer, *length, error))
    return BOX_SOURCE_FAILED;
  return state;
}

static void
count_sent (gpointer user_data, guint64 position)
{
  BoxLive *live = user_data;

  g_mutex_lock (&live->lock);
  live->sent = position;
  g_mutex_unlock (&live->lock);
}

static void
sum (gpointer user_data, guint64 *size, BoxSha1 *sha1)
{
  BoxLive *live = user_data;

  g_mutex_lock (&live->lock);
  *size = live->available;
  *sha1 = live->sha1;
  g_mutex_unlock (&live->lock);
}

/* --- The request ---------------------------------------------------------------------------- */

/* The etag of a target that is a file. Credentials that may only upload have it from the conflict
 * of names, or do without. */
static gboolean
find_etag (BoxLive *live, BoxTransport *transport, const BoxFile *conflict, GError **error)
{
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) reason = NULL;

  g_clear_pointer (&live->etag, g_free);
  if (live->target->kind != BOX_DESTINATION_FILE)
    return TRUE;
  file = box_client_get_file (live->settings.client, transport, live->target->file_id,
                              live->cancellable, &reason);
  if (file == NULL && !g_error_matches (reason, BOX_ERROR, BOX_ERROR_FORBIDDEN))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (file != NULL)
    live->etag = g_strdup (file->etag);
  else if (conflict != NULL)
    live->etag = g_strdup (conflict->etag);
  return TRUE;
}

static gboolean
try_target (BoxLive *live, BoxTransport *transport, const BoxFile *conflict, GError **error)
{
  /* The size is not known yet; that there is room for a byte is a beginning. */
  return find_etag (live, transport, conflict, error)
         && box_client_preflight (live->settings.client, transport, live->target, 1,
                                  live->cancellable, error);
}

/* Where Box would take the file, by if_exists. */
static gboolean
find_target (BoxLive *live, BoxTransport *transport, GError **error)
{
  const BoxUploadSettings *settings = &live->settings;
  g_autoptr (BoxFile) conflict = NULL;

  g_clear_pointer (&live->target, box_destination_free);
  live->target = box_destination_copy (live->place);
  for (guint n = 0;; n++)
    {
      g_autoptr (GError) failure = NULL;
      BoxDestination *other;

      if (try_target (live, transport, conflict, &failure))
        return TRUE;
      other =
          box_destination_choose_other (live->place, live->target, settings->if_exists, n, failure);
      if (other == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      g_clear_pointer (&conflict, box_file_free);
      conflict = box_file_from_conflict (failure);
      box_destination_free (live->target);
      live->target = other;
    }
}

/* Follows the destination's path; @cached: nobody was asked whether its end is still there. */
static gboolean
find_place (BoxLive *live, BoxTransport *transport, gboolean *cached, GError **error)
{
  const BoxDestination *destination = live->settings.destination;
  g_autofree char *id = NULL;
  g_autoptr (GError) reason = NULL;

  *cached = FALSE;
  g_clear_pointer (&live->place, box_destination_free);
  if (destination->kind != BOX_DESTINATION_FOLDER || destination->path == NULL)
    {
      live->place = box_destination_copy (destination);
      return TRUE;
    }
  id = box_folder_path_resolve (live->settings.client, transport, destination->folder_id,
                                (const char *const *) destination->path, !destination->no_create,
                                cached, live->cancellable, error);
  if (id == NULL)
    return FALSE;
  if (!box_recording_set_folder (live->recording, id, &reason))
    g_info ("%s", reason->message);
  live->place = box_destination_new_resolved (destination, id);
  return TRUE;
}

static gboolean
find_way (BoxLive *live, BoxTransport *transport, GError **error)
{
  const BoxDestination *destination = live->settings.destination;
  g_autoptr (GError) failure = NULL;
  gboolean cached;

  if (!find_place (live, transport, &cached, error))
    return FALSE;
  if (find_target (live, transport, &failure))
    return TRUE;
  if (!cached || !g_error_matches (failure, BOX_ERROR, BOX_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* A folder that was remembered has gone since. */
  box_folder_path_forget (live->settings.client, destination->folder_id,
                          (const char *const *) destination->path);
  return find_place (live, transport, &cached, error) && find_target (live, transport, error);
}

/* A request without a byte would be a file without one. */
static gboolean
await_first_byte (BoxLive *live, GError **error)
{
  gboolean begun;

  g_mutex_lock (&live->lock);
  while (live->available == 0 && !live->cancelled && live->broken == NULL)
    g_cond_wait (&live->changed, &live->lock);
  live->grown_at = g_get_monotonic_time ();
  begun = !live->cancelled && live->broken == NULL;
  if (live->broken != NULL)
    g_propagate_error (error, g_error_copy (live->broken));
  else if (!begun)
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_CANCELLED, "Stopped");
  g_mutex_unlock (&live->lock);
  return begun;
}

/* Box has made another file of it, of a name that was free: the recording becomes that one's next
 * version. */
static void
replace (BoxLive *live, BoxTransport *transport, const char *wrong)
{
  g_autoptr (BoxDestination) file = box_destination_new_file (wrong, NULL);
  g_autoptr (BoxFile) there = NULL;
  g_autoptr (GError) error = NULL;

  if (file == NULL || live->target->kind != BOX_DESTINATION_FOLDER
      || box_client_preflight (live->settings.client, transport, live->target, 0, live->cancellable,
                               &error))
    return;
  there = box_file_from_conflict (error);
  g_clear_error (&error);
  if (there != NULL && g_strcmp0 (there->id, wrong) == 0
      && !box_recording_redirect (live->recording, file, live->settings.if_exists, &error))
    g_info ("%s", error->message);
}

static BoxFile *
send_stream (BoxLive *live, BoxTransport *transport, GError **error)
{
  const BoxBodySource source = { .fd = live->wakeup, .take = take };
  const BoxBody body = { .size = BOX_BODY_UNKNOWN_SIZE,
                         .source = &source,
                         .progress = count_sent,
                         .user_data = live,
                         .pace = live->pace };
  const BoxLiveSource content = { .body = &body, .sum = sum, .user_data = live };
  g_autofree char *wrong = NULL;
  BoxFile *file;

  /* From here on the request may have made the file, even if it fails. */
  if (!box_recording_set_live (live->recording, live->target, error))
    return NULL;
  file = box_client_upload_live (live->settings.client, transport, live->target, &content,
                                 &live->settings.attributes, live->etag, &wrong, live->cancellable,
                                 error);
  if (wrong != NULL)
    replace (live, transport, wrong);
  return file;
}

static BoxFile *
carry (BoxLive *live, GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();

  live->begun = find_way (live, transport, error);
  if (!live->begun || !await_first_byte (live, error))
    return NULL;
  return send_stream (live, transport, error);
}

/* A line that the journal misses is found out from Box. */
static void
note_committed (BoxLive *live, const BoxFile *file)
{
  g_autoptr (GError) error = NULL;

  if (!box_recording_set_committed (live->recording, file, &error))
    g_info ("%s", error->message);
}

static gpointer
run (gpointer data)
{
  BoxLive *live = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxFile) file = carry (live, &error);
  gboolean cancelled;

  if (file != NULL)
    note_committed (live, file);
  g_mutex_lock (&live->lock);
  live->file = file != NULL ? box_file_copy (file) : NULL;
  cancelled = live->cancelled;
  g_mutex_unlock (&live->lock);
  if (file != NULL && live->events.completed != NULL)
    live->events.completed (file, live->user_data);
  else if (file == NULL && !cancelled && live->events.failed != NULL)
    live->events.failed (error, live->begun, live->user_data);
  g_mutex_lock (&live->lock);
  live->over = TRUE;
  g_cond_broadcast (&live->changed);
  g_mutex_unlock (&live->lock);
  return NULL;
}

/* --- Life ----------------------------------------------------------------------------------- */

BoxLive *
box_live_new (BoxRecording *recording, const BoxUploadSettings *settings,
              const BoxLiveEvents *events, gpointer user_data, GError **error)
{
  BoxLive *live;
  int wakeup;

  if (!box_process_check_descriptors (BOX_PROCESS_DESCRIPTORS_TO_BEGIN, "for another recording",
                                      error))
    return NULL;
  wakeup = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeup < 0)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_SPACE,
                           "The system has no file descriptor left to upload with: raise the limit "
                           "(ulimit -n, LimitNOFILE=) or record fewer channels in one process");
      return NULL;
    }
  live = g_new0 (BoxLive, 1);
  live->recording = box_recording_ref (recording);
  live->settings = *settings;
  live->events = *events;
  live->user_data = user_data;
  live->patience = (gint64) box_client_get_timeout (settings->client) * G_USEC_PER_SEC;
  live->pace = box_pace_new (settings->upload_rate);
  live->cancellable = g_cancellable_new ();
  live->wakeup = wakeup;
  g_mutex_init (&live->lock);
  g_cond_init (&live->changed);
  return live;
}

gboolean
box_live_start (BoxLive *live, GError **error)
{
  live->thread = box_process_start_thread ("box-live", "to upload with", run, live, error);
  if (live->thread != NULL)
    return TRUE;
  g_mutex_lock (&live->lock);
  live->over = TRUE;
  g_mutex_unlock (&live->lock);
  return FALSE;
}

void
box_live_free (BoxLive *live)
{
  if (live == NULL)
    return;
  box_live_cancel (live);
  if (live->thread != NULL)
    g_thread_join (live->thread);
  box_recording_unref (live->recording);
  box_pace_unref (live->pace);
  g_object_unref (live->cancellable);
  close (live->wakeup);
  g_clear_pointer (&live->place, box_destination_free);
  g_clear_pointer (&live->target, box_destination_free);
  g_free (live->etag);
  g_clear_error (&live->broken);
  g_clear_pointer (&live->file, box_file_free);
  g_mutex_clear (&live->lock);
  g_cond_clear (&live->changed);
  g_free (live);
}

/* --- The producer --------------------------------------------------------------------------- */

void
box_live_advance (BoxLive *live, guint64 available)
{
  gint64 now = g_get_monotonic_time ();
  gboolean first;

  g_mutex_lock (&live->lock);
  first = live->available == live->taken;
  if (first)
    live->waiting_since = now;
  live->available = available;
  live->grown_at = now;
  /* With the first byte its clock begins. */
  if (live->taken == 0 || (live->resting && (first || available - live->taken >= BATCH)))
    wake (live);
  g_mutex_unlock (&live->lock);
}

void
box_live_finish (BoxLive *live, guint64 size, const BoxSha1 *sha1)
{
  g_mutex_lock (&live->lock);
  live->available = size;
  live->sha1 = *sha1;
  live->finished = TRUE;
  wake (live);
  g_mutex_unlock (&live->lock);
}

void
box_live_break (BoxLive *live, GError *error)
{
  g_mutex_lock (&live->lock);
  if (live->broken == NULL && !live->over)
    live->broken = g_steal_pointer (&error);
  wake (live);
  g_mutex_unlock (&live->lock);
  g_clear_error (&error);
}

BoxWait
box_live_wait (BoxLive *live)
{
  BoxWait wait;

  g_mutex_lock (&live->lock);
  while (!live->over)
    g_cond_wait (&live->changed, &live->lock);
  wait = live->file != NULL ? BOX_WAIT_READY : BOX_WAIT_FAILED;
  g_mutex_unlock (&live->lock);
  return wait;
}

/* --- Any thread ----------------------------------------------------------------------------- */

void
box_live_cancel (BoxLive *live)
{
  g_mutex_lock (&live->lock);
  live->cancelled = TRUE;
  g_cond_broadcast (&live->changed);
  g_mutex_unlock (&live->lock);
  g_cancellable_cancel (live->cancellable);
}

BoxFile *
box_live_get_file (BoxLive *live)
{
  BoxFile *file;

  g_mutex_lock (&live->lock);
  file = live->file != NULL ? box_file_copy (live->file) : NULL;
  g_mutex_unlock (&live->lock);
  return file;
}

void
box_live_set_rate (BoxLive *live, guint64 bytes_per_second)
{
  box_pace_set_rate (live->pace, bytes_per_second);
}

void
box_live_get_stats (BoxLive *live, BoxUploadStats *stats)
{
  g_mutex_lock (&live->lock);
  *stats = (BoxUploadStats){
    .bytes_received = live->available,
    .bytes_uploaded = live->file != NULL ? live->available : 0,
    .bytes_under_way = live->file == NULL ? live->sent : 0,
    .bytes_sent = live->sent,
    .bytes_total = live->finished ? live->available : 0,
  };
  g_mutex_unlock (&live->lock);
}
