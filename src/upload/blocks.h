/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BoxStore: the bytes of an upload that Box has not acknowledged yet, in blocks of memory. Blocks
 * do not depend on the session's part size, which is not known when the first bytes come.
 *
 * The producer fills one block after the other; workers read ranges that are complete; a range that
 * Box has is dropped, and a block whose every byte was dropped is used again. All functions but
 * box_store_peek() are called with the workers' lock held, which also guards the bound of part
 * memory that the uploads of a process share (environment BOXUPLOAD_MEMORY, bytes; default a
 * quarter of the machine's).
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Large enough that taking one is rare (1000 buffers of a transport stream's usual 1316 bytes are
 * five blocks), small enough that small parts waste little. Bytes. */
#define BOX_STORE_BLOCK (256u * 1024)

typedef struct _BoxStore BoxStore;

/* Empty, without a limit. */
BoxStore *box_store_new (void);

/* Gives back every block. No range may be pinned. */
void box_store_free_locked (BoxStore *store);

/* Bytes of memory this store may hold; in whole blocks, at least one. @entitled: so many it may
 * hold however much the other stores of the process do, so that every upload gets on. */
void box_store_set_limit_locked (BoxStore *store, guint64 limit, guint64 entitled);

/**
 * box_store_extend_locked:
 * @offset: where the producer stands, the end of the last block.
 *
 * The block for the bytes from @offset on; NULL where memory is full: wait for
 * box_store_has_room_locked().
 */
guint8 *box_store_extend_locked (BoxStore *store, guint64 offset);

/* Whether box_store_extend_locked() would find a block. */
gboolean box_store_has_room_locked (const BoxStore *store);

/* While the producer waits for room: @cond is signalled when any store of the process gives memory
 * back. NULL: no longer. */
void box_store_set_waiter_locked (BoxStore *store, GCond *cond);

/* The bytes [@offset, @offset + @length) are not needed any more. */
void box_store_drop_locked (BoxStore *store, guint64 offset, guint64 length);

/* The stream ended at @size: the block that holds its end will not be filled further. */
void box_store_end_locked (BoxStore *store, guint64 size);

/* Bytes of memory held. */
guint64 box_store_get_memory_locked (const BoxStore *store);

/* A complete range, pinned: readable without the lock until it is dropped from the store. */
typedef struct
{
  guint64 offset; /* of the range in the stream */
  guint64 size;
  GPtrArray *blocks; /* guint8 *, the first holds @offset */
} BoxStoreRange;

/* [@offset, @offset + @size) must lie within what was filled and not dropped. */
void box_store_pin_locked (BoxStore *store, guint64 offset, guint64 size, BoxStoreRange *range);
void box_store_range_clear (BoxStoreRange *range);

/* The bytes at @offset of the range, of which @length (in: wanted, out: at most that) lie in one
 * run. */
const guint8 *box_store_peek (const BoxStoreRange *range, guint64 offset, gsize *length);

G_END_DECLS
