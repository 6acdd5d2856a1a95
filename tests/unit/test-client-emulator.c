/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client against the emulator, over TLS: what one wrote, the other understands. */
#include "api/client.h"
#include "emulator/box-emulator.h"
#include "kit/emulator.h"
#include "kit/places.h"

#include <string.h>

#define PART_SIZE (1u << 20)
#define SIZE      (2 * PART_SIZE + 12345)

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  BoxTransport *transport;
  guint8 *data; /* SIZE bytes */
  BoxSha1 sha1; /* of them */
} Fixture;

static void
digest (const guint8 *data, gsize size, BoxSha1 *sha1)
{
  g_autoptr (BoxDigest) engine = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);

  box_digest_update (engine, data, size);
  box_digest_finish (engine, sha1);
}

static void
fixture_init (Fixture *fixture)
{
  BoxEmulatorOptions options = { .part_size = PART_SIZE, .min_size = 1, .page_limit = 2 };

  fixture->emulator = kit_emulator_new (&options);
  fixture->client = kit_client_new (fixture->emulator, TRUE,
                                    &(BoxClientSettings){
                                        .access_token = "token",
                                        .timeout = 20,
                                    });
  fixture->transport = box_transport_new ();
  fixture->data = g_malloc (SIZE);
  for (gsize i = 0; i < SIZE; i++)
    fixture->data[i] = (guint8) (i * 7 + i / 251);
  digest (fixture->data, SIZE, &fixture->sha1);
}

static void
fixture_clear (Fixture *fixture)
{
  box_transport_free (fixture->transport);
  box_client_unref (fixture->client);
  box_emulator_free (fixture->emulator);
  g_free (fixture->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static BoxPart *
upload (Fixture *fixture, BoxTransport *transport, const BoxSession *session, guint index)
{
  guint64 offset = (guint64) index * PART_SIZE;
  gsize size = (gsize) MIN (PART_SIZE, SIZE - offset);
  g_autoptr (GBytes) bytes = g_bytes_new_static (fixture->data + offset, size);
  g_autoptr (GError) error = NULL;
  BoxSha1 sha1;
  BoxBody body;
  BoxPart *part;

  digest (fixture->data + offset, size, &sha1);
  box_body_init_bytes (&body, bytes);
  part = box_client_upload_part (fixture->client, transport, session, offset, SIZE, &sha1, &body,
                                 NULL, &error);
  g_assert_no_error (error);
  return part;
}

static void
assert_stored (Fixture *fixture, const char *name, guint n_versions)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (fixture->emulator, "0", name);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->n_versions, ==, n_versions);
  kit_assert_content (file->path, fixture->data, SIZE);
}

static BoxSession *
create (Fixture *fixture, const BoxDestination *destination)
{
  g_autoptr (GError) error = NULL;
  BoxSession *session = box_client_create_session (fixture->client, fixture->transport, destination,
                                                   SIZE, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (session->total_parts, ==, 3);
  return session;
}

static BoxFile *
commit (Fixture *fixture, const BoxSession *session, GPtrArray *parts, const char *if_match,
        GError **error)
{
  BoxFile *file = NULL;
  gint retry_after;

  box_client_commit (fixture->client, fixture->transport, session, parts, &fixture->sha1, NULL,
                     if_match, &file, &retry_after, NULL, error);
  return file;
}

static void
test_a_session_becomes_a_file (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxDestination) destination = box_destination_new_folder (NULL, "ä \"1\".mp4", NULL);
  g_autoptr (BoxSession) session = NULL, same = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) none = NULL, parts = NULL;
  g_autoptr (BoxFile) file = NULL, looked_up = NULL;
  static const guint order[] = { 2, 0, 1 };

  fixture_init (&fixture);
  session = create (&fixture, destination);
  none = box_client_list_parts (fixture.client, fixture.transport, session, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, 0);
  for (guint i = 0; i < 3; i++)
    box_part_free (upload (&fixture, fixture.transport, session, order[i]));
  same = box_client_get_session (fixture.client, fixture.transport, session->id, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (same->commit_url, ==, session->commit_url);
  parts = box_client_list_parts (fixture.client, fixture.transport, session, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (parts->len, ==, 3);
  file = commit (&fixture, session, parts, NULL, &error);
  g_assert_no_error (error);
  assert_stored (&fixture, "ä \"1\".mp4", 1);
  looked_up = box_client_get_file (fixture.client, fixture.transport, file->id, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (box_sha1_equal (&looked_up->sha1, &fixture.sha1));
  g_assert_cmpstr (looked_up->version_id, ==, file->version_id);
}

static void
test_a_version_is_committed_once_under_if_match (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *id = NULL;
  g_autoptr (BoxDestination) destination = NULL;
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxFile) old = NULL, file = NULL, again = NULL;

  fixture_init (&fixture);
  id = box_emulator_add_file (fixture.emulator, "0", "a.mp4", "old", 3);
  old = box_client_get_file (fixture.client, fixture.transport, id, NULL, &error);
  destination = box_destination_new_file (id, NULL);
  session = create (&fixture, destination);
  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (parts, upload (&fixture, fixture.transport, session, i));
  file = commit (&fixture, session, parts, old->etag, &error);
  g_assert_no_error (error);
  again = commit (&fixture, session, parts, old->etag, &error);
  g_assert_null (again);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CONFLICT);
  assert_stored (&fixture, "a.mp4", 2);
}

