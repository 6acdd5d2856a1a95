/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers of every shape: what is stored is their bytes in order, and no buffer is kept.
 */
#include "kit/pattern.h"
#include "sink-fixture.h"

/* Small parts, so that a short stream has many; the emulator then takes sessions of any size, but
 * the sink opens one only from 20,000,000 bytes on. */
#define PART_SIZE 1000003
#define STREAM    20000000
#define DIRECT    300000
#define PACKET    188
#define CELL      1316

static SinkFixture *
begin (guint64 size)
{
  BoxEmulatorOptions options = { .part_size = PART_SIZE };
  SinkFixture *fixture = sink_fixture_new (&options);

  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/shape.bin", "total-size", size, NULL);
  sink_fixture_start_harness (fixture);
  return fixture;
}

static void
end (SinkFixture *fixture, GBytes *bytes)
{
  g_assert_true (sink_fixture_push_eos (fixture));
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_assert_stored_bytes (fixture, "0", "shape.bin", bytes);
}

static void
test_equal_sizes (gconstpointer data)
{
  gsize length = GPOINTER_TO_SIZE (data);
  gsize size = length == 1 ? DIRECT : STREAM;
  g_autoptr (SinkFixture) fixture = begin (size);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, size);

  for (gsize offset = 0; offset < size; offset += length)
    g_assert_cmpint (sink_fixture_push (fixture, bytes, offset, MIN (length, size - offset)), ==,
                     GST_FLOW_OK);
  end (fixture, bytes);
}

static void
test_lists (void)
{
  g_autoptr (SinkFixture) fixture = begin (STREAM);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);

  for (gsize offset = 0; offset < STREAM;)
    {
      GstBufferList *list = gst_buffer_list_new ();

      for (guint i = 0; i < 72 && offset < STREAM; i++, offset += CELL)
        {
          g_autoptr (GBytes) slice =
              g_bytes_new_from_bytes (bytes, offset, MIN (CELL, STREAM - offset));

          gst_buffer_list_add (list, gst_buffer_new_wrapped_bytes (slice));
        }
      g_assert_cmpint (gst_pad_push_list (fixture->harness->srcpad, list), ==, GST_FLOW_OK);
    }
  end (fixture, bytes);
}

static void
test_empty_buffers (void)
{
  g_autoptr (SinkFixture) fixture = begin (DIRECT);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, DIRECT);

  g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_new ()), ==, GST_FLOW_OK);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, 1000), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_new_allocate (NULL, 0, NULL)), ==,
                   GST_FLOW_OK);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, 1000, DIRECT - 1000), ==, GST_FLOW_OK);
  g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_new ()), ==, GST_FLOW_OK);
  end (fixture, bytes);
}

static void
test_many_memories (void)
{
  g_autoptr (SinkFixture) fixture = begin (DIRECT);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, DIRECT);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  GstBuffer *buffer = gst_buffer_new ();
  guint n = gst_buffer_get_max_memory ();
  gsize length = DIRECT / n + 1;

  for (gsize offset = 0; offset < DIRECT; offset += length)
    gst_buffer_append_memory (
        buffer, gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, (gpointer) data, DIRECT, offset,
                                        MIN (length, DIRECT - offset), NULL, NULL));
  g_assert_cmpuint (gst_buffer_n_memory (buffer), ==, n);
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
  end (fixture, bytes);
}

/* Across the ends of parts, in a session: buffers of as many memories as fit into one, and empty
 * ones between them. */
static void
test_many_memories_across_parts (void)
{
  g_autoptr (SinkFixture) fixture = begin (STREAM);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  guint n = gst_buffer_get_max_memory ();
  gsize length = 2 * PART_SIZE / n + 7, offset = 0;

  while (offset < STREAM)
    {
      GstBuffer *buffer = gst_buffer_new ();

      for (guint i = 0; i < n && offset < STREAM; i++, offset += MIN (length, STREAM - offset))
        gst_buffer_append_memory (
            buffer, gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, (gpointer) data, STREAM,
                                            offset, MIN (length, STREAM - offset), NULL, NULL));
      g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
      g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_new ()), ==, GST_FLOW_OK);
    }
  end (fixture, bytes);
}

