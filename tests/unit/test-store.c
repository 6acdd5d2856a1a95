/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "upload/blocks.h"
#include "upload/workers.h"

#include <string.h>

typedef struct
{
  BoxBlocks *store;
  guint64 size;
} Fixture;

static void
set_up (Fixture *f, gconstpointer blocks)
{
  g_mutex_lock (box_workers_lock ());
  f->store = box_blocks_new (NULL);
  box_blocks_set_limit_locked (f->store, GPOINTER_TO_UINT (blocks) * (guint64) BOX_BLOCK_SIZE,
                               BOX_BLOCK_SIZE);
}

static void
tear_down (Fixture *f, gconstpointer blocks)
{
  box_blocks_free_locked (f->store);
  g_mutex_unlock (box_workers_lock ());
}

/* Fills one block with bytes that depend on their offset. */
static gboolean
fill (Fixture *f)
{
  guint8 *data = box_blocks_extend_locked (f->store, f->size);

  if (data == NULL)
    return FALSE;
  for (guint i = 0; i < BOX_BLOCK_SIZE; i++)
    data[i] = (guint8) ((f->size + i) / 251);
  f->size += BOX_BLOCK_SIZE;
  return TRUE;
}

static void
test_no_more_than_the_limit_is_held (Fixture *f, gconstpointer blocks)
{
  for (guint i = 0; i < GPOINTER_TO_UINT (blocks); i++)
    g_assert_true (fill (f));
  g_assert_false (box_blocks_has_room_locked (f->store));
  g_assert_false (fill (f));
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, f->size);
}

static void
test_a_block_is_free_when_every_byte_of_it_was_dropped (Fixture *f, gconstpointer blocks)
{
  while (fill (f))
    ;
  box_blocks_drop_locked (f->store, 100, BOX_BLOCK_SIZE);
  g_assert_false (box_blocks_has_room_locked (f->store));
  box_blocks_drop_locked (f->store, 0, 100);
  g_assert_true (box_blocks_has_room_locked (f->store));
  g_assert_true (fill (f));
  g_assert_false (fill (f));
}

static void
test_parts_may_be_dropped_in_any_order (Fixture *f, gconstpointer blocks)
{
  while (fill (f))
    ;
  for (guint64 end = f->size; end > 0; end -= BOX_BLOCK_SIZE / 4)
    box_blocks_drop_locked (f->store, end - BOX_BLOCK_SIZE / 4, BOX_BLOCK_SIZE / 4);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 0);
  g_assert_true (fill (f));
}

static void
test_the_end_of_the_stream_frees_what_will_not_be_filled (Fixture *f, gconstpointer blocks)
{
  g_assert_true (fill (f));
  box_blocks_end_locked (f->store, 188);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, BOX_BLOCK_SIZE);
  box_blocks_drop_locked (f->store, 0, 188);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 0);
}

static void
test_a_pinned_range_reads_back_what_was_written (Fixture *f, gconstpointer blocks)
{
  guint64 offset = 1000, size = 2 * BOX_BLOCK_SIZE;
  BoxBlocksRange range;

  while (fill (f))
    ;
  box_blocks_pin_locked (f->store, offset, size, &range);
  for (guint64 i = 0; i < size;)
    {
      gsize n = 77777;
      const guint8 *data = box_blocks_peek (&range, i, &n);

      n = MIN (n, size - i);
      for (gsize k = 0; k < n; k++)
        g_assert_cmpuint (data[k], ==, (guint8) ((offset + i + k) / 251));
      i += n;
    }
  box_blocks_unpin_locked (f->store, &range);
}

/* --- A file behind the memory --- */

/* The same bytes as fill() writes; user_data counts the reads, and NULL refuses them. */
static gboolean
read_file (gpointer user_data, guint64 offset, guint8 *buffer, gsize length, GError **error)
{
  guint *reads = user_data;

  if (reads == NULL)
    {
      g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE, "gone");
      return FALSE;
    }
  (*reads)++;
  for (gsize i = 0; i < length; i++)
    buffer[i] = (guint8) ((offset + i) / 251);
  return TRUE;
}

