/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxBlocks: the bytes of an upload, in blocks of memory, in a file behind them, or in both. Blocks
 * do not depend on the session's part size, which is not known when the first bytes come.
 *
 * The producer fills one block after the other; workers read ranges that are complete; a range that
 * Box has is dropped, and a block whose every byte was dropped is used again. What is not in memory
 * is read from the file: it never was there (the bytes are kept by somebody else), or it was
 * dropped and is wanted once more.
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

typedef struct _BoxBlocks BoxBlocks;

/**
 * BoxBlocksFile:
 * @read: copies @length bytes at @offset of the file to @buffer. Called by workers, by several at
 * once, without the lock.
 *
 * Where the bytes can be read as long as the store lives.
 */
typedef struct
{
  gboolean (*read) (gpointer user_data, guint64 offset, guint8 *buffer, gsize length,
                    GError **error);
  gpointer user_data;
  GDestroyNotify destroy; /* nullable; of user_data, when nobody reads any more */
} BoxBlocksFile;

/* Empty, without a limit. @file: (nullable): copied; what is behind the memory. */
BoxBlocks *box_blocks_new (const BoxBlocksFile *file);

/* Gives back every block. No range may be pinned. The file is the caller's to destroy, without the
 * lock. */
void box_blocks_free_locked (BoxBlocks *store);

/* Bytes of memory this store may hold; in whole blocks, at least one. @entitled: so many it may
 * hold however much the other stores of the process do, so that every upload gets on. */
void box_blocks_set_limit_locked (BoxBlocks *store, guint64 limit, guint64 entitled);

/**
 * box_blocks_extend_locked:
 * @offset: where the producer stands, the end of the last block.
 *
 * The block for the bytes from @offset on. NULL: memory is full, wait for
 * box_blocks_has_room_locked(); or, if there is room, the system has no memory left.
 */
guint8 *box_blocks_extend_locked (BoxBlocks *store, guint64 offset);

/* Whether box_blocks_extend_locked() would find a block. */
gboolean box_blocks_has_room_locked (const BoxBlocks *store);

/* While the producer waits for room: @cond is signalled when any store of the process gives memory
 * back. NULL: no longer. */
void box_blocks_set_waiter_locked (BoxBlocks *store, GCond *cond);

/* The bytes [@offset, @offset + @length) are not needed in memory any more. */
void box_blocks_drop_locked (BoxBlocks *store, guint64 offset, guint64 length);

/* The stream ended at @size: the block that holds its end will not be filled further. */
void box_blocks_end_locked (BoxBlocks *store, guint64 size);

/* What is behind a stream. */
typedef struct
{
  BoxPaddingKind kind;
  guint64 offset; /* in the file; G_MAXUINT64: there is none */
  guint64 gap;
} BoxBlocksPadding;

/* Behind the stream, which ended at @offset, @gap bytes of @padding follow. They are nowhere, and
 * are made when they are read. */
void box_blocks_pad_locked (BoxBlocks *store, BoxPaddingKind padding, guint64 offset, guint64 gap);

/* What box_blocks_pad_locked() said. */
BoxBlocksPadding box_blocks_get_padding_locked (const BoxBlocks *store);

/* Bytes of memory held. */
guint64 box_blocks_get_memory_locked (const BoxBlocks *store);

/* A complete range, pinned: readable without the lock until it is dropped from the store. */
typedef struct
{
  guint64 offset; /* of the range in the stream */
  guint64 size;
  GPtrArray *blocks;  /* guint8 *, the first holds @offset; NULL: in the file */
  gboolean in_memory; /* all of it */
  BoxBlocksPadding padding;
  BoxBlocksFile file; /* read is NULL where there is none */
} BoxBlocksRange;

/* [@offset, @offset + @size) must lie within what was filled; without a file, not dropped. */
void box_blocks_pin_locked (BoxBlocks *store, guint64 offset, guint64 size, BoxBlocksRange *range);
void box_blocks_range_clear (BoxBlocksRange *range);

/* The bytes at @offset of a range that is all in memory, of which @length (in: wanted, out: at most
 * that) lie in one run. */
const guint8 *box_blocks_peek (const BoxBlocksRange *range, guint64 offset, gsize *length);

/* Copies @length bytes at @offset of the range, wherever they are. Errors are the file's. */
gboolean box_blocks_read (const BoxBlocksRange *range, guint64 offset, guint8 *buffer, gsize length,
                          GError **error);

G_END_DECLS
