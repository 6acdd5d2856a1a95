/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/growing.h"

#include <errno.h>
#include <unistd.h>

#include "api/account.h"
#include "base/process.h"
#include "delivery/attempt.h"
#include "delivery/policy.h"

/* The size of a seed of which nothing is known. Bytes. */
#define USUAL_SIZE (G_GUINT64_CONSTANT (1) << 30)

/* Bytes at the end of the file that may not rest yet: more than programs write at a time. */
#define MARGIN (G_GUINT64_CONSTANT (1) << 20)

/* Workers are told of new bytes each time that so many have come. Bytes. */
#define STEP (256u << 10)

/* A file that is cut is followed from its beginning again, this often. */
#define SEEDS_MAX 3

struct _BoxFollow
{
  /* immutable */
  int fd;
  BoxUploadSettings settings;
  guint64 size; /* of a seed */
  char *account_file;

  /* the owner's thread */
  BoxUpload *upload; /* the seed's; NULL: none */
  guint n_seeds;
  guint64 published; /* bytes that workers may read */
  GPtrArray *seeds;  /* of BoxSession: those that have ended */
  gboolean is_asked; /* whether it is of use */
  gboolean is_of_use;

  GMutex lock;
  /* with lock */
  GPtrArray *parts; /* of BoxPart */
  guint64 bytes;
  GError *failure;     /* of the seed; nullable */
  gboolean is_useless; /* sessions have no plan */
};

/* ---- what the seed tells ---- */

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  BoxFollow *follow = user_data;

  g_mutex_lock (&follow->lock);
  follow->is_useless = session->plan_url == NULL;
  g_mutex_unlock (&follow->lock);
}

/* Most containers write their head again at the end: it is sent once, with the rest. */
static gboolean
on_part_wanted (guint64 offset, guint64 size, gpointer user_data)
{
  BoxFollow *follow = user_data;
  gboolean useless;

  g_mutex_lock (&follow->lock);
  useless = follow->is_useless;
  g_mutex_unlock (&follow->lock);
  return offset > 0 && !useless;
}

static void
on_part_done (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  BoxFollow *follow = user_data;
  BoxPart *known = box_part_copy (part);

  /* The digests that count are those of the finished file. */
  known->has_sha1 = known->has_sha512 = FALSE;
  g_mutex_lock (&follow->lock);
  g_ptr_array_add (follow->parts, known);
  follow->bytes += part->size;
  g_mutex_unlock (&follow->lock);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  BoxFollow *follow = user_data;

  g_info ("Nothing more is sent ahead: %s", error->message);
  g_mutex_lock (&follow->lock);
  if (follow->failure == NULL)
    follow->failure = g_error_copy (error);
  g_mutex_unlock (&follow->lock);
}

static const BoxUploadEvents seed_events = {
  .session_opened = on_session_opened,
  .part_wanted = on_part_wanted,
  .part_done = on_part_done,
  .failed = on_failed,
};

/* ---- the seed ---- */

static gboolean
is_of_use (BoxFollow *follow)
{
  BoxPlanScope scope = BOX_PLAN_SCOPE_UNKNOWN;

  if (follow->settings.client == NULL)
    return FALSE;
  if (follow->is_asked)
    return follow->is_of_use;
  if (follow->account_file != NULL)
    scope = box_account_get_plan (follow->account_file, follow->settings.client);
  follow->is_asked = TRUE;
  follow->is_of_use = scope == BOX_PLAN_SCOPE_UNKNOWN || scope == BOX_PLAN_SCOPE_ACCOUNT;
  return follow->is_of_use;
}

static void
open_seed (BoxFollow *follow)
{
  BoxUploadSettings seed = follow->settings;
  g_autoptr (GError) error = NULL;
  BoxBlocksFile file;

  if (!is_of_use (follow) || follow->n_seeds == SEEDS_MAX
      || !box_feed_keep_file (follow->fd, &file, &error))
    return;
  follow->n_seeds++;
  follow->published = 0;
  g_mutex_lock (&follow->lock);
  g_clear_error (&follow->failure);
  g_mutex_unlock (&follow->lock);
  seed.size = follow->size;
  seed.commit = FALSE;
  seed.on_error = BOX_ON_ERROR_KEEP;
  seed.file = &file;
  seed.file_grows = TRUE;
  seed.session = NULL;
  follow->upload = box_upload_new (&seed, &seed_events, follow, NULL, &error);
  if (follow->upload != NULL)
    box_upload_start (follow->upload);
  else
    file.destroy (file.user_data);
}

/* @drain: parts that are on their way arrive. */
static void
close_seed (BoxFollow *follow, gboolean drain)
{
  BoxSession *session;

  if (follow->upload == NULL)
    return;
  if (drain)
    box_upload_drain (follow->upload);
  box_upload_close (follow->upload);
  session = box_upload_get_session (follow->upload);
  if (session != NULL)
    g_ptr_array_add (follow->seeds, session);
  g_clear_pointer (&follow->upload, box_upload_unref);
}

/* Up to where the file rests: not within the last bytes, and not in a hole, which a program that
 * reserves room has not filled yet. */
static guint64
find_rest (BoxFollow *follow, guint64 size)
{
  off_t hole = lseek (follow->fd, (off_t) MIN (follow->published, size), SEEK_HOLE);
  guint64 end = hole >= 0 ? MIN ((guint64) hole, size) : size;

  return MIN (end - MIN (end, MARGIN), follow->size - 1);
}