static void
replace_store (Fixture *f, guint *reads, guint blocks)
{
  BoxBlocksFile file = { .read = read_file, .user_data = reads };

  box_blocks_free_locked (f->store);
  f->store = box_blocks_new (&file);
  box_blocks_set_limit_locked (f->store, blocks * (guint64) BOX_BLOCK_SIZE, BOX_BLOCK_SIZE);
}

static void
assert_reads_back (Fixture *f, guint64 offset, guint64 size, gboolean in_memory)
{
  g_autofree guint8 *bytes = g_malloc (size);
  GError *error = NULL;
  BoxBlocksRange range;

  box_blocks_pin_locked (f->store, offset, size, &range);
  g_assert_true (range.in_memory == in_memory);
  box_blocks_read (&range, 0, bytes, size, &error);
  g_assert_no_error (error);
  for (guint64 i = 0; i < size; i++)
    g_assert_cmpuint (bytes[i], ==, (guint8) ((offset + i) / 251));
  box_blocks_unpin_locked (f->store, &range);
}

static void
fill_n (Fixture *f, guint n)
{
  for (guint i = 0; i < n; i++)
    g_assert_true (fill (f));
}

static void
test_what_never_was_in_memory_is_read_from_the_file (Fixture *f, gconstpointer blocks)
{
  guint reads = 0;

  replace_store (f, &reads, 4);
  assert_reads_back (f, 1000, 3 * BOX_BLOCK_SIZE, FALSE);
  g_assert_cmpuint (reads, ==, 1);
  box_blocks_drop_locked (f->store, 1000, 3 * BOX_BLOCK_SIZE);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 0);
}

static void
test_what_was_dropped_is_read_from_the_file (Fixture *f, gconstpointer blocks)
{
  guint reads = 0;

  replace_store (f, &reads, 4);
  fill_n (f, 4);
  assert_reads_back (f, 0, f->size, TRUE);
  g_assert_cmpuint (reads, ==, 0);
  box_blocks_drop_locked (f->store, 0, BOX_BLOCK_SIZE + 100);
  box_blocks_drop_locked (f->store, 3 * BOX_BLOCK_SIZE, BOX_BLOCK_SIZE);
  /* File, memory, file. */
  assert_reads_back (f, 10, f->size - 20, FALSE);
  g_assert_cmpuint (reads, ==, 2);
}

static void
test_with_a_file_a_full_memory_drops_the_oldest_block (Fixture *f, gconstpointer blocks)
{
  guint reads = 0;

  replace_store (f, &reads, 4);
  fill_n (f, 6);
  g_assert_false (box_blocks_has_room_locked (f->store));
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 4 * BOX_BLOCK_SIZE);
  assert_reads_back (f, 2 * BOX_BLOCK_SIZE, 4 * BOX_BLOCK_SIZE, TRUE);
  g_assert_cmpuint (reads, ==, 0);
  assert_reads_back (f, 0, f->size, FALSE);
  g_assert_cmpuint (reads, ==, 1);
  /* What it gave up is still needed, until Box has it. */
  box_blocks_drop_locked (f->store, 0, 3 * BOX_BLOCK_SIZE);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 3 * BOX_BLOCK_SIZE);
}

static void
test_a_block_that_is_read_keeps_its_memory (Fixture *f, gconstpointer blocks)
{
  BoxBlocksRange range;
  guint reads = 0;
  gsize length = 1;

  replace_store (f, &reads, 2);
  fill_n (f, 2);
  box_blocks_pin_locked (f->store, 0, 2 * BOX_BLOCK_SIZE, &range);
  fill_n (f, 6);
  g_assert_cmpuint (*box_blocks_peek (&range, 1000, &length), ==, 1000 / 251);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 3 * BOX_BLOCK_SIZE);
  box_blocks_unpin_locked (f->store, &range);
  fill_n (f, 1);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 2 * BOX_BLOCK_SIZE);
}

/* Two parts share the block in the middle. The first one was sent and refused. While it is sent
 * again, the second one leaves. */
