/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine against the emulator: streams that end before the size that was declared for them, and
 * the padding behind them.
 */
#include "upload-fixture.h"

#include "kit/pattern.h"

#include <string.h>

typedef struct
{
  const char *name;
  guint64 stream; /* bytes */
  guint64 size;
  BoxPaddingKind padding;
} Case;

static const Case cases[] = {
  { "within-a-part", 3 * PART + 100, 12 * PART + 5, BOX_PADDING_ZERO },
  { "at-the-end-of-a-part", 3 * PART, 12 * PART, BOX_PADDING_ZERO },
  { "of-a-byte", 12 * PART - 1, 12 * PART, BOX_PADDING_ZERO },
  { "of-packets", 40 * 188, 2000 * 188, BOX_PADDING_MPEGTS },
  { "of-a-box-across-blocks", 300000, 3000000, BOX_PADDING_MP4 },
  { "of-an-element", 1000, 5 * PART, BOX_PADDING_MATROSKA },
};

static char *
expected_sha1 (const Case *c)
{
  g_autofree guint8 *bytes = g_malloc (c->size);
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GLIB);
  BoxSha1 sha1;

  kit_pattern_fill (0, bytes, c->stream);
  box_padding_read (c->padding, c->stream, c->size - c->stream, 0, bytes + c->stream,
                    c->size - c->stream);
  box_digest_update (digest, bytes, c->size);
  box_digest_finish (digest, &sha1);
  return box_sha1_to_hex (&sha1);
}

static void
assert_padded (Fixture *f, const Case *c)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (f->emulator, "0", "p.bin");
  g_autofree char *sha1 = expected_sha1 (c);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, c->size);
  g_assert_cmpstr (file->sha1, ==, sha1);
}

static void
test_padding_fills_a_session (Fixture *f, gconstpointer data)
{
  const Case *c = data;
  g_autoptr (BoxDestination) destination = new_session (f, "p.bin", c->size, NULL);
  BoxUploadSettings settings = settings_for (f, destination, c->size);

  begin (f, &settings);
  g_assert_true (produce (f, 0, c->stream));
  box_upload_finish_padded (f->upload, c->padding);
  assert_done (f);
  assert_padded (f, c);
}

static void
test_padding_fills_a_small_file (Fixture *f, gconstpointer data)
{
  const Case *c = data;
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "p.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, c->size);

  begin (f, &settings);
  g_assert_true (produce (f, 0, c->stream));
  box_upload_finish_padded (f->upload, c->padding);
  assert_done (f);
  assert_padded (f, c);
}

/* Nobody has to wait for room for it, though the network is gone. */
static void
test_padding_takes_no_memory (Fixture *f, gconstpointer data)
{
  const Case c = { NULL, 1000, 200 * PART, BOX_PADDING_ZERO };
  g_autoptr (BoxDestination) destination = new_session (f, "p.bin", c.size, NULL);
  BoxUploadSettings settings = settings_for (f, destination, c.size);
  BoxUploadStats stats;

  settings.max_memory = 2 * PART;
  load (f, "{'route':'upload_part','do':'hold','name':'gate'}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, c.stream));
  box_upload_finish_padded (f->upload, c.padding);
  g_assert_true (box_emulator_wait_held (f->emulator, "gate", KIT_PATIENCE_MS));
  box_upload_get_stats (f->upload, &stats);
  g_assert_cmpuint (stats.memory, <=, BOX_BLOCK_SIZE);
  g_assert_cmpuint (stats.bytes_received, ==, c.size);
  box_emulator_release (f->emulator, "gate");
  assert_done (f);
  assert_padded (f, &c);
}

/* The rate leaves the stream's part half a minute. */
static void
test_padding_begins_when_the_stream_has_left (Fixture *f, gconstpointer data)
{
  const Case c = { NULL, 1000, 6 * PART, BOX_PADDING_ZERO };
  g_autoptr (BoxDestination) destination = new_session (f, "p.bin", c.size, NULL);
  BoxUploadSettings settings = settings_for (f, destination, c.size);
  BoxUploadStats stats = { 0 };

  settings.upload_rate = 2000;
  begin (f, &settings);
  g_assert_true (produce (f, 0, c.stream));
  box_upload_finish_padded (f->upload, c.padding);
  KIT_AWAIT ((box_upload_get_stats (f->upload, &stats), stats.bytes_sent >= 1024));
  g_assert_cmpuint (stats.parts_in_flight, ==, 1);
  box_upload_set_rate (f->upload, 0);
  assert_done (f);
  assert_padded (f, &c);
}

static void
test_a_stream_that_nothing_fills_is_too_short (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = new_session (f, "p.bin", 4 * PART, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 4 * PART);

  begin (f, &settings);
  g_assert_true (produce (f, 0, 3 * PART));
  box_upload_finish_padded (f->upload, BOX_PADDING_NONE);
  assert_failed (f, BOX_ERROR_SIZE);
}

/* A terabyte of it is digested for long; a cancel does not wait for that. */
static void
test_a_cancel_ends_the_digest (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxDestination) destination = NULL;
  BoxUploadSettings settings;

  tear_down (f, NULL);
  memset (f, 0, sizeof *f);
  set_up_with (f,
               &(BoxEmulatorOptions){ .part_size = G_GUINT64_CONSTANT (1) << 30, .min_size = 1 });
  destination = new_session (f, "p.bin", G_GUINT64_CONSTANT (1) << 40, NULL);
  settings = settings_for (f, destination, G_GUINT64_CONSTANT (1) << 40);
  load (f, "{'route':'upload_part','do':'hold','name':'gate'}");
  begin (f, &settings);
  g_assert_true (produce (f, 0, 1000));
  box_upload_finish_padded (f->upload, BOX_PADDING_ZERO);
  box_upload_cancel (f->upload);
  g_assert_true (box_upload_wait_settled (f->upload, KIT_PATIENCE_US));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *session = g_strconcat ("/padded/session/", cases[i].name, NULL);
      g_autofree char *small = g_strconcat ("/padded/small/", cases[i].name, NULL);

      g_test_add (session, Fixture, &cases[i], set_up, test_padding_fills_a_session, tear_down);
      g_test_add (small, Fixture, &cases[i], set_up, test_padding_fills_a_small_file, tear_down);
    }
#define ADD(path, func) g_test_add ("/padded/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("without-memory", test_padding_takes_no_memory);
  ADD ("begins-when-the-stream-has-left", test_padding_begins_when_the_stream_has_left);
  ADD ("by-nothing-is-too-short", test_a_stream_that_nothing_fills_is_too_short);
  ADD ("cancel-ends-the-digest", test_a_cancel_ends_the_digest);
  return g_test_run ();
}
