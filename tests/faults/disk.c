/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes that a disk writes together. */
#define PAGE 4096

typedef enum
{
  CHANGE_WRITE,
  CHANGE_TRUNCATE,
} ChangeKind;

/* Of a file, since its last sync. */
typedef struct
{
  ChangeKind kind;
  guint64 offset; /* or the size */
  GBytes *bytes;
} Change;

typedef struct
{
  GByteArray *content; /* what is durable */
  GPtrArray *pending;  /* Change */
  gboolean synced;     /* ever */
  guint64 synced_size; /* after the last sync */
} File;

/* Of the names, since their last sync. */
typedef struct
{
  char *name;
  File *file; /* NULL: the name goes away */
  char *gone; /* nullable: the name that a rename removes in the same step */
} NameChange;

struct _Disk
{
  GPtrArray *files;      /* File: owns them */
  GHashTable *by_inode;  /* inode's number → File, as the process sees it */
  GHashTable *seen;      /* name → File, as the process sees it */
  GHashTable *names;     /* name → File, durable */
  GPtrArray *name_queue; /* NameChange */
  guint n_changes;
};

static void
free_change (gpointer data)
{
  Change *change = data;

  g_clear_pointer (&change->bytes, g_bytes_unref);
  g_free (change);
}

static void
free_name_change (gpointer data)
{
  NameChange *change = data;

  g_free (change->name);
  g_free (change->gone);
  g_free (change);
}

static void
free_file (gpointer data)
{
  File *file = data;

  g_byte_array_unref (file->content);
  g_ptr_array_unref (file->pending);
  g_free (file);
}

static File *
add_file (Disk *disk, guint64 inode)
{
  File *file = g_new0 (File, 1);

  file->content = g_byte_array_new ();
  file->pending = g_ptr_array_new_with_free_func (free_change);
  g_ptr_array_add (disk->files, file);
  g_hash_table_insert (disk->by_inode, g_memdup2 (&inode, sizeof inode), file);
  return file;
}

static void
read_file (Disk *disk, const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = NULL;
  gsize length;
  GStatBuf info;
  File *file;

  if (g_stat (path, &info) != 0 || !S_ISREG (info.st_mode))
    return;
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  file = add_file (disk, info.st_ino);
  g_byte_array_append (file->content, (guint8 *) text, (guint) length);
  file->synced = TRUE;
  file->synced_size = length;
  g_hash_table_insert (disk->seen, g_strdup (name), file);
  g_hash_table_insert (disk->names, g_strdup (name), file);
}

Disk *
disk_new (const char *dir)
{
  Disk *disk = g_new0 (Disk, 1);
  g_autoptr (GDir) listing = g_dir_open (dir, 0, NULL);
  const char *name;

  disk->files = g_ptr_array_new_with_free_func (free_file);
  disk->by_inode = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  disk->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  disk->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  disk->name_queue = g_ptr_array_new_with_free_func (free_name_change);
  while (listing != NULL && (name = g_dir_read_name (listing)) != NULL)
    read_file (disk, dir, name);
  return disk;
}

void
disk_free (Disk *disk)
{
  g_ptr_array_unref (disk->name_queue);
  g_hash_table_unref (disk->names);
  g_hash_table_unref (disk->seen);
  g_hash_table_unref (disk->by_inode);
  g_ptr_array_unref (disk->files);
  g_free (disk);
}

/* --- Files ------------------------------------------------------------------------------------ */

static void
resize (File *file, guint64 size)
{
  guint before = file->content->len;

  g_byte_array_set_size (file->content, (guint) size);
  if (size > before)
    memset (file->content->data + before, 0, size - before);
}

static void
write_bytes (File *file, guint64 offset, const guint8 *bytes, gsize length)
{
  if (offset + length > file->content->len)
    resize (file, offset + length);
  memcpy (file->content->data + offset, bytes, length);
}

/* Of a write, any of its pages reach the disk: the size with the last one that does. */
static void
apply_change (File *file, const Change *change, DiskLoss loss, GRand *dice)
{
  gsize length = 0;
  const guint8 *bytes;

  if (change->kind == CHANGE_TRUNCATE)
    {
      if (loss == DISK_KEEPS_ALL || g_rand_boolean (dice))
        resize (file, change->offset);
      return;
    }
  bytes = g_bytes_get_data (change->bytes, &length);
  for (gsize at = 0; at < length;)
    {
      guint64 offset = change->offset + at;
      gsize n = MIN (length - at, PAGE - (gsize) (offset % PAGE));

      if (loss == DISK_KEEPS_ALL || g_rand_boolean (dice))
        write_bytes (file, offset, bytes + at, n);
      at += n;
    }
}

static void
settle_file (File *file, DiskLoss loss, GRand *dice)
{
  for (guint i = 0; loss != DISK_KEEPS_SYNCED && i < file->pending->len; i++)
    apply_change (file, file->pending->pdata[i], loss, dice);
  g_ptr_array_set_size (file->pending, 0);
}

/* --- Names ------------------------------------------------------------------------------------ */

