/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload/blocks.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct
{
  guint8 *data;   /* NULL: dropped, or only in the file */
  guint64 needed; /* bytes not dropped yet */
  guint pins;     /* ranges that read it */
} Block;

/* with the lock */
struct _BoxBlocks
{
  BoxBlocksFile file; /* immutable; read is NULL without a file */
  guint64 end;        /* of the stream, as far as it is known */
  BoxBlocksPadding padding;

  GArray *blocks;   /* of Block; blocks[0] is number first */
  guint64 first;    /* number of the first block that is kept */
  guint64 oldest;   /* no block below this number can give up its memory */
  guint64 n_held;   /* blocks with data */
  guint64 n_pinned; /* of these, blocks that are being read */
  guint64 limit;    /* in blocks */
  guint64 entitled; /* in blocks */
  guint64 shared;   /* in blocks: at most its share of these; 0: it does not share */
  GCond *waiter;    /* nullable */
};

/* Blocks of all stores, and some that wait for their next use: fresh pages cost more than the copy
 * into them. With the lock. */
static struct
{
  guint64 n_held;
  guint64 max_held;
  guint64 n_sharing; /* stores that share */
  GPtrArray *spare;
  GPtrArray *waiters; /* of GCond, not owned */
} memory;

/* More spare blocks than this go back to the system: 16 MiB. */
#define MAX_SPARE 64

static guint64
process_limit (void)
{
  const char *text = g_getenv ("BOXUPLOAD_MEMORY");
  guint64 bytes = 0;

  if (text != NULL
      && g_ascii_string_to_unsigned (text, 10, BOX_BLOCK_SIZE, G_MAXINT64, &bytes, NULL))
    return bytes / BOX_BLOCK_SIZE;
  bytes = (guint64) sysconf (_SC_PHYS_PAGES) * (guint64) sysconf (_SC_PAGESIZE) / 4;
  return MAX (bytes / BOX_BLOCK_SIZE, 64);
}

/* Blocks are the kernel's and not malloc()'s, which keeps what such sizes leave behind in the
 * arenas of the threads, forever. All pages come at once: one by one, as they are written, they
 * take 1.5 % more CPU of a whole upload. */
