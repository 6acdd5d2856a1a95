/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/growing.h"

/* Workers are told of new bytes each time that so many have come. Bytes. */
#define STEP (256u << 10)

#define READ_RUN (64u << 10)

/* A rewrite that reaches further back than this is not the habit of a muxer that closes a cluster,
 * but a head that is written again. Bytes. */
#define FARTHEST (G_GUINT64_CONSTANT (256) << 20)

/* Rewrites before the session is open: more than this, and nothing is sent ahead. */
#define MAX_EARLY 1024

/* A piece of the recording that was written again. */
typedef struct
{
  guint64 offset;
  guint64 length;
} Range;

struct _BoxAhead
{
  /* immutable */
  BoxRecording *recording;
  BoxUpload *upload;
  guint64 size; /* of the seed */

  /* the writing thread */
  guint64 written;   /* size of the recording */
  guint64 published; /* bytes that workers may read */
  guint64 margin;    /* bytes at the end that are likely to be written again */

  GMutex lock;
  /* with lock */
  char *session_id;    /* NULL: not open yet */
  guint64 part_size;   /* 0: not open yet */
  GArray *early;       /* of Range: written again before it was open */
  GHashTable *spoiled; /* offsets of parts whose bytes are others than those that may have left */
  GHashTable *acked;   /* offset of each part that is at Box, with its size */
  GHashTable *to_tell; /* offsets of parts in the journal that were spoiled after that */
  guint64 acked_bytes; /* of those that are not spoiled */
  guint64 in_order;    /* of them, from the start and without a gap, when last looked at */
  gint64 time;         /* of the stream */
  gboolean useless;    /* the session has no plan, or is not in the journal */
};

/* --- What is written ------------------------------------------------------------------------ */

static guint64 *
key_new (guint64 offset)
{
  return g_memdup2 (&offset, sizeof offset);
}

/* The part at @offset is of no use. Whether that is new. */
static gboolean
spoil_locked (BoxAhead *ahead, guint64 offset)
{
  const guint64 *size;

  if (!g_hash_table_add (ahead->spoiled, key_new (offset)))
    return FALSE;
  ahead->in_order = MIN (ahead->in_order, offset);
  size = g_hash_table_lookup (ahead->acked, &offset);
  if (size != NULL)
    {
      ahead->acked_bytes -= *size;
      g_hash_table_add (ahead->to_tell, key_new (offset));
    }
  return TRUE;
}

static gboolean
spoil_range_locked (BoxAhead *ahead, const Range *range)
{
  gboolean any = FALSE;

  for (guint64 offset = range->offset - range->offset % ahead->part_size;
       offset < range->offset + range->length; offset += ahead->part_size)
    any |= spoil_locked (ahead, offset);
  return any;
}

/* Until the session is open it is not known which parts these are. */
static void
remember_locked (BoxAhead *ahead, const Range *range)
{
  Range *last =
      ahead->early->len > 0 ? &g_array_index (ahead->early, Range, ahead->early->len - 1) : NULL;

  if (last != NULL && range->offset == last->offset + last->length)
    last->length += range->length;
  else if (ahead->early->len < MAX_EARLY)
    g_array_append_val (ahead->early, *range);
  else
    *last = (Range){ .offset = 0, .length = ahead->size };
}

void
box_ahead_touch (BoxAhead *ahead, guint64 offset, guint64 length)
{
  Range range = { .offset = offset, .length = MIN (length, ahead->published - offset) };
  guint64 back = ahead->written - offset;
  gboolean surprise = FALSE;

  if (offset >= ahead->published || length == 0)
    return;
  g_mutex_lock (&ahead->lock);
  if (ahead->part_size > 0)
    surprise = spoil_range_locked (ahead, &range);
  else
    remember_locked (ahead, &range);
  g_mutex_unlock (&ahead->lock);
  /* Twice, as the next cluster may be longer. */
  if (surprise && back <= FARTHEST)
    ahead->margin = MAX (ahead->margin, 2 * back);
}

