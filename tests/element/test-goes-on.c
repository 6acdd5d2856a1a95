/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Refusals by Box, a gateway, a certificate or a clock in the middle of a recording that has a
 * spool: a WARNING comes at once, the recording goes on to its end, and only an upload that then
 * still fails is an ERROR. The table says how something refuses; each row is tried with each way to
 * know the size, with a refusal that stays and with one that is over before EOS.
 */
#include "sink-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/places.h"
#include "spool/spool.h"

#include <gnutls/gnutls.h>
#include <string.h>
#include <time.h>

#define PART    1000000
#define SIZE    25000000
#define RESERVE 30000000

/* Fresh bytes for the refusal to meet; the parts before it went well. */
#define BEFORE (3 * PART + 17)
#define AFTER  (8 * PART)

/* 2020-01-01, before any certificate of the emulator is valid. */
#define EARLY 1577836800

typedef struct Refusal
{
  const char *name;
  const char *scenario; /* NULL: see begin */
  gboolean tls;
  void (*begin) (SinkFixture *fixture, const char *dir);
  void (*end) (SinkFixture *fixture, const char *dir);
  gboolean survived; /* the part is looked for, and found as it should be: nothing to warn of */
} Refusal;

static time_t
tell_an_early_time (time_t *out)
{
  if (out != NULL)
    *out = EARLY;
  return EARLY;
}

/* New connections have to be made. */
static void
cut_connections (SinkFixture *fixture)
{
  box_emulator_set_down (fixture->emulator, TRUE);
  box_emulator_set_down (fixture->emulator, FALSE);
}

static void
set_clock_back (SinkFixture *fixture, const char *dir)
{
  gnutls_global_set_time_function (tell_an_early_time);
  cut_connections (fixture);
}

static void
set_clock_right (SinkFixture *fixture, const char *dir)
{
  gnutls_global_set_time_function (time);
}

/* Another machine answers at the same address, with a certificate that nobody knows. */
static void
put_emulator (SinkFixture *fixture, const char *dir)
{
  g_autoptr (GUri) uri =
      g_uri_parse (box_emulator_get_origin (fixture->emulator, TRUE), G_URI_FLAGS_NONE, NULL);
  BoxEmulatorOptions options = {
    .part_size = PART,
    .dir = dir,
    .tls_port = (guint16) g_uri_get_port (uri),
  };

  g_clear_pointer (&fixture->emulator, box_emulator_free);
  fixture->emulator = kit_emulator_new (&options);
}

static void
put_a_stranger (SinkFixture *fixture, const char *dir)
{
  put_emulator (fixture, NULL);
}

static void
renew_token (SinkFixture *fixture, const char *dir)
{
  box_emulator_clear_scenario (fixture->emulator);
  g_object_set (fixture->sink, "access-token", "renewed-token", NULL);
}

/* Every part from now on gets this answer. */
#define PARTS(what) "[{\"route\":\"upload_part\"," what "}]"
#define ANSWER(status, code)                                                                       \
  PARTS ("\"do\":\"reply\",\"status\":" status ",\"json\":{\"type\":\"error\",\"status\":" status  \
         ",\"code\":\"" code "\",\"message\":\"No\",\"request_id\":\"abcdef\"}")
#define HTML(status)                                                                               \
  PARTS ("\"do\":\"reply\",\"status\":" status                                                     \
         ",\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>No</html>\"")

static const Refusal refusals[] = {
  { "403", ANSWER ("403", "access_denied_insufficient_permissions") },
  { "403-of-a-gateway", HTML ("403") },
  { "400", ANSWER ("400", "bad_request") },
  { "400-of-a-gateway", HTML ("400") },
  { "404-of-a-gateway", HTML ("404") },
  { "401", ANSWER ("401", "unauthorized"), .end = renew_token },
  { "507", ANSWER ("507", "insufficient_storage") },
  { "501", HTML ("501") },
  { "421", HTML ("421") },
  { "302",
    PARTS (
        "\"do\":\"reply\",\"status\":302,\"headers\":{\"Location\":\"http://portal.invalid/\"}") },
  { "storage-limit-exceeded", ANSWER ("403", "storage_limit_exceeded") },
  { "not-http", PARTS ("\"do\":\"garbage\"") },
  { "another-sha1",
    PARTS ("\"do\":\"change\",\"change\":{\"part\":{\"sha1\":"
           "\"0000000000000000000000000000000000000000\"}}"),
    .survived = TRUE },
  { "untrusted-certificate", NULL, TRUE, put_a_stranger, put_emulator },
  { "clock", NULL, TRUE, set_clock_back, set_clock_right },
};

typedef struct
{
  const Refusal *refusal;
  gboolean reserve;
  gboolean stays; /* the refusal is there at EOS, too */
} Case;

static void
begin_refusal (SinkFixture *fixture, const Refusal *refusal, const char *dir)
{
  if (refusal->scenario != NULL)
    kit_load_rules (fixture->emulator, refusal->scenario);
  if (refusal->begin != NULL)
    refusal->begin (fixture, dir);
}