static guint8 *
map_block (void)
{
  void *data = mmap (NULL, BOX_BLOCK_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

  return data != MAP_FAILED ? data : NULL;
}

static void
unmap_block (gpointer data)
{
  munmap (data, BOX_BLOCK_SIZE);
}

/* NULL: the system has none. */
static guint8 *
take_memory_locked (void)
{
  guint8 *data = memory.spare->len > 0
                     ? g_ptr_array_steal_index_fast (memory.spare, memory.spare->len - 1)
                     : map_block ();

  if (data != NULL)
    memory.n_held++;
  return data;
}

static void
wake_waiters_locked (void)
{
  for (guint i = 0; i < memory.waiters->len; i++)
    g_cond_broadcast (g_ptr_array_index (memory.waiters, i));
}

static void
give_memory_locked (guint8 *data)
{
  memory.n_held--;
  wake_waiters_locked ();
  if (memory.spare->len < MAX_SPARE && memory.n_held > 0)
    {
      g_ptr_array_add (memory.spare, data);
      return;
    }
  unmap_block (data);
  if (memory.n_held == 0)
    g_ptr_array_set_size (memory.spare, 0);
}

BoxBlocks *
box_blocks_new (const BoxBlocksFile *file)
{
  static gsize once = 0;
  BoxBlocks *store = g_new0 (BoxBlocks, 1);

  if (g_once_init_enter (&once))
    {
      memory.max_held = process_limit ();
      memory.spare = g_ptr_array_new_with_free_func (unmap_block);
      memory.waiters = g_ptr_array_new ();
      g_once_init_leave (&once, 1);
    }
  if (file != NULL)
    store->file = *file;
  store->end = store->padding.offset = G_MAXUINT64;
  store->blocks = g_array_new (FALSE, TRUE, sizeof (Block));
  store->limit = store->entitled = 1;
  return store;
}

/* NULL: it is not in memory any more, or never was. */
static Block *
block_at (const BoxBlocks *store, guint64 number)
{
  if (number < store->first || number - store->first >= store->blocks->len)
    return NULL;
  return &g_array_index (store->blocks, Block, number - store->first);
}

static void
release_block_locked (BoxBlocks *store, Block *block)
{
  if (block->data == NULL)
    return;
  give_memory_locked (g_steal_pointer (&block->data));
  store->n_held--;
}

/* A block that every part has dropped may still be read: by one that is sent again, and found its
 * first or last bytes in memory because a neighbour was not sent yet. */
static gboolean
is_done (const Block *block)
{
  return block->needed == 0 && block->pins == 0;
}

void
box_blocks_free_locked (BoxBlocks *store)
{
  box_blocks_set_waiter_locked (store, NULL);
  box_blocks_set_sharing_locked (store, 0);
  for (guint i = 0; i < store->blocks->len; i++)
    release_block_locked (store, &g_array_index (store->blocks, Block, i));
  g_array_unref (store->blocks);
  g_free (store);
}

static guint64
in_blocks (guint64 bytes)
{
  return MAX (1, bytes / BOX_BLOCK_SIZE + (bytes % BOX_BLOCK_SIZE != 0));
}

void
box_blocks_set_limit_locked (BoxBlocks *store, guint64 limit, guint64 entitled)
{
  store->limit = in_blocks (limit);
  store->entitled = MIN (in_blocks (entitled), store->limit);
}

void
box_blocks_set_sharing_locked (BoxBlocks *store, guint64 shared)
{
  if (store->shared == shared / BOX_BLOCK_SIZE)
    return;
  memory.n_sharing -= store->shared > 0 ? 1 : 0;
  store->shared = shared / BOX_BLOCK_SIZE;
  memory.n_sharing += store->shared > 0 ? 1 : 0;
  wake_waiters_locked ();
}

/* In blocks. */
static guint64
limit_of (const BoxBlocks *store)
{
  if (store->shared == 0)
    return store->limit;
  return MIN (store->limit, MAX (store->shared / memory.n_sharing, 1));
}

gboolean
box_blocks_has_room_locked (const BoxBlocks *store)
{
  return store->n_held < store->entitled
         || (store->n_held < limit_of (store) && memory.n_held < memory.max_held);
}

void
box_blocks_set_waiter_locked (BoxBlocks *store, GCond *cond)
{
  if (store->waiter != NULL)
    g_ptr_array_remove_fast (memory.waiters, store->waiter);
  store->waiter = cond;
  if (cond != NULL)
    g_ptr_array_add (memory.waiters, cond);
}

/* The oldest block that nobody reads gives up its memory: the file has its bytes. FALSE: there is
 * none. */
static gboolean
evict_locked (BoxBlocks *store)
{
  guint64 end = store->first + store->blocks->len;

  for (store->oldest = MAX (store->oldest, store->first); store->oldest < end; store->oldest++)
    {
      Block *block = block_at (store, store->oldest);

      if (block->data == NULL || block->pins > 0)
        continue;
      release_block_locked (store, block);
      return TRUE;
    }
  return FALSE;
}

guint8 *
box_blocks_extend_locked (BoxBlocks *store, guint64 offset)
{
  Block block = { .needed = BOX_BLOCK_SIZE };
  gboolean room = box_blocks_has_room_locked (store);

  g_assert (offset == (store->first + store->blocks->len) * BOX_BLOCK_SIZE);
  if (!room && store->file.read == NULL)
    return NULL;
  while (!room && evict_locked (store))
    room = box_blocks_has_room_locked (store);
  block.data = take_memory_locked ();
  if (block.data == NULL)
    return NULL;
  store->n_held++;
  g_array_append_val (store->blocks, block);
  return block.data;
}

static void
forget_front_locked (BoxBlocks *store)
{
  const Block *block;
  guint n = 0;

  while ((block = block_at (store, store->first + n)) != NULL && is_done (block))
    n++;
  if (n == 0)
    return;
  g_array_remove_range (store->blocks, 0, n);
  store->first += n;
}

void
box_blocks_drop_locked (BoxBlocks *store, guint64 offset, guint64 length)
{
  guint64 end = MIN (offset + length, store->end);

  while (offset < end)
    {
      guint64 number = offset / BOX_BLOCK_SIZE;
      guint64 n = MIN (end, (number + 1) * BOX_BLOCK_SIZE) - offset;
      Block *block = block_at (store, number);

      offset += n;
      if (block == NULL)
        continue;
      block->needed -= n;
      if (is_done (block))
        release_block_locked (store, block);
    }
  forget_front_locked (store);
}

void
box_blocks_end_locked (BoxBlocks *store, guint64 size)
{
  guint64 end = (store->first + store->blocks->len) * BOX_BLOCK_SIZE;

  if (size < end)
    box_blocks_drop_locked (store, size, end - size);
  store->end = size;
}

void
box_blocks_pad_locked (BoxBlocks *store, BoxPaddingKind padding, guint64 offset, guint64 gap)
{
  store->padding = (BoxBlocksPadding){ .kind = padding, .offset = offset, .gap = gap };
}

BoxBlocksPadding
box_blocks_get_padding_locked (const BoxBlocks *store)
{
  return store->padding;
}

guint64
box_blocks_get_memory_locked (const BoxBlocks *store)
{
  return store->n_held * BOX_BLOCK_SIZE;
}

/* Whether a range may keep @block in memory while it is read. With a file it can be read from there
 * as well: the blocks of the parts in flight alone could otherwise be more than the limit. */
static gboolean
may_pin (const BoxBlocks *store, const Block *block)
{
  return block != NULL && block->data != NULL
         && (block->pins > 0 || store->file.read == NULL || store->n_pinned < limit_of (store));
}

void
box_blocks_pin_locked (BoxBlocks *store, guint64 offset, guint64 size, BoxBlocksRange *range)
{
  *range = (BoxBlocksRange){
    .offset = offset,
    .size = size,
    .blocks = g_ptr_array_new (),
    .in_memory = offset + size <= store->padding.offset,
    .padding = store->padding,
    .file = store->file,
  };
  for (guint64 number = offset / BOX_BLOCK_SIZE; number * BOX_BLOCK_SIZE < offset + size; number++)
    {
      Block *block = block_at (store, number);
      guint8 *data = may_pin (store, block) ? block->data : NULL;

      range->in_memory &= data != NULL;
      g_ptr_array_add (range->blocks, data);
      if (data != NULL && block->pins++ == 0)
        store->n_pinned++;
    }
}

void
box_blocks_pin_file_locked (BoxBlocks *store, guint64 offset, guint64 size, BoxBlocksRange *range)
{
  guint64 last = (offset + MAX (size, 1) - 1) / BOX_BLOCK_SIZE;

  *range = (BoxBlocksRange){
    .offset = offset,
    .size = size,
    .blocks = g_ptr_array_new (),
    .padding = store->padding,
    .file = store->file,
  };
  g_ptr_array_set_size (range->blocks, (gint) (last - offset / BOX_BLOCK_SIZE + 1));
}

void
box_blocks_unpin_locked (BoxBlocks *store, BoxBlocksRange *range)
{
  guint64 number = range->offset / BOX_BLOCK_SIZE;

  for (guint i = 0; range->blocks != NULL && i < range->blocks->len; i++, number++)
    {
      Block *block = block_at (store, number);

      if (block == NULL || g_ptr_array_index (range->blocks, i) == NULL)
        continue;
      if (--block->pins == 0)
        store->n_pinned--;
      store->oldest = MIN (store->oldest, number);
      if (is_done (block))
        release_block_locked (store, block);
    }
  g_clear_pointer (&range->blocks, g_ptr_array_unref);
  forget_front_locked (store);
}

/* The block in memory that has @position of the stream, NULL: it is in the file; and how many bytes
 * there are to its end. */
static const guint8 *
find_block (const BoxBlocksRange *range, guint64 position, guint64 *left)
{
  guint index = (guint) (position / BOX_BLOCK_SIZE - range->offset / BOX_BLOCK_SIZE);

  *left = BOX_BLOCK_SIZE - position % BOX_BLOCK_SIZE;
  return g_ptr_array_index (range->blocks, index);
}

const guint8 *
box_blocks_peek (const BoxBlocksRange *range, guint64 offset, gsize *length)
{
  guint64 position = range->offset + offset, left;
  const guint8 *data = find_block (range, position, &left);

  *length = (gsize) MIN (*length, left);
  return data + position % BOX_BLOCK_SIZE;
}

/* Copies up to @length bytes at @position of the stream; how many that were, 0: @error says why
 * not. */
static gsize
read_some (const BoxBlocksRange *range, guint64 position, guint8 *buffer, gsize length,
           GError **error)
{
  guint64 left, n, end = position + length;
  const guint8 *data = find_block (range, position, &left);

  n = MIN (left, length);
  if (data != NULL)
    {
      memcpy (buffer, data + position % BOX_BLOCK_SIZE, n);
      return (gsize) n;
    }
  /* One read of the file covers all that follows in it. */
  while (position + n < end && find_block (range, position + n, &left) == NULL)
    n += MIN (left, end - position - n);
  return range->file.read (range->file.user_data, position, buffer, (gsize) n, error) ? (gsize) n
                                                                                      : 0;
}

gboolean
box_blocks_read (const BoxBlocksRange *range, guint64 offset, guint8 *buffer, gsize length,
                 GError **error)
{
  const BoxBlocksPadding *padding = &range->padding;
  guint64 position = range->offset + offset, end = position + length;
  guint64 stream_end = MIN (end, padding->offset);

  while (position < stream_end)
    {
      gsize n = read_some (range, position, buffer, (gsize) (stream_end - position), error);

      if (n == 0)
        return FALSE;
      buffer += n;
      position += n;
    }
  if (position < end)
    box_padding_read (padding->kind, padding->offset, padding->gap, position - padding->offset,
                      buffer, (gsize) (end - position));
  return TRUE;
}