void
box_ahead_reach (BoxAhead *ahead, guint64 size, gint64 time)
{
  guint64 rests, n;

  ahead->written = MAX (ahead->written, size);
  rests = MIN (ahead->written - MIN (ahead->written, ahead->margin), ahead->size - 1);
  if (rests < ahead->published + STEP)
    return;
  n = rests - ahead->published;
  ahead->published = rests;
  g_mutex_lock (&ahead->lock);
  ahead->time = time;
  g_mutex_unlock (&ahead->lock);
  box_upload_write (ahead->upload, NULL, n);
}

/* --- What the upload tells ------------------------------------------------------------------ */

static gboolean
read_recording (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  BoxAhead *ahead = user_data;

  return box_recording_read (ahead->recording, offset, buffer, length, error);
}

static void
on_session_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  BoxAhead *ahead = user_data;
  g_autoptr (GError) error = NULL;

  gboolean noted = box_recording_set_seed (ahead->recording, session, size, &error);

  if (!noted)
    g_info ("Nothing is sent ahead, as the journal cannot name the session: %s", error->message);
  else if (session->plan_url == NULL)
    g_info ("Nothing is sent ahead: upload sessions have no plan");
  g_mutex_lock (&ahead->lock);
  ahead->useless = !noted || session->plan_url == NULL;
  ahead->session_id = g_strdup (session->id);
  ahead->part_size = session->part_size;
  for (guint i = 0; i < ahead->early->len; i++)
    spoil_range_locked (ahead, &g_array_index (ahead->early, Range, i));
  g_mutex_unlock (&ahead->lock);
}

static gboolean
is_wanted (BoxAhead *ahead, guint64 offset)
{
  gboolean wanted;

  g_mutex_lock (&ahead->lock);
  wanted = !ahead->useless && !g_hash_table_contains (ahead->spoiled, &offset);
  g_mutex_unlock (&ahead->lock);
  return wanted;
}

/* A plan that finds a part which the disk has lost misleads: the commit is refused for it. */
static gboolean
on_part_wanted (guint64 offset, guint64 size, gpointer user_data)
{
  BoxAhead *ahead = user_data;
  g_autoptr (GError) error = NULL;

  if (!is_wanted (ahead, offset))
    return FALSE;
  if (box_recording_sync (ahead->recording, offset + size, &error))
    return is_wanted (ahead, offset);
  g_info ("A part is not sent ahead: %s", error->message);
  return FALSE;
}

/* A part that a list had, because the answer to its request was lost, has no SHA-512 yet. Should
 * its bytes be rewritten meanwhile, it is of no use. */
static gboolean
complete (BoxAhead *ahead, BoxPart *part, GError **error)
{
  g_autoptr (BoxDigest) digest = NULL;
  g_autofree guint8 *buffer = NULL;

  if (part->has_sha512)
    return TRUE;
  digest = box_digest_new_sha512 ();
  buffer = g_malloc (READ_RUN);
  for (guint64 done = 0; done < part->size;)
    {
      gsize n = (gsize) MIN (READ_RUN, part->size - done);

      if (!box_recording_read (ahead->recording, part->offset + done, buffer, n, error))
        return FALSE;
      box_digest_update (digest, buffer, n);
      done += n;
    }
  box_digest_finish_sha512 (digest, &part->sha512);
  part->has_sha512 = TRUE;
  return TRUE;
}

static void
on_part_done (const BoxPart *acknowledged, guint attempts, gboolean adopted, gpointer user_data)
{
  BoxAhead *ahead = user_data;
  g_autoptr (BoxPart) part = box_part_copy (acknowledged);
  g_autoptr (GError) error = NULL;
  gint64 time;

  if (!is_wanted (ahead, part->offset))
    return;
  g_mutex_lock (&ahead->lock);
  time = ahead->time;
  g_mutex_unlock (&ahead->lock);
  if (!complete (ahead, part, &error)
      || !box_recording_add_ahead (ahead->recording, ahead->session_id, part, time, &error))
    {
      g_info ("A part that was sent ahead is not in the journal: %s", error->message);
      return;
    }
  g_mutex_lock (&ahead->lock);
  g_hash_table_replace (ahead->acked, key_new (part->offset), key_new (part->size));
  /* Spoiled while it was written down. */
  if (g_hash_table_contains (ahead->spoiled, &part->offset))
    g_hash_table_add (ahead->to_tell, key_new (part->offset));
  else
    ahead->acked_bytes += part->size;
  g_mutex_unlock (&ahead->lock);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  g_info ("Nothing more is sent ahead: %s", error->message);
}