static void
advance (BoxFollow *follow, guint64 size)
{
  guint64 rest, n;

  if (size < follow->published)
    {
      g_info ("The file was cut to %" G_GUINT64_FORMAT " bytes", size);
      close_seed (follow, FALSE);
      open_seed (follow);
    }
  rest = find_rest (follow, size);
  /* A short file gets no seed: it is sent at its end in no time. */
  if (follow->n_seeds == 0 && size >= BOX_SESSION_MIN_SIZE)
    open_seed (follow);
  if (follow->upload == NULL || rest < follow->published + STEP)
    return;
  n = rest - follow->published;
  follow->published = rest;
  box_upload_write (follow->upload, NULL, n);
}

/* ---- its life ---- */

BoxFollow *
box_follow_new (int fd, const BoxUploadSettings *settings, guint64 expected_size,
                const char *account_file)
{
  BoxFollow *follow = g_new0 (BoxFollow, 1);

  follow->fd = fd;
  if (settings != NULL)
    follow->settings = *settings;
  follow->size = MAX (expected_size != 0 ? expected_size : USUAL_SIZE, BOX_SESSION_MIN_SIZE);
  follow->account_file = g_strdup (account_file);
  follow->seeds = g_ptr_array_new_with_free_func ((GDestroyNotify) box_session_free);
  follow->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  g_mutex_init (&follow->lock);
  return follow;
}

/* Whether Box has refused the seed for a reason that will refuse the file as well, and that the
 * user can correct. */
static gboolean
check_refusal (BoxFollow *follow, GError **error)
{
  const BoxTerms terms = { .if_exists = follow->settings.if_exists };
  gboolean refused;

  g_mutex_lock (&follow->lock);
  refused = follow->failure != NULL && follow->bytes == 0
            && box_policy_refuses_settings (&terms, follow->failure);
  if (refused)
    g_propagate_error (error, g_error_copy (follow->failure));
  g_mutex_unlock (&follow->lock);
  return !refused;
}

gboolean
box_follow_look (BoxFollow *follow, struct stat *status, GError **error)
{
  if (fstat (follow->fd, status) < 0)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be looked at: %s",
                   g_strerror (errno));
      return FALSE;
    }
  advance (follow, (guint64) status->st_size);
  return check_refusal (follow, error);
}

static gint
compare_offset (gconstpointer a, gconstpointer b)
{
  const BoxPart *first = *(BoxPart *const *) a;
  const BoxPart *second = *(BoxPart *const *) b;

  return (first->offset > second->offset) - (first->offset < second->offset);
}

void
box_follow_finish (BoxFollow *follow)
{
  close_seed (follow, TRUE);
  g_ptr_array_sort (follow->parts, compare_offset);
}

GPtrArray *
box_follow_get_parts (BoxFollow *follow)
{
  return follow->parts;
}

guint64
box_follow_get_bytes (BoxFollow *follow)
{
  guint64 bytes;

  g_mutex_lock (&follow->lock);
  bytes = follow->bytes;
  g_mutex_unlock (&follow->lock);
  return bytes;
}

/* Whether the parts were of use, as a note for the next time. */
static void
note_use (BoxFollow *follow, const BoxUploadStats *stats)
{
  g_autoptr (GError) error = NULL;

  if (follow->account_file != NULL && stats->parts_asked > 0
      && (stats->parts_hit == 0 || stats->hits_refused)
      && !box_account_set_plan (follow->account_file, follow->settings.client, BOX_PLAN_SCOPE_NONE,
                                "settle", "no part that was sent ahead was found", &error))
    g_info ("%s", error->message);
}

typedef struct
{
  BoxFollow *follow;
  GCancellable *cancellable;
  GMutex lock;
  GCond changed;
  gboolean done; /* with lock */
} Abort;

static gpointer
run_abort (gpointer data)
{
  Abort *job = data;
  BoxFollow *follow = job->follow;

  for (guint i = 0; i < follow->seeds->len; i++)
    box_attempt_abort (follow->settings.client, g_ptr_array_index (follow->seeds, i),
                       job->cancellable);
  g_mutex_lock (&job->lock);
  job->done = TRUE;
  g_cond_signal (&job->changed);
  g_mutex_unlock (&job->lock);
  return NULL;
}

static void
abort_seeds (BoxFollow *follow, gint64 until)
{
  Abort job = { .follow = follow, .cancellable = g_cancellable_new () };
  GThread *thread;

  g_mutex_init (&job.lock);
  g_cond_init (&job.changed);
  thread = box_process_start_thread ("box-abort", "to abort sessions with", run_abort, &job, NULL);
  g_mutex_lock (&job.lock);
  while (thread != NULL && !job.done && g_cond_wait_until (&job.changed, &job.lock, until))
    ;
  g_mutex_unlock (&job.lock);
  g_cancellable_cancel (job.cancellable);
  if (thread != NULL)
    g_thread_join (thread);
  g_mutex_clear (&job.lock);
  g_cond_clear (&job.changed);
  g_object_unref (job.cancellable);
}

void
box_follow_settle (BoxFollow *follow, const BoxUploadStats *stats, gint64 until)
{
  close_seed (follow, FALSE);
  if (follow->settings.client == NULL)
    return;
  if (stats != NULL)
    note_use (follow, stats);
  if (follow->seeds->len > 0)
    abort_seeds (follow, until);
  g_ptr_array_set_size (follow->seeds, 0);
}

void
box_follow_free (BoxFollow *follow)
{
  if (follow == NULL)
    return;
  close_seed (follow, FALSE);
  g_ptr_array_unref (follow->seeds);
  g_ptr_array_unref (follow->parts);
  g_clear_error (&follow->failure);
  g_mutex_clear (&follow->lock);
  g_free (follow->account_file);
  g_free (follow);
}