static void
queue_name (Disk *disk, const char *name, File *file, const char *gone)
{
  NameChange *change = g_new (NameChange, 1);

  *change = (NameChange){ g_strdup (name), file, g_strdup (gone) };
  g_ptr_array_add (disk->name_queue, change);
  if (gone != NULL)
    g_hash_table_remove (disk->seen, gone);
  if (file != NULL)
    g_hash_table_insert (disk->seen, g_strdup (name), file);
  else
    g_hash_table_remove (disk->seen, name);
}

static void
settle_names (Disk *disk, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      const NameChange *change = disk->name_queue->pdata[i];

      if (change->gone != NULL)
        g_hash_table_remove (disk->names, change->gone);
      if (change->file != NULL)
        g_hash_table_insert (disk->names, g_strdup (change->name), change->file);
      else
        g_hash_table_remove (disk->names, change->name);
    }
  g_ptr_array_set_size (disk->name_queue, 0);
}

/* --- The log ---------------------------------------------------------------------------------- */

static void
change_name (Disk *disk, char *const *words)
{
  File *file = g_hash_table_lookup (disk->seen, words[1]);

  g_assert_nonnull (file);
  if (g_str_equal (words[0], "unlink"))
    queue_name (disk, words[1], NULL, NULL);
  else
    queue_name (disk, words[2], file, g_str_equal (words[0], "rename") ? words[1] : NULL);
}

static void
create (Disk *disk, guint64 inode, const char *name)
{
  File *known = g_hash_table_lookup (disk->seen, name);

  /* An inode's number is used again when its file is gone. */
  if (known == NULL || known != g_hash_table_lookup (disk->by_inode, &inode))
    queue_name (disk, name, add_file (disk, inode), NULL);
}

static void
queue_change (File *file, ChangeKind kind, guint64 offset, GBytes *bytes)
{
  Change *change = g_new (Change, 1);

  *change = (Change){ kind, offset, bytes };
  g_ptr_array_add (file->pending, change);
}

static void
change_file (Disk *disk, char *const *words, const char *bytes)
{
  guint64 inode = g_ascii_strtoull (words[1], NULL, 10);
  File *file = g_hash_table_lookup (disk->by_inode, &inode);

  if (g_str_equal (words[0], "create"))
    {
      create (disk, inode, words[2]);
      return;
    }
  g_assert_nonnull (file);
  if (g_str_equal (words[0], "write"))
    queue_change (file, CHANGE_WRITE, g_ascii_strtoull (words[2], NULL, 10),
                  g_bytes_new (bytes, g_ascii_strtoull (words[3], NULL, 10)));
  else if (g_str_equal (words[0], "truncate"))
    queue_change (file, CHANGE_TRUNCATE, g_ascii_strtoull (words[2], NULL, 10), NULL);
  else
    {
      settle_file (file, DISK_KEEPS_ALL, NULL);
      file->synced = TRUE;
      file->synced_size = file->content->len;
    }
}

/* Returns how many bytes the change has after its line. */
static gsize
change (Disk *disk, const char *line, const char *bytes)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);

  disk->n_changes++;
  if (g_str_equal (words[0], "sync-names"))
    settle_names (disk, disk->name_queue->len);
  else if (g_str_equal (words[0], "rename") || g_str_equal (words[0], "link")
           || g_str_equal (words[0], "unlink"))
    change_name (disk, words);
  else
    change_file (disk, words, bytes);
  return g_str_equal (words[0], "write") ? g_ascii_strtoull (words[3], NULL, 10) : 0;
}

void
disk_replay (Disk *disk, const char *log, DiskLoss loss, GRand *dice)
{
  g_autofree char *text = NULL;
  gsize length;
  guint n_names;

  g_assert_true (g_file_get_contents (log, &text, &length, NULL));
  for (char *at = text; at < text + length;)
    {
      char *end = memchr (at, '\n', (gsize) (text + length - at));

      /* The last one may be cut. */
      if (end == NULL)
        break;
      *end = '\0';
      at = end + 1 + change (disk, at, end + 1);
    }
  for (guint i = 0; i < disk->files->len; i++)
    settle_file (disk->files->pdata[i], loss, dice);
  n_names = disk->name_queue->len;
  if (loss == DISK_KEEPS_SYNCED)
    n_names = 0;
  else if (loss == DISK_KEEPS_SOME)
    n_names = (guint) g_rand_int_range (dice, 0, (gint32) n_names + 1);
  settle_names (disk, n_names);
}

guint
disk_count_changes (const Disk *disk)
{
  return disk->n_changes;
}

guint64
disk_count_synced (const Disk *disk, const char *suffix)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, disk->seen);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (g_str_has_suffix (name, suffix) && ((File *) value)->synced)
      return ((File *) value)->synced_size;
  return 0;
}

void
disk_write (const Disk *disk, const char *dir)
{
  GHashTableIter iter;
  gpointer name, value;

  g_assert_cmpint (g_mkdir (dir, 0700), ==, 0);
  g_hash_table_iter_init (&iter, disk->names);
  while (g_hash_table_iter_next (&iter, &name, &value))
    {
      g_autofree char *path = g_build_filename (dir, name, NULL);
      const GByteArray *content = ((File *) value)->content;

      g_assert_true (g_file_set_contents_full (path, (const char *) content->data, content->len,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
}
