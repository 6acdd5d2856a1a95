/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/file.h"
#include "base/error.h"

#define OURS   "5fde1cce603e6566d20da811c9c8bcccb044d4ae"
#define THEIRS "0000000000000000000000000000000000000001"
#define VERSION(id, sha1, time)                                                                    \
  "{\"type\":\"file_version\",\"id\":\"" id "\",\"sha1\":\"" sha1                                  \
  "\",\"size\":7,\"created_at\":\"2024-05-01T12:" time "-07:00\"}"
#define LIST(entries) "{\"total_count\":3,\"entries\":[" entries "]}"

/* 2024-05-01T12:00:00-07:00 */
#define NOON G_GINT64_CONSTANT (1714590000)

typedef struct
{
  const char *name;
  const char *list;
  guint64 size;
  const char *after;
  gint64 since;
  const char *found;
} Case;

static const Case cases[] = {
  { "is-found-by-its-content",
    LIST (VERSION ("9", THEIRS, "02:00") "," VERSION ("8", OURS, "01:00")), 7, NULL, 0, "8" },
  { "of-another-size-is-not-ours", LIST (VERSION ("8", OURS, "01:00")), 8, NULL, 0, NULL },
  { "that-came-after-the-one-before-is-ours",
    LIST (VERSION ("8", OURS, "01:00") "," VERSION ("7", THEIRS, "00:00")), 7, "7", 0, "8" },
  { "that-came-before-the-one-before-is-not-ours",
    LIST (VERSION ("7", THEIRS, "01:00") "," VERSION ("6", OURS, "00:00")), 7, "7", 0, NULL },
  { "that-is-the-one-before-is-not-ours", LIST (VERSION ("7", OURS, "01:00")), 7, "7", 0, NULL },
  { "of-the-same-second-is-told-by-its-id",
    LIST (VERSION ("10", OURS, "01:00") "," VERSION ("9", THEIRS, "01:00")), 7, "9", 0, "10" },
  { "is-newer-than-one-that-box-has-dropped", LIST (VERSION ("8", OURS, "01:00")), 7, "3", 0, "8" },
  { "that-is-older-than-the-recording-is-not-ours", LIST (VERSION ("8", OURS, "00:00")), 7, NULL,
    NOON + 1, NULL },
  { "that-is-not-older-than-the-recording-is-ours", LIST (VERSION ("8", OURS, "00:00")), 7, NULL,
    NOON, "8" },
  { "without-a-time-is-not-taken-for-a-new-one",
    LIST ("{\"id\":8,\"sha1\":\"" OURS "\",\"size\":7}"), 7, NULL, 1, NULL },
  { "is-in-no-empty-list", LIST (""), 7, NULL, 0, NULL },
};

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (JsonNode) node = json_from_string (c->list, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) versions = box_version_parse_list (node, &error);
  const BoxVersion *found;
  BoxSha1 ours;

  g_assert_no_error (error);
  g_assert_true (box_sha1_from_hex (OURS, &ours));
  found = box_version_find (versions, &(BoxVersionQuery){
                                          .size = c->size,
                                          .sha1 = &ours,
                                          .after = c->after,
                                          .since = c->since,
                                      });
  g_assert_cmpstr (found != NULL ? found->id : NULL, ==, c->found);
}

static void
test_nonsense_is_refused (void)
{
  static const char *const lists[] = { "[]", "{\"entries\":7}", "{\"entries\":[7]}",
                                       "{\"entries\":[{\"sha1\":\"" OURS "\"}]}",
                                       "{\"entries\":[{\"id\":\"1\",\"size\":-1}]}" };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (lists[i], NULL);
      g_autoptr (GError) error = NULL;

      g_assert_null (box_version_parse_list (node, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/file-version/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/file-version/nonsense-is-refused", test_nonsense_is_refused);
  return g_test_run ();
}
