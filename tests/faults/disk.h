/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disk: what a disk may have of a directory after a power cut. It is made from the directory's
 * state before, and the changes that shim.c has recorded, in their order:
 *
 *   create FILE NAME          FILE is an inode's number
 *   write FILE OFFSET LENGTH  and a line's end, and the bytes
 *   truncate FILE SIZE
 *   rename OLD NEW            link OLD NEW            unlink NAME
 *   sync FILE                 sync-names
 *
 * What was synced is there. Of the rest of each file any pages may be there, each or none; of the
 * names those that were made or removed first. That is what file systems with a journal promise;
 * fsync() of a file makes no name durable here, although it does on some.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Disk Disk;

typedef enum
{
  DISK_KEEPS_ALL,    /* that was written: as after a kill */
  DISK_KEEPS_SYNCED, /* and nothing else */
  DISK_KEEPS_SOME,   /* by chance */
} DiskLoss;

/* @dir: as it is before the changes; all of it is durable. */
Disk *disk_new (const char *dir);
void disk_free (Disk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Disk, disk_free)

/* Makes the changes that the file @log has, and loses power. @dice: (nullable): of KEEPS_SOME. */
void disk_replay (Disk *disk, const char *log, DiskLoss loss, GRand *dice);

/* How many changes the log had. */
guint disk_count_changes (const Disk *disk);

/* Bytes that were synced of a file whose name ends in @suffix, and that the process had not
 * removed; 0 without such a file. After the replay. */
guint64 disk_count_synced (const Disk *disk, const char *suffix);

/* Puts what is left into the new directory @dir. */
void disk_write (const Disk *disk, const char *dir);

G_END_DECLS