static void
test_a_block_that_two_parts_share_stays_while_one_is_sent_again (Fixture *f, gconstpointer blocks)
{
  guint64 part = BOX_BLOCK_SIZE / 2 * 3;
  g_autofree guint8 *bytes = g_malloc (part);
  g_autoptr (GError) error = NULL;
  BoxBlocksRange range;
  guint reads = 0;

  replace_store (f, &reads, 4);
  fill_n (f, 3);
  box_blocks_drop_locked (f->store, 0, part);
  box_blocks_pin_locked (f->store, 0, part, &range);
  box_blocks_drop_locked (f->store, part, part);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, BOX_BLOCK_SIZE);
  fill_n (f, 2);
  box_blocks_read (&range, 0, bytes, part, &error);
  g_assert_no_error (error);
  for (guint64 i = 0; i < part; i++)
    g_assert_cmpuint (bytes[i], ==, (guint8) (i / 251));
  box_blocks_unpin_locked (f->store, &range);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 2 * BOX_BLOCK_SIZE);
}

static void
test_with_a_file_ranges_keep_no_more_than_the_limit (Fixture *f, gconstpointer blocks)
{
  BoxBlocksRange first, second;
  guint reads = 0;

  replace_store (f, &reads, 2);
  fill_n (f, 2);
  box_blocks_pin_locked (f->store, 0, 2 * BOX_BLOCK_SIZE, &first);
  fill_n (f, 1);
  box_blocks_pin_locked (f->store, 2 * BOX_BLOCK_SIZE, BOX_BLOCK_SIZE, &second);
  g_assert_false (second.in_memory);
  fill_n (f, 5);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 3 * BOX_BLOCK_SIZE);
  box_blocks_unpin_locked (f->store, &second);
  box_blocks_drop_locked (f->store, 0, BOX_BLOCK_SIZE);
  box_blocks_unpin_locked (f->store, &first);
  fill_n (f, 2);
  assert_reads_back (f, f->size - 2 * BOX_BLOCK_SIZE, 2 * BOX_BLOCK_SIZE, TRUE);
}

static void
test_stores_with_files_share_their_memory (Fixture *f, gconstpointer blocks)
{
  guint share = BOX_BLOCKS_SHARED / BOX_BLOCK_SIZE, reads = 0;
  BoxBlocksFile file = { .read = read_file, .user_data = &reads };
  g_autoptr (GPtrArray) others = g_ptr_array_new ();

  replace_store (f, &reads, 2 * share);
  box_blocks_set_sharing_locked (f->store, BOX_BLOCKS_SHARED);
  fill_n (f, 2);
  for (guint i = 1; i < share; i++)
    {
      g_ptr_array_add (others, box_blocks_new (&file));
      box_blocks_set_sharing_locked (g_ptr_array_index (others, i - 1), BOX_BLOCKS_SHARED);
    }
  fill_n (f, 1);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, BOX_BLOCK_SIZE);
  g_assert_false (box_blocks_has_room_locked (f->store));
  for (guint i = 0; i < others->len; i++)
    box_blocks_free_locked (g_ptr_array_index (others, i));
  g_assert_true (box_blocks_has_room_locked (f->store));
}

static void
test_a_file_that_cannot_be_read_says_why (Fixture *f, gconstpointer blocks)
{
  guint8 byte;
  g_autoptr (GError) error = NULL;
  BoxBlocksRange range;

  replace_store (f, NULL, 4);
  box_blocks_pin_locked (f->store, 0, 1, &range);
  g_assert_false (box_blocks_read (&range, 0, &byte, 1, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_STORAGE);
  box_blocks_unpin_locked (f->store, &range);
}

static void
test_padding_is_made_when_it_is_read (Fixture *f, gconstpointer blocks)
{
  guint8 bytes[300], expected[200];
  BoxBlocksRange range;

  g_assert_true (fill (f));
  box_blocks_pad_locked (f->store, BOX_PADDING_MPEGTS, 1000, 100000000);
  box_blocks_end_locked (f->store, 1000);
  box_blocks_pin_locked (f->store, 900, sizeof bytes, &range);
  g_assert_false (range.in_memory);
  g_assert_true (box_blocks_read (&range, 0, bytes, sizeof bytes, NULL));
  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (bytes[i], ==, (900 + i) / 251);
  box_padding_read (BOX_PADDING_MPEGTS, 1000, 100000000, 0, expected, sizeof expected);
  g_assert_cmpmem (bytes + 100, 200, expected, 200);
  box_blocks_unpin_locked (f->store, &range);

  /* Far behind all memory. */
  box_blocks_pin_locked (f->store, 99999000, sizeof bytes, &range);
  g_assert_true (box_blocks_read (&range, 0, bytes, sizeof bytes, NULL));
  box_padding_read (BOX_PADDING_MPEGTS, 1000, 100000000, 99998000, expected, sizeof expected);
  g_assert_cmpmem (bytes, 200, expected, 200);
  box_blocks_unpin_locked (f->store, &range);

  /* Nothing of it is held: what the parts release is what was written. */
  box_blocks_drop_locked (f->store, 0, 500);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, BOX_BLOCK_SIZE);
  box_blocks_drop_locked (f->store, 500, 99999500);
  g_assert_cmpuint (box_blocks_get_memory_locked (f->store), ==, 0);
}

