/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Survived faults: the table has the fault; the file must be there once, whole, and EOS must have
 * come.
 */
#include "../element/sink-fixture.h"
#include "kit/emulator.h"
#include "kit/places.h"

#define PART 1000000
#define SIZE 20500000

typedef struct
{
  const char *name;
  const char *scenario;
  const char *properties; /* of the sink; NULL: none */
  gboolean version;       /* into a file that is there already */
  gboolean tls;           /* over TLS as well: what happens is the connection's */
} Survival;

#define PART_3(what) "[{\"route\":\"upload_part\",\"part\":3,\"times\":1," what "}]"

static const Survival survivals[] = {
  { "429-with-retry-after",
    PART_3 ("\"do\":\"reply\",\"status\":429,\"headers\":{\"Retry-After\":\"1\"}"), NULL, FALSE },
  { "429-before-the-body-was-sent-and-the-connection-closed",
    PART_3 ("\"do\":\"reply\",\"at\":\"head\",\"status\":429,\"linger\":false,"
            "\"headers\":{\"Retry-After\":\"1\",\"Connection\":\"close\"}"),
    NULL, FALSE, TRUE },
  { "429-for-the-session",
    "[{\"route\":\"create_session\",\"times\":2,\"do\":\"reply\",\"status\":429,"
    "\"headers\":{\"Retry-After\":\"1\"}}]",
    NULL, FALSE },
  { "429-for-the-commit",
    "[{\"route\":\"commit\",\"times\":1,\"do\":\"reply\",\"status\":429,"
    "\"headers\":{\"Retry-After\":\"1\"}}]",
    NULL, FALSE },
  { "500", PART_3 ("\"do\":\"reply\",\"status\":500"), NULL, FALSE },
  { "500-though-the-part-was-stored", PART_3 ("\"do\":\"reply\",\"at\":\"stored\",\"status\":500"),
    NULL, FALSE },
  { "502-with-html",
    PART_3 ("\"do\":\"reply\",\"status\":502,\"headers\":{\"Content-Type\":\"text/html\"},"
            "\"body\":\"<html><body>Bad gateway</body></html>\""),
    NULL, FALSE, TRUE },
  { "504-with-html",
    PART_3 ("\"do\":\"reply\",\"status\":504,\"headers\":{\"Content-Type\":\"text/html\"},"
            "\"body\":\"<html><body>Gateway time-out</body></html>\""),
    NULL, FALSE, TRUE },
  { "503", PART_3 ("\"do\":\"reply\",\"status\":503"), NULL, FALSE },
  { "503-for-the-session",
    "[{\"route\":\"create_session\",\"times\":1,\"do\":\"reply\",\"status\":503}]", NULL, FALSE },
  { "reset-before-a-part", PART_3 ("\"do\":\"reset\",\"at\":\"head\""), NULL, FALSE, TRUE },
  { "reset-within-a-part", PART_3 ("\"do\":\"reset\",\"at\":\"body\",\"bytes\":400000"), NULL,
    FALSE, TRUE },
  { "reset-after-a-part", PART_3 ("\"do\":\"reset\",\"at\":\"end\""), NULL, FALSE, TRUE },
  { "answer-to-a-stored-part-lost", PART_3 ("\"do\":\"reset\",\"at\":\"stored\""), NULL, FALSE,
    TRUE },
  { "every-fifth-part-reset",
    "[{\"route\":\"upload_part\",\"every\":5,\"times\":6,\"do\":\"reset\",\"at\":\"body\","
    "\"bytes\":1000}]",
    NULL, FALSE, TRUE },
  { "stalled-connection",
    PART_3 ("\"do\":\"hold\",\"name\":\"stall\",\"at\":\"body\",\"bytes\":1000"), "timeout=2",
    FALSE, TRUE },
  { "stalled-answer", PART_3 ("\"do\":\"hold\",\"name\":\"stall\",\"at\":\"stored\""), "timeout=2",
    FALSE, TRUE },
  { "commit-answered-202-several-times",
    "[{\"route\":\"commit\",\"times\":3,\"do\":\"reply\",\"status\":202,"
    "\"headers\":{\"Retry-After\":\"1\"}}]",
    NULL, FALSE },
  { "commit-answered-202-without-retry-after",
    "[{\"route\":\"commit\",\"times\":1,\"do\":\"reply\",\"status\":202}]", NULL, FALSE },
  { "parts-mismatch-once",
    "[{\"route\":\"commit\",\"times\":1,\"do\":\"reply\",\"status\":400,"
    "\"json\":{\"type\":\"error\",\"status\":400,\"code\":\"parts_mismatch\",\"message\":"
    "\"No matching part found on server\"}}]",
    NULL, FALSE },
  { "answer-to-the-commit-lost",
    "[{\"route\":\"commit\",\"times\":1,\"do\":\"reset\",\"at\":\"stored\"}]", NULL, FALSE, TRUE },
  { "answer-to-the-commit-of-a-version-lost",
    "[{\"route\":\"commit\",\"times\":1,\"do\":\"reset\",\"at\":\"stored\"}]", NULL, TRUE },
  { "500-though-the-version-was-committed",
    "[{\"route\":\"commit\",\"times\":1,\"do\":\"reply\",\"at\":\"stored\",\"status\":500}]", NULL,
    TRUE },
  { "answer-to-the-session-lost",
    "[{\"route\":\"create_session\",\"times\":1,\"do\":\"reset\",\"at\":\"stored\"}]", NULL, FALSE,
    TRUE },
  { "everything-fails-twice",
    "[{\"route\":[\"create_session\",\"commit\",\"list_parts\"],\"times\":2,\"do\":\"reply\","
    "\"status\":500},{\"route\":\"upload_part\",\"times\":10,\"do\":\"reply\",\"status\":503}]",
    NULL, FALSE },
};