/* Empty buffers just where a part, and the stream, end and begin. */
static void
test_empty_buffers_between_parts (void)
{
  g_autoptr (SinkFixture) fixture = begin (STREAM);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);

  for (gsize offset = 0; offset < STREAM; offset += PART_SIZE)
    {
      g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_new_allocate (NULL, 0, NULL)),
                       ==, GST_FLOW_OK);
      g_assert_cmpint (sink_fixture_push (fixture, bytes, offset, MIN (PART_SIZE, STREAM - offset)),
                       ==, GST_FLOW_OK);
      g_assert_cmpint (gst_harness_push (fixture->harness, gst_buffer_new ()), ==, GST_FLOW_OK);
    }
  end (fixture, bytes);
}

static void
test_single_bytes_around_the_end_of_a_part (void)
{
  const gsize around = 1000;
  g_autoptr (SinkFixture) fixture = begin (STREAM);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);
  gsize begins = PART_SIZE - around, ends = PART_SIZE + around;

  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, begins), ==, GST_FLOW_OK);
  for (gsize offset = begins; offset < ends; offset++)
    g_assert_cmpint (sink_fixture_push (fixture, bytes, offset, 1), ==, GST_FLOW_OK);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, ends, STREAM - 1 - ends), ==, GST_FLOW_OK);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, STREAM - 1, 1), ==, GST_FLOW_OK);
  end (fixture, bytes);
}

static void
test_list_with_an_empty_buffer (void)
{
  g_autoptr (SinkFixture) fixture = begin (STREAM);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);
  GstBufferList *list = gst_buffer_list_new ();
  const gsize cuts[] = { 0, 0, PART_SIZE, PART_SIZE, PART_SIZE + 1, STREAM, STREAM };

  for (guint i = 0; i + 1 < G_N_ELEMENTS (cuts); i++)
    {
      g_autoptr (GBytes) slice = g_bytes_new_from_bytes (bytes, cuts[i], cuts[i + 1] - cuts[i]);

      gst_buffer_list_add (list, gst_buffer_new_wrapped_bytes (slice));
    }
  g_assert_cmpint (gst_pad_push_list (fixture->harness->srcpad, list), ==, GST_FLOW_OK);
  end (fixture, bytes);
}

static void
test_larger_than_several_parts (void)
{
  g_autoptr (SinkFixture) fixture = begin (STREAM);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, STREAM);

  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, STREAM), ==, GST_FLOW_OK);
  end (fixture, bytes);
}

/* A pool of four buffers runs dry if the sink keeps them. */
static void
test_pool_buffers_go_back (void)
{
  g_autoptr (SinkFixture) fixture = begin (DIRECT);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, DIRECT);
  g_autoptr (GstBufferPool) pool = gst_buffer_pool_new ();
  GstBufferPoolAcquireParams params = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, DIRECT / 100, 4, 4);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
  for (guint i = 0; i < 100; i++)
    {
      GstBuffer *buffer = NULL;
      gsize offset = (gsize) i * (DIRECT / 100);

      g_assert_cmpint (gst_buffer_pool_acquire_buffer (pool, &buffer, &params), ==, GST_FLOW_OK);
      gst_buffer_fill (buffer, 0, (const guint8 *) g_bytes_get_data (bytes, NULL) + offset,
                       DIRECT / 100);
      g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
    }
  end (fixture, bytes);
  gst_buffer_pool_set_active (pool, FALSE);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  g_test_add_data_func ("/buffers/one-byte-each", GSIZE_TO_POINTER (1), test_equal_sizes);
  g_test_add_data_func ("/buffers/of-188-bytes", GSIZE_TO_POINTER (PACKET), test_equal_sizes);
  g_test_add_data_func ("/buffers/of-a-prime-size", GSIZE_TO_POINTER (65537), test_equal_sizes);
  g_test_add_data_func ("/buffers/of-exactly-a-part", GSIZE_TO_POINTER (PART_SIZE),
                        test_equal_sizes);
  g_test_add_func ("/buffers/of-1316-bytes-in-lists", test_lists);
  g_test_add_func ("/buffers/empty-ones-change-nothing", test_empty_buffers);
  g_test_add_func ("/buffers/of-many-memories", test_many_memories);
  g_test_add_func ("/buffers/of-many-memories-across-parts", test_many_memories_across_parts);
  g_test_add_func ("/buffers/empty-ones-between-parts", test_empty_buffers_between_parts);
  g_test_add_func ("/buffers/of-one-byte-around-the-end-of-a-part",
                   test_single_bytes_around_the_end_of_a_part);
  g_test_add_func ("/buffers/list-with-an-empty-one", test_list_with_an_empty_buffer);
  g_test_add_func ("/buffers/larger-than-several-parts", test_larger_than_several_parts);
  g_test_add_func ("/buffers/of-a-pool-go-back-at-once", test_pool_buffers_go_back);
  return g_test_run ();
}