static void
test_a_part_sent_twice_is_a_conflict (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxDestination) destination = box_destination_new_folder (NULL, "a.mp4", NULL);
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  BoxBody body;
  BoxSha1 sha1;

  fixture_init (&fixture);
  session = create (&fixture, destination);
  box_part_free (upload (&fixture, fixture.transport, session, 0));
  bytes = g_bytes_new_static (fixture.data, PART_SIZE);
  box_body_init_bytes (&body, bytes);
  digest (fixture.data, PART_SIZE, &sha1);
  g_assert_null (box_client_upload_part (fixture.client, fixture.transport, session, 0, SIZE, &sha1,
                                         &body, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_CONFLICT);
  g_assert_cmpstr (box_error_get_details (error)->box_code, ==, "range_overlaps_existing_part");
}

static void
test_an_aborted_session_is_not_found (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxDestination) destination = box_destination_new_folder (NULL, "a.mp4", NULL);
  g_autoptr (BoxSession) session = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture);
  session = create (&fixture, destination);
  for (guint i = 0; i < 2; i++)
    g_assert_true (box_client_abort (fixture.client, fixture.transport, session, NULL, NULL));
  g_assert_null (
      box_client_get_session (fixture.client, fixture.transport, session->id, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_NOT_FOUND);
}

static void
test_direct_uploads_and_preflight_agree_on_names (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (BoxDestination) destination = box_destination_new_folder (NULL, "b.ts", NULL);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxFile) file = NULL, conflict = NULL;
  BoxBody body;

  fixture_init (&fixture);
  g_assert_true (
      box_client_preflight (fixture.client, fixture.transport, destination, SIZE, NULL, &error));
  g_assert_no_error (error);
  bytes = g_bytes_new_static (fixture.data, SIZE);
  box_body_init_bytes (&body, bytes);
  file = box_client_upload_file (fixture.client, fixture.transport, destination, &fixture.sha1,
                                 &body, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_stored (&fixture, "b.ts", 1);
  g_assert_false (
      box_client_preflight (fixture.client, fixture.transport, destination, SIZE, NULL, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
  conflict = box_file_from_conflict (error);
  g_assert_cmpstr (conflict->id, ==, file->id);
}

typedef struct
{
  Fixture *fixture;
  guint index;
} Job;

static gpointer
upload_in_thread (gpointer data)
{
  Job *job = data;
  g_autoptr (BoxTransport) transport = box_transport_new ();

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (BoxDestination) destination = NULL;
      g_autoptr (BoxSession) session = NULL;
      g_autofree char *name = g_strdup_printf ("%u-%u", job->index, i);

      destination = box_destination_new_folder (NULL, name, NULL);
      session = box_client_create_session (job->fixture->client, transport, destination, SIZE, NULL,
                                           NULL);
      g_assert_nonnull (session);
      box_part_free (upload (job->fixture, transport, session, i % 3));
    }
  return NULL;
}

static void
test_threads_share_a_client (void)
{
  g_auto (Fixture) fixture = { 0 };
  Job jobs[16];
  GThread *threads[16];

  fixture_init (&fixture);
  for (guint i = 0; i < 16; i++)
    {
      jobs[i] = (Job){ .fixture = &fixture, .index = i };
      threads[i] = g_thread_new ("uploader", upload_in_thread, &jobs[i]);
    }
  for (guint i = 0; i < 16; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (box_emulator_count_status (fixture.emulator, "upload_part", 200), ==, 64);
}

int
main (int argc, char **argv)
{
  kit_clear_environment ();
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/client-emulator/a-session-becomes-a-file", test_a_session_becomes_a_file);
  g_test_add_func ("/client-emulator/a-version-is-committed-once-under-if-match",
                   test_a_version_is_committed_once_under_if_match);
  g_test_add_func ("/client-emulator/a-part-sent-twice-is-a-conflict",
                   test_a_part_sent_twice_is_a_conflict);
  g_test_add_func ("/client-emulator/an-aborted-session-is-not-found",
                   test_an_aborted_session_is_not_found);
  g_test_add_func ("/client-emulator/direct-uploads-and-preflight-agree-on-names",
                   test_direct_uploads_and_preflight_agree_on_names);
  g_test_add_func ("/client-emulator/threads-share-a-client", test_threads_share_a_client);
  return g_test_run ();
}