/* The process's bound is eight blocks (main()). */
static void
test_a_store_keeps_its_due_when_others_hold_all_memory_of_the_process (Fixture *f,
                                                                       gconstpointer blocks)
{
  BoxBlocks *greedy = box_blocks_new (NULL);
  guint64 offset = 0;

  box_blocks_set_limit_locked (greedy, 100 * (guint64) BOX_BLOCK_SIZE, BOX_BLOCK_SIZE);
  while (box_blocks_extend_locked (greedy, offset) != NULL)
    offset += BOX_BLOCK_SIZE;
  g_assert_cmpuint (offset, ==, 8 * BOX_BLOCK_SIZE);
  g_assert_true (fill (f));
  g_assert_false (fill (f));
  box_blocks_free_locked (greedy);
  g_assert_true (fill (f));
}

int
main (int argc, char **argv)
{
  g_setenv ("BOXUPLOAD_MEMORY", "2097152", TRUE);
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, GUINT_TO_POINTER (4), set_up, func, tear_down)
  ADD ("/store/no-more-than-the-limit-is-held", test_no_more_than_the_limit_is_held);
  ADD ("/store/a-block-is-free-when-every-byte-of-it-was-dropped",
       test_a_block_is_free_when_every_byte_of_it_was_dropped);
  ADD ("/store/parts-may-be-dropped-in-any-order", test_parts_may_be_dropped_in_any_order);
  ADD ("/store/the-end-of-the-stream-frees-what-will-not-be-filled",
       test_the_end_of_the_stream_frees_what_will_not_be_filled);
  ADD ("/store/a-pinned-range-reads-back-what-was-written",
       test_a_pinned_range_reads_back_what_was_written);
  ADD ("/store/a-store-keeps-its-due-when-others-hold-all-memory-of-the-process",
       test_a_store_keeps_its_due_when_others_hold_all_memory_of_the_process);
  ADD ("/store/what-never-was-in-memory-is-read-from-the-file",
       test_what_never_was_in_memory_is_read_from_the_file);
  ADD ("/store/what-was-dropped-is-read-from-the-file",
       test_what_was_dropped_is_read_from_the_file);
  ADD ("/store/with-a-file-a-full-memory-drops-the-oldest-block",
       test_with_a_file_a_full_memory_drops_the_oldest_block);
  ADD ("/store/a-block-that-is-read-keeps-its-memory", test_a_block_that_is_read_keeps_its_memory);
  ADD ("/store/a-block-that-two-parts-share-stays-while-one-is-sent-again",
       test_a_block_that_two_parts_share_stays_while_one_is_sent_again);
  ADD ("/store/with-a-file-ranges-keep-no-more-than-the-limit",
       test_with_a_file_ranges_keep_no_more_than_the_limit);
  ADD ("/store/stores-with-files-share-their-memory", test_stores_with_files_share_their_memory);
  ADD ("/store/padding-is-made-when-it-is-read", test_padding_is_made_when_it_is_read);
  ADD ("/store/a-file-that-cannot-be-read-says-why", test_a_file_that_cannot_be_read_says_why);
  return g_test_run ();
}