static void
assert_one_version_more (SinkFixture *fixture, const Survival *survival)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", "a");

  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, survival->version ? 2 : 1);
  g_assert_cmpuint (box_emulator_count_files (fixture->emulator), ==, 1);
}

/* The request refused with 429 was repeated, and not before the second that Retry-After asks for.
 */
static void
assert_waited_as_asked (SinkFixture *fixture)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (fixture->emulator, NULL);

  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *refused = requests->pdata[i], *next = NULL;

      if (refused->status != 429)
        continue;
      for (guint k = i + 1; k < requests->len && next == NULL; k++)
        {
          const BoxEmulatorRequest *request = requests->pdata[k];

          if (g_str_equal (request->route, refused->route) && request->offset == refused->offset)
            next = request;
        }
      g_assert_nonnull (next);
      g_assert_cmpint (next->began - refused->began, >=, G_USEC_PER_SEC);
    }
}

/* The stalled request of a client that has given up ends: a server cannot know while it does not
 * read. */
static GstBusSyncReply
end_stall (GstBus *bus, GstMessage *message, gpointer user_data)
{
  SinkFixture *fixture = user_data;

  if (gst_message_has_name (message, "boxuploadsink-retry"))
    box_emulator_release (fixture->emulator, "stall");
  return GST_BUS_PASS;
}

static void
run_survival (const Survival *survival, gboolean tls)
{
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *file_id = NULL;

  kit_load_rules (fixture->emulator, survival->scenario);
  fixture->tls = tls;
  sink_fixture_launch (fixture, "filesrc location=%s ! boxuploadsink name=sink %s", path,
                       survival->properties != NULL ? survival->properties : "");
  if (survival->version)
    {
      file_id = box_emulator_add_file (fixture->emulator, "0", "a", "old", 3);
      g_object_set (fixture->sink, "file-id", file_id, NULL);
    }
  else
    g_object_set (fixture->sink, "location", "box://0/a", NULL);

  gst_bus_set_sync_handler (fixture->bus, end_stall, fixture, NULL);
  g_assert_true (sink_fixture_run (fixture));
  gst_bus_set_sync_handler (fixture->bus, NULL, NULL, NULL);
  sink_fixture_assert_stored (fixture, "0", "a", path);
  assert_one_version_more (fixture, survival);
  assert_waited_as_asked (fixture);
  sink_fixture_assert_progress_balanced (fixture);
  g_assert_cmpuint (sink_fixture_count (fixture, GST_MESSAGE_ERROR), ==, 0);
}

static void
test_over_http (gconstpointer data)
{
  run_survival (data, FALSE);
}

static void
test_over_tls (gconstpointer data)
{
  run_survival (data, TRUE);
}

/* --- Tokens that are renewed ------------------------------------------------------------------ */

static void
test_token_file_is_read_again (void)
{
  static const char hold[] =
      RULE ({"route": "upload_part", "part": 5, "times": 1, "do": "hold", "name": "gate"});
  BoxEmulatorOptions options = { .part_size = PART };
  g_autoptr (SinkFixture) fixture = sink_fixture_new (&options);
  g_autofree char *path = sink_fixture_make_file (fixture, SIZE);
  g_autofree char *token_file = g_build_filename (fixture->dir, "token", NULL);

  kit_load_rules (fixture->emulator, hold);
  kit_write_text (token_file, "first-token\n");
  sink_fixture_launch (fixture,
                       "filesrc location=%s ! boxuploadsink name=sink location=box://0/a "
                       "token-file=%s",
                       path, token_file);
  g_object_set (fixture->sink, "access-token", NULL, NULL);

  gst_element_set_state (fixture->pipeline, GST_STATE_PLAYING);
  g_assert_true (box_emulator_wait_held (fixture->emulator, "gate", KIT_PATIENCE_MS));
  kit_write_text (token_file, "second-token\n");
  box_emulator_revoke_token (fixture->emulator, "first-token");
  box_emulator_release (fixture->emulator, "gate");
  g_assert_true (sink_fixture_run (fixture));
  sink_fixture_assert_stored (fixture, "0", "a", path);
}

int
main (int argc, char **argv)
{
  sink_fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (survivals); i++)
    {
      g_autofree char *http = g_strdup_printf ("/survived/http/%s", survivals[i].name);
      g_autofree char *tls = g_strdup_printf ("/survived/tls/%s", survivals[i].name);

      g_test_add_data_func (http, &survivals[i], test_over_http);
      if (survivals[i].tls)
        g_test_add_data_func (tls, &survivals[i], test_over_tls);
    }
  g_test_add_func ("/survived/401-with-a-token-file-that-has-changed",
                   test_token_file_is_read_again);
  return g_test_run ();
}
