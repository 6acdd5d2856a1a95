/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metadata: what is taken as such, and how a file gets it, against the emulator. */
#include "api/metadata.h"
#include "emulator/box-emulator.h"
#include "kit/emulator.h"

#include <string.h>

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  BoxTransport *transport;
  char *file;
} Fixture;

static void
fixture_init (Fixture *fixture)
{
  fixture->emulator = kit_emulator_new (NULL);
  fixture->client = kit_client_new (fixture->emulator, FALSE,
                                    &(BoxClientSettings){
                                        .access_token = "token",
                                    });
  fixture->transport = box_transport_new ();
  fixture->file = box_emulator_add_file (fixture->emulator, "0", "a", "x", 1);
}

static void
fixture_clear (Fixture *fixture)
{
  g_free (fixture->file);
  box_transport_free (fixture->transport);
  box_client_unref (fixture->client);
  box_emulator_free (fixture->emulator);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* ---- what it may be ---- */

typedef struct
{
  const char *name;
  const char *pairs[4];
  const char *values; /* NULL: refused */
} Case;

static const Case cases[] = {
  { NULL, { "camera=3", "scene=a=b" }, "{\"camera\":\"3\",\"scene\":\"a=b\"}" },
  { NULL, { "take:=7", "length:=1.5" }, "{\"take\":\"7\",\"length\":\"1.5\"}" },
  { "enterprise.scene", { "take:=7", "tags:=[\"a\"]" }, "{\"take\":7,\"tags\":[\"a\"]}" },
  { "enterprise_12.scene_1", { "x=" }, "{\"x\":\"\"}" },
  { NULL, { "a=1", "a=2" }, "{\"a\":\"2\"}" },
  { NULL, { "tags:=[\"a\"]" } },
  { NULL, { "x" } },
  { NULL, { "=x" } },
  { NULL, { ":=x" } },
  { NULL, { "x:=" } },
  { NULL, { "x:={}" } },
  { NULL, { "x:=true" } },
  { NULL, { "$id=1" } },
  { NULL, { "x=\xff" } },
  { "enterprise.scene", { "x:=[1]" } },
  { "scene", { "x=1" } },
  { "a.b.c", { "x=1" } },
  { "../x.y", { "x=1" } },
  { ".x", { "x=1" } },
  { NULL, { NULL } },
};

static void
test_pairs (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxMetadata) metadata = box_metadata_new_from_pairs (c->name, c->pairs, &error);
  g_autoptr (JsonNode) expected = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (c->values == NULL)
    {
      g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
      return;
    }
  g_assert_no_error (error);
  expected = json_from_string (c->values, NULL);
  node = json_node_init_object (json_node_alloc (), box_metadata_get_values (metadata));
  g_assert_true (json_node_equal (node, expected));
  g_assert_cmpstr (box_metadata_get_template (metadata), ==,
                   c->name != NULL ? c->name : "global.properties");
}