static const BoxUploadEvents seed_events = {
  .session_opened = on_session_opened,
  .part_wanted = on_part_wanted,
  .part_done = on_part_done,
  .failed = on_failed,
};

/* --- Its life ------------------------------------------------------------------------------- */

static GHashTable *
offsets_new (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

BoxAhead *
box_ahead_new (BoxRecording *recording, const BoxUploadSettings *settings, guint64 size,
               GError **error)
{
  BoxAhead *ahead = g_new0 (BoxAhead, 1);
  BoxBlocksFile file = { .read = read_recording, .user_data = ahead };
  BoxUploadSettings seed = *settings;

  g_mutex_init (&ahead->lock);
  ahead->recording = box_recording_ref (recording);
  ahead->size = size;
  ahead->time = -1;
  ahead->early = g_array_new (FALSE, FALSE, sizeof (Range));
  ahead->spoiled = offsets_new ();
  ahead->to_tell = offsets_new ();
  ahead->acked = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  seed.size = size;
  seed.commit = FALSE;
  seed.on_error = BOX_ON_ERROR_KEEP;
  seed.sha512 = TRUE;
  seed.file = &file;
  seed.file_grows = TRUE;
  ahead->upload = box_upload_new (&seed, &seed_events, ahead, NULL, error);
  if (ahead->upload == NULL)
    {
      box_ahead_free (ahead);
      return NULL;
    }
  box_upload_start (ahead->upload);
  return ahead;
}

void
box_ahead_finish (BoxAhead *ahead)
{
  g_autoptr (GList) offsets = NULL;

  box_upload_drain (ahead->upload);
  box_upload_close (ahead->upload);
  offsets = g_hash_table_get_keys (ahead->to_tell);
  for (GList *offset = offsets; offset != NULL; offset = offset->next)
    {
      g_autoptr (GError) error = NULL;

      /* Without this note the part is asked for in vain, refused at the commit, and sent then. */
      if (!box_recording_set_rewritten (ahead->recording, *(guint64 *) offset->data, &error))
        g_info ("%s", error->message);
    }
  g_hash_table_remove_all (ahead->to_tell);
}

void
box_ahead_cancel (BoxAhead *ahead)
{
  box_upload_cancel (ahead->upload);
}

void
box_ahead_set_rate (BoxAhead *ahead, guint64 rate)
{
  box_upload_set_rate (ahead->upload, rate);
}

guint64
box_ahead_get_bytes (BoxAhead *ahead, guint64 *in_order)
{
  const guint64 *size;
  guint64 bytes;

  g_mutex_lock (&ahead->lock);
  bytes = ahead->acked_bytes;
  while ((size = g_hash_table_lookup (ahead->acked, &ahead->in_order)) != NULL
         && !g_hash_table_contains (ahead->spoiled, &ahead->in_order))
    ahead->in_order += *size;
  if (in_order != NULL)
    *in_order = ahead->in_order;
  g_mutex_unlock (&ahead->lock);
  return bytes;
}

BoxSession *
box_ahead_dup_session (BoxAhead *ahead)
{
  return box_upload_get_session (ahead->upload);
}

void
box_ahead_free (BoxAhead *ahead)
{
  if (ahead == NULL)
    return;
  if (ahead->upload != NULL)
    box_upload_close (ahead->upload);
  g_clear_pointer (&ahead->upload, box_upload_unref);
  g_array_unref (ahead->early);
  g_hash_table_unref (ahead->spoiled);
  g_hash_table_unref (ahead->to_tell);
  g_hash_table_unref (ahead->acked);
  box_recording_unref (ahead->recording);
  g_mutex_clear (&ahead->lock);
  g_free (ahead->session_id);
  g_free (ahead);
}