static void
end_refusal (SinkFixture *fixture, const Refusal *refusal, const char *dir)
{
  if (refusal->end != NULL)
    refusal->end (fixture, dir);
  else
    box_emulator_clear_scenario (fixture->emulator);
}

static SinkFixture *
begin (const Case *c, const char *dir)
{
  BoxEmulatorOptions options = { .part_size = PART, .dir = dir };
  SinkFixture *fixture = sink_fixture_new (&options);
  g_autofree char *spool = g_build_filename (fixture->dir, "spool", NULL);

  fixture->tls = c->refusal->tls;
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/s.bin", "spool-dir", spool, "retry-timeout",
                c->stays ? 1 : 60, NULL);
  if (c->reserve)
    {
      gst_util_set_object_arg (G_OBJECT (fixture->sink), "unknown-size", "reserve");
      gst_util_set_object_arg (G_OBJECT (fixture->sink), "padding", "zero");
      g_object_set (fixture->sink, "reserve-size", (guint64) RESERVE, NULL);
    }
  else
    g_object_set (fixture->sink, "total-size", (guint64) SIZE, NULL);
  sink_fixture_start_harness (fixture);
  return fixture;
}

static void
assert_kept (SinkFixture *fixture)
{
  const GstStructure *spooled = sink_fixture_find (fixture, "boxuploadsink-spooled");
  g_autofree char *dir = g_build_filename (fixture->dir, "spool", NULL);
  g_autoptr (BoxSpool) spool = box_spool_open (dir, 0, NULL);
  g_autoptr (GPtrArray) list = NULL;
  const BoxSpoolEntry *entry;

  gst_element_set_state (fixture->sink, GST_STATE_NULL);
  list = box_spool_list (spool, NULL);
  g_assert_cmpuint (list->len, ==, 1);
  entry = list->pdata[0];
  g_assert_cmpint (entry->status, ==, BOX_SPOOL_COMPLETE);
  g_assert_cmpuint (entry->size, ==, SIZE);
  g_assert_nonnull (spooled);
  g_assert_cmpstr (gst_structure_get_string (spooled, "path"), ==, entry->data_path);
}

/* A reserve is padded if its upload could go on, and else as long as the recording. */
static void
assert_stored (SinkFixture *fixture, GBytes *bytes)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "s.bin");
  g_autoptr (GMappedFile) stored = NULL;

  g_assert_nonnull (file);
  stored = g_mapped_file_new (file->path, FALSE, NULL);
  g_assert_true (file->size == SIZE || file->size == RESERVE);
  g_assert_cmpmem (g_mapped_file_get_contents (stored), SIZE, g_bytes_get_data (bytes, NULL), SIZE);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
  sink_fixture_assert_eos_is_last (fixture);
}

static void
test_refusal (gconstpointer data)
{
  const Case *c = data;
  gboolean fails = c->stays && !c->refusal->survived;
  g_autofree char *dir = kit_new_directory ();
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autoptr (SinkFixture) fixture = begin (c, dir);

  g_assert_cmpint (sink_fixture_push (fixture, bytes, 0, BEFORE), ==, GST_FLOW_OK);
  sink_fixture_wait_element (fixture, "boxuploadsink-part");
  begin_refusal (fixture, c->refusal, dir);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, BEFORE, AFTER - BEFORE), ==, GST_FLOW_OK);
  if (c->refusal->survived)
    sink_fixture_wait_element (fixture, "boxuploadsink-retry");
  else
    sink_fixture_wait (fixture, GST_MESSAGE_WARNING);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, AFTER, SIZE - AFTER - 1), ==, GST_FLOW_OK);
  if (!c->stays)
    end_refusal (fixture, c->refusal, dir);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, SIZE - 1, 1), ==, GST_FLOW_OK);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, fails ? GST_MESSAGE_ERROR : GST_MESSAGE_EOS);
  sink_fixture_drain (fixture);
  sink_fixture_assert_progress_balanced (fixture);
  if (fails)
    {
      g_autoptr (GError) error = sink_fixture_get_error (fixture);

      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, "boxupload resume"));
      assert_kept (fixture);
      end_refusal (fixture, c->refusal, dir);
    }
  else
    assert_stored (fixture, bytes);
  kit_remove_tree (dir);
}

/* --- At the beginning ----------------------------------------------------------------------- */

/* Answers to the first request, which depends on whether the size is known. */
#define FIRST(what) "[{\"route\":[\"preflight\",\"create_session\"]," what "}]"
#define FIRST_ANSWER(status, code)                                                                 \
  FIRST ("\"do\":\"reply\",\"status\":" status ",\"json\":{\"type\":\"error\",\"status\":" status  \
         ",\"code\":\"" code "\",\"message\":\"No\",\"request_id\":\"abcdef\"}")