static void
test_too_much_is_refused (void)
{
  g_autofree char *text = g_strnfill (40000, 'x');
  g_autofree char *pair = g_strconcat ("a=", text, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (box_metadata_new_from_pairs (NULL, (const char *const[]){ pair, NULL }, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SETTINGS);
}

/* ---- giving it to a file ---- */

static gboolean
set (Fixture *fixture, const char *name, const char *const *pairs, GError **error)
{
  g_autoptr (BoxMetadata) metadata = box_metadata_new_from_pairs (name, pairs, NULL);

  return box_client_set_metadata (fixture->client, fixture->transport, fixture->file, metadata,
                                  NULL, error);
}

#define SET(fixture, name, error, ...)                                                             \
  set (fixture, name, (const char *const[]){ __VA_ARGS__, NULL }, error)

static void
assert_has (Fixture *fixture, const char *name, const char *key, const char *value, gint64 version)
{
  g_autoptr (JsonObject) instance =
      box_emulator_get_metadata (fixture->emulator, fixture->file, name);

  g_assert_nonnull (instance);
  g_assert_cmpstr (json_object_get_string_member (instance, key), ==, value);
  g_assert_cmpint (json_object_get_int_member (instance, "$version"), ==, version);
}

static void
test_the_same_again_changes_nothing (void)
{
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  for (guint i = 0; i < 3; i++)
    g_assert_true (SET (&fixture, NULL, NULL, "a/b~c=1", "d=2"));
  assert_has (&fixture, "global/properties", "a/b~c", "1", 0);
  g_assert_cmpuint (box_emulator_count (fixture.emulator, "update_metadata"), ==, 0);
}

static void
test_what_differs_is_changed_and_the_rest_stays (void)
{
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  g_assert_true (SET (&fixture, NULL, NULL, "a/b~c=1", "d=2"));
  g_assert_true (SET (&fixture, NULL, NULL, "a/b~c=5", "e=6"));
  assert_has (&fixture, "global/properties", "a/b~c", "5", 1);
  assert_has (&fixture, "global/properties", "d", "2", 1);
  assert_has (&fixture, "global/properties", "e", "6", 1);
}

static void
test_numbers_are_compared_as_such (void)
{
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  g_assert_true (SET (&fixture, "enterprise.scene", NULL, "take:=7", "tags:=[\"a\",\"b\"]"));
  g_assert_true (SET (&fixture, "enterprise.scene", NULL, "take:=7.0", "tags:=[\"a\",\"b\"]"));
  g_assert_cmpuint (box_emulator_count (fixture.emulator, "update_metadata"), ==, 0);
}

/* Done, but answered with 503: the next attempt finds it. */
static void
test_lost_answer_is_found_by_the_next_attempt (void)
{
  static const char rules[] = RULE ({
    "route": "create_metadata",
    "times": 1,
    "do": "reply",
    "at": "stored",
    "status": 503
  });
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture);
  kit_load_rules (fixture.emulator, rules);
  g_assert_false (SET (&fixture, NULL, &error, "a=1"));
  g_assert_true (box_error_is_transient (error));
  g_assert_true (SET (&fixture, NULL, NULL, "a=1"));
  assert_has (&fixture, "global/properties", "a", "1", 0);
}

/* Older documentation calls the conflict so. */
static void
test_conflict_has_two_names (void)
{
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  g_assert_true (SET (&fixture, NULL, NULL, "a=1"));
  kit_load_rules (
      fixture.emulator,
      RULE ({
        "route": "create_metadata",
        "do": "reply",
        "status": 409,
        "json": { "code": "tuple_already_exists", "message": "x", "request_id": "y" }
      }));
  g_assert_true (SET (&fixture, NULL, NULL, "a=2"));
  assert_has (&fixture, "global/properties", "a", "2", 1);
}

static void
test_refusals_are_told_apart (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) template_error = NULL, scope_error = NULL;

  fixture_init (&fixture);
  g_assert_false (SET (&fixture, "global.scene", &template_error, "a=1"));
  g_assert_error (template_error, BOX_ERROR, BOX_ERROR_NOT_FOUND);
  kit_load_accounts (fixture.emulator, "{\"tokens\":[{\"token\":\"token\",\"folder\":\"0\"}]}");
  g_assert_false (SET (&fixture, NULL, &scope_error, "a=1"));
  g_assert_error (scope_error, BOX_ERROR, BOX_ERROR_FORBIDDEN);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/metadata/pairs/%u", i);

      g_test_add_data_func (path, &cases[i], test_pairs);
    }
  g_test_add_func ("/metadata/too-much", test_too_much_is_refused);
  g_test_add_func ("/metadata/same-again", test_the_same_again_changes_nothing);
  g_test_add_func ("/metadata/differs", test_what_differs_is_changed_and_the_rest_stays);
  g_test_add_func ("/metadata/numbers", test_numbers_are_compared_as_such);
  g_test_add_func ("/metadata/lost-answer", test_lost_answer_is_found_by_the_next_attempt);
  g_test_add_func ("/metadata/two-names", test_conflict_has_two_names);
  g_test_add_func ("/metadata/refusals", test_refusals_are_told_apart);
  return g_test_run ();
}
