/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxBlocks: the bytes of an upload, in blocks of memory, in a file behind them, or in both. Blocks
 * do not depend on the session's part size, which is not known when the first bytes come.
 *
 * The producer fills one block after the other, and workers read complete ranges. A range that
 * Box has is dropped, and a block without any other bytes is used again. When memory is full, the
 * producer waits; with a file behind it never has to, because the oldest block that nobody reads
 * gives up its memory. Bytes that are not in memory are read from the file.
 *
 * Functions that end in _locked are called with the workers' lock held, which also guards the bound
 * of part memory that the uploads of a process share (environment BOXUPLOAD_MEMORY, bytes; default
 * a quarter of the machine's).
 */
#pragma once

#include <gio/gio.h>

#include "base/padding.h"

G_BEGIN_DECLS

/* Large enough that taking one is rare (1000 buffers of a transport stream's usual 1316 bytes are
 * five blocks), small enough that small parts waste little. Bytes. */
#define BOX_BLOCK_SIZE (256u * 1024)

/* Memory of all stores that share, which have the same part of it each, but at least one block: a
 * few parts for one file, and little for each of hundreds. What is not in memory is copied from the
 * file, for its digest and to be sent: of a file that is read, an upload takes 7 % more CPU with 8
 * MiB than with 32. Bytes. */
#define BOX_BLOCKS_SHARED (32u * 1024 * 1024)

/* The same for files that are being written, whose latest bytes the system has in memory anyway.
 * With 32 MiB, an upload takes as much CPU, and 24 MiB more. Bytes. */
#define BOX_BLOCKS_SHARED_GROWING (8u * 1024 * 1024)

typedef struct _BoxBlocks BoxBlocks;

/**
 * BoxBlocksFile:
 * @read: copies @length bytes at @offset of the file to @buffer. Called by several workers at
 * once, without the lock.
 *
 * A file that has every byte that the producer has filled, during the life of the store.
 */
typedef struct
{
  gboolean (*read) (gpointer user_data, guint64 offset, guint8 *buffer, gsize length,
                    GError **error);
  gpointer user_data;
  GDestroyNotify destroy; /* nullable; of user_data, when nobody reads any more */
} BoxBlocksFile;

/* An empty store without a limit. @file: (nullable): copied; the file behind the memory. */
BoxBlocks *box_blocks_new (const BoxBlocksFile *file);

/* Gives back every block. No range may be pinned. The file is the caller's to destroy, without the
 * lock. */
void box_blocks_free_locked (BoxBlocks *store);

/* Bytes of memory this store may hold, in whole blocks, at least one. @entitled: bytes that it may
 * hold regardless of the other stores of the process, so that every upload makes progress. With a
 * file there may be one more block, if all others are being read. */
void box_blocks_set_limit_locked (BoxBlocks *store, guint64 limit, guint64 entitled);

/* A store with a file holds at most its equal part of @shared bytes, too (BOX_BLOCKS_SHARED,
 * BOX_BLOCKS_SHARED_GROWING); 0: it does not share. */
void box_blocks_set_sharing_locked (BoxBlocks *store, guint64 shared);

/**
 * box_blocks_extend_locked:
 * @offset: the producer's position, the end of the last block.
 *
 * The block for the bytes from @offset on. NULL: memory is full, wait for
 * box_blocks_has_room_locked(); or, if there is room or a file, the system has no memory left.
 */
guint8 *box_blocks_extend_locked (BoxBlocks *store, guint64 offset);

/* Whether box_blocks_extend_locked() would find a block without taking another one's memory. */
gboolean box_blocks_has_room_locked (const BoxBlocks *store);

/* While the producer waits for room: @cond is signalled when any store of the process gives memory
 * back. NULL: no longer. */
void box_blocks_set_waiter_locked (BoxBlocks *store, GCond *cond);

/* The bytes [@offset, @offset + @length) are not needed in memory any more. A block that is pinned
 * is given back when it is unpinned. */
void box_blocks_drop_locked (BoxBlocks *store, guint64 offset, guint64 length);

/* The stream ended at @size: the block that holds its end will not be filled further. */
void box_blocks_end_locked (BoxBlocks *store, guint64 size);

/* The padding behind a stream. */
typedef struct
{
  BoxPaddingKind kind;
  guint64 offset; /* in the file; G_MAXUINT64: no padding */
  guint64 gap;
} BoxBlocksPadding;

/* The stream ended at @offset, and @gap bytes of @padding follow it. They are not stored, but
 * computed when they are read. */
void box_blocks_pad_locked (BoxBlocks *store, BoxPaddingKind padding, guint64 offset, guint64 gap);

/* The padding set by box_blocks_pad_locked(). */
BoxBlocksPadding box_blocks_get_padding_locked (const BoxBlocks *store);

/* Bytes of memory held. */
guint64 box_blocks_get_memory_locked (const BoxBlocks *store);

/* A complete range, pinned: readable without the lock until it is unpinned. With a file no more
 * blocks are kept for it than the limit allows. */
typedef struct
{
  guint64 offset; /* of the range in the stream */
  guint64 size;
  GPtrArray *blocks;  /* guint8 *, the first holds @offset; NULL: in the file */
  gboolean in_memory; /* all of it */
  BoxBlocksPadding padding;
  BoxBlocksFile file; /* read is NULL without a file */
} BoxBlocksRange;

/* [@offset, @offset + @size) must lie within what was filled; without a file, not dropped. */
void box_blocks_pin_locked (BoxBlocks *store, guint64 offset, guint64 size, BoxBlocksRange *range);

/* The same from the file alone, which may have bytes that were not filled yet. */
void
box_blocks_pin_file_locked (BoxBlocks *store, guint64 offset, guint64 size, BoxBlocksRange *range);

/* Nothing is read from the range any more. Does nothing the second time. */
void box_blocks_unpin_locked (BoxBlocks *store, BoxBlocksRange *range);

/* The bytes at @offset of a range that is all in memory, of which @length (in: wanted, out: at most
 * that) lie in one run. */
const guint8 *box_blocks_peek (const BoxBlocksRange *range, guint64 offset, gsize *length);

/* Copies @length bytes at @offset of the range, wherever they are. Errors are the file's. */
gboolean box_blocks_read (const BoxBlocksRange *range, guint64 offset, guint8 *buffer, gsize length,
                          GError **error);

G_END_DECLS