#define FIRST_HTML(status)                                                                         \
  FIRST ("\"do\":\"reply\",\"status\":" status                                                     \
         ",\"headers\":{\"Content-Type\":\"text/html\"},\"body\":\"<html>No</html>\"")

typedef struct
{
  const char *name;
  const char *scenario;
  GstMessageType told; /* an ERROR ends the recording */
} First;

static const First firsts[] = {
  { "folder", FIRST_ANSWER ("404", "not_found"), GST_MESSAGE_ERROR },
  { "name", FIRST_ANSWER ("400", "item_name_invalid"), GST_MESSAGE_ERROR },
  { "name-taken", FIRST_ANSWER ("409", "item_name_in_use"), GST_MESSAGE_ERROR },
  { "credentials", FIRST_ANSWER ("401", "unauthorized"), GST_MESSAGE_ERROR },
  { "right", FIRST_ANSWER ("403", "access_denied_insufficient_permissions"), GST_MESSAGE_ERROR },
  { "full-account", FIRST_ANSWER ("403", "storage_limit_exceeded"), GST_MESSAGE_WARNING },
  { "gateway-403", FIRST_HTML ("403"), GST_MESSAGE_WARNING },
  { "gateway-404", FIRST_HTML ("404"), GST_MESSAGE_WARNING },
  { "gateway-400", FIRST_HTML ("400"), GST_MESSAGE_WARNING },
  { "portal",
    FIRST ("\"do\":\"reply\",\"status\":302,\"headers\":{\"Location\":\"http://portal.invalid/\"}"),
    GST_MESSAGE_WARNING },
  { "no-space", FIRST_HTML ("507"), GST_MESSAGE_WARNING },
};

/* With a size that is known, or without. */
static void
check_first (const First *first, guint64 size)
{
  g_autoptr (SinkFixture) fixture = sink_fixture_new (NULL);
  g_autoptr (GBytes) bytes = kit_pattern_bytes (0, SIZE);
  g_autofree char *spool = g_build_filename (fixture->dir, "spool", NULL);
  gboolean goes_on = first->told == GST_MESSAGE_WARNING;
  GstFlowReturn flow;

  kit_load_rules (fixture->emulator, first->scenario);
  sink_fixture_make_sink (fixture);
  g_object_set (fixture->sink, "location", "box://0/s.bin", "spool-dir", spool, "total-size", size,
                NULL);
  sink_fixture_start_harness (fixture);
  flow = sink_fixture_push (fixture, bytes, 0, PART);
  g_assert_true (flow == GST_FLOW_OK || !goes_on);
  sink_fixture_wait (fixture, first->told);
  g_assert_cmpint (sink_fixture_push (fixture, bytes, PART, SIZE - PART), ==,
                   goes_on ? GST_FLOW_OK : GST_FLOW_ERROR);
  if (!goes_on)
    return;
  box_emulator_clear_scenario (fixture->emulator);
  sink_fixture_push_eos (fixture);
  sink_fixture_wait (fixture, GST_MESSAGE_EOS);
  sink_fixture_drain (fixture);
  sink_fixture_assert_stored_bytes (fixture, "0", "s.bin", bytes);
}

static void
test_first_answer_to_a_known_size (gconstpointer data)
{
  check_first (data, SIZE);
}

static void
test_first_answer_to_an_unknown_size (gconstpointer data)
{
  check_first (data, 0);
}

static void
add (const Refusal *refusal, gboolean reserve, gboolean stays)
{
  Case *c = g_new (Case, 1);
  g_autofree char *path =
      g_strdup_printf ("/goes-on/%s/%s/%s", refusal->name, reserve ? "reserve" : "total-size",
                       stays ? "stays" : "passes");

  *c = (Case){ .refusal = refusal, .reserve = reserve, .stays = stays };
  g_test_add_data_func_full (path, c, test_refusal, g_free);
}

/* usage: test-goes-on [one-of-each|others]; without an argument, both. */
int
main (int argc, char **argv)
{
  gboolean each, others;

  sink_fixture_init (&argc, &argv);
  each = argc < 2 || g_str_equal (argv[1], "one-of-each");
  others = argc < 2 || g_str_equal (argv[1], "others");
  /* The cases of a row take turns at being the one. */
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    for (guint variant = 0; variant < 4; variant++)
      if (variant == i % 4 ? each : others)
        add (&refusals[i], (variant & 1) != 0, (variant & 2) != 0);
  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++)
    {
      g_autofree char *known = g_strdup_printf ("/goes-on/first/%s/known-size", firsts[i].name);
      g_autofree char *unknown = g_strdup_printf ("/goes-on/first/%s/unknown-size", firsts[i].name);

      if (i % 2 == 0 ? each : others)
        g_test_add_data_func (known, &firsts[i], test_first_answer_to_a_known_size);
      if (i % 2 == 0 ? others : each)
        g_test_add_data_func (unknown, &firsts[i], test_first_answer_to_an_unknown_size);
    }
  return g_test_run ();
}
