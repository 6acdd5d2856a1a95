/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Folders by path, against the emulator: found without regard to case, made once, adopted. */
#include "api/folder.h"
#include "emulator/box-emulator.h"
#include "kit/emulator.h"
#include "kit/patience.h"

#include <string.h>

#define RACERS 100

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  BoxTransport *transport;
} Fixture;

static const char *const path[] = { "Archive", "2026", "Kamera Ä", "Takes", NULL };

/* A client whose token is @token: another token is another process's, as far as folders go. */
static BoxClient *
new_client (BoxEmulator *emulator, const char *token)
{
  return kit_client_new (emulator, FALSE, &(BoxClientSettings){ .access_token = token });
}

static void
fixture_init (Fixture *fixture)
{
  fixture->emulator = kit_emulator_new (NULL);
  fixture->client = new_client (fixture->emulator, "token");
  fixture->transport = box_transport_new ();
}

static void
fixture_clear (Fixture *fixture)
{
  box_transport_free (fixture->transport);
  box_client_unref (fixture->client);
  box_emulator_free (fixture->emulator);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

static char *
resolve (Fixture *fixture, const char *const *names, gboolean create, GError **error)
{
  return box_folder_path_resolve (fixture->client, fixture->transport, "0", names, create, NULL,
                                  NULL, error);
}

/* ---- races ---- */

typedef struct
{
  BoxEmulator *emulator;
  BoxClient *client;
  guint number;
  gboolean retries;
  char *id;
} Racer;

/* The path in one of many spellings. */
static char **
spell (guint number)
{
  char **names = g_strdupv ((char **) path);

  for (guint i = 0; names[i] != NULL; i++)
    if ((number >> i) % 2 == 1)
      {
        char *other =
            (number >> i) % 4 == 1 ? g_utf8_strup (names[i], -1) : g_utf8_strdown (names[i], -1);

        g_free (names[i]);
        names[i] = other;
      }
  return names;
}

static gpointer
race (gpointer data)
{
  Racer *racer = data;
  g_autoptr (BoxTransport) transport = box_transport_new ();
  g_auto (GStrv) names = spell (racer->number);
  g_autoptr (GError) error = NULL;

  do
    {
      g_clear_error (&error);
      racer->id = box_folder_path_resolve (racer->client, transport, "0",
                                           (const char *const *) names, TRUE, NULL, NULL, &error);
    }
  while (racer->id == NULL && racer->retries && box_error_is_transient (error));
  g_assert_no_error (error);
  return NULL;
}

/* @n_clients: how many tokens there are. */
static void
run_race (Fixture *fixture, guint n_clients, gboolean retries)
{
  g_autofree BoxClient **clients = g_new (BoxClient *, n_clients);
  g_autofree char *expected = NULL;
  GThread *threads[RACERS];
  Racer racers[RACERS];

  for (guint i = 0; i < n_clients; i++)
    {
      g_autofree char *token = g_strdup_printf ("token-%u", i);

      clients[i] = new_client (fixture->emulator, token);
    }
  for (guint i = 0; i < RACERS; i++)
    {
      racers[i] = (Racer){ .emulator = fixture->emulator,
                           .client = clients[i % n_clients],
                           .number = i,
                           .retries = retries };
      threads[i] = g_thread_new ("racer", race, &racers[i]);
    }
  for (guint i = 0; i < RACERS; i++)
    g_thread_join (threads[i]);
  expected = box_emulator_find_folder (fixture->emulator, "archive/2026/kamera ä/takes");
  g_assert_nonnull (expected);
  for (guint i = 0; i < RACERS; i++)
    {
      g_assert_cmpstr (racers[i].id, ==, expected);
      g_free (racers[i].id);
    }
  for (guint i = 0; i < n_clients; i++)
    box_client_unref (clients[i]);
  g_assert_cmpuint (box_emulator_count_folders (fixture->emulator), ==, 4);
}

static void
test_a_hundred_threads_ask_once_for_each_folder (void)
{
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  run_race (&fixture, 1, FALSE);
  g_assert_cmpuint (box_emulator_count (fixture.emulator, NULL), ==, 4);
  g_assert_cmpuint (box_emulator_count_status (fixture.emulator, "create_folder", 201), ==, 4);
}

static void
test_who_comes_second_adopts_the_folder (void)
{
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  run_race (&fixture, RACERS, FALSE);
  g_assert_cmpuint (box_emulator_count_status (fixture.emulator, "create_folder", 201), ==, 4);
  g_assert_cmpuint (box_emulator_count_status (fixture.emulator, "create_folder", 409), ==,
                    4 * (RACERS - 1));
}

static void
test_a_block_that_passes_is_waited_for (void)
{
  static const char rules[] =
      RULE ({
    "route": "create_folder",
    "every": 2,
    "times": 20,
    "do": "reply",
    "status": 409,
    "json": { "type": "error", "status": 409, "code": "operation_blocked_temporary" }
  });
  g_auto (Fixture) fixture = { 0 };

  fixture_init (&fixture);
  kit_load_rules (fixture.emulator, rules);
  run_race (&fixture, 10, TRUE);
}

/* ---- what is there, and what is not ---- */

static void
test_folders_that_are_there_are_found_without_regard_to_case (void)
{
  static const char *const other[] = { "ARCHIVE", "2026", NULL };
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *archive = NULL, *year = NULL, *made = NULL, *found = NULL;

  fixture_init (&fixture);
  archive = box_emulator_add_folder (fixture.emulator, "0", "Archive");
  year = box_emulator_add_folder (fixture.emulator, archive, "2026");
  made = resolve (&fixture, other, TRUE, NULL);
  found = resolve (&fixture, (const char *const[]){ "archive", "2026", NULL }, FALSE, NULL);
  g_assert_cmpstr (made, ==, year);
  g_assert_cmpstr (found, ==, year);
  g_assert_cmpuint (box_emulator_count_folders (fixture.emulator), ==, 2);
  g_assert_cmpuint (box_emulator_count (fixture.emulator, NULL), ==, 2);
}

static void
test_the_first_missing_folder_is_named (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *archive = NULL;

  fixture_init (&fixture);
  archive = box_emulator_add_folder (fixture.emulator, "0", "Archive");
  g_assert_null (resolve (&fixture, path, FALSE, &error));
  g_assert_error (error, BOX_ERROR, BOX_ERROR_NOT_FOUND);
  g_assert_true (box_folder_path_is_missing (error));
  g_assert_nonnull (strstr (error->message, "“2026”"));
  g_assert_nonnull (strstr (error->message, "create-folders"));
  g_assert_cmpuint (box_emulator_count_folders (fixture.emulator), ==, 1);
}

static void
test_what_was_missing_is_made_by_who_may (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *id = NULL;

  fixture_init (&fixture);
  g_assert_null (resolve (&fixture, path, FALSE, NULL));
  id = resolve (&fixture, path, TRUE, NULL);
  g_assert_nonnull (id);
}

static void
test_a_file_in_the_way_is_no_folder (void)
{
  g_auto (Fixture) fixture = { 0 };

  for (guint create = 0; create < 2; create++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *file = NULL;

      fixture_init (&fixture);
      file = box_emulator_add_file (fixture.emulator, "0", "archive", "x", 1);
      g_assert_null (resolve (&fixture, path, create != 0, &error));
      g_assert_error (error, BOX_ERROR, BOX_ERROR_NAME_IN_USE);
      g_assert_nonnull (strstr (error->message, "“Archive”"));
      if (create == 0)
        fixture_clear (&fixture);
    }
}

static void
test_a_folder_on_the_second_page_is_found (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *last = NULL, *id = NULL;

  fixture_init (&fixture);
  for (guint i = 0; i < 1100; i++)
    {
      g_autofree char *name = g_strdup_printf ("a folder %05u", i);

      g_free (last);
      last = box_emulator_add_folder (fixture.emulator, "0", name);
    }
  id = resolve (&fixture, (const char *const[]){ "A FOLDER 01099", NULL }, FALSE, NULL);
  g_assert_cmpstr (id, ==, last);
  g_assert_cmpuint (box_emulator_count (fixture.emulator, "list_folder"), ==, 2);
}

/* Removes the folder as another client would. */
static void
delete_folder (Fixture *fixture, const char *id)
{
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autofree char *url = g_strdup_printf (
      "%s/folders/%s?recursive=true", box_emulator_get_api_endpoint (fixture->emulator, FALSE), id);
  g_autoptr (SoupMessage) message = soup_message_new ("DELETE", url);
  g_autoptr (GBytes) body = NULL;

  soup_message_headers_append (soup_message_get_request_headers (message), "Authorization",
                               "Bearer x");
  body = soup_session_send_and_read (session, message, NULL, NULL);
  g_assert_cmpuint (soup_message_get_status (message), ==, 204);
}

static void
test_a_parent_that_has_gone_is_made_anew (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *first = NULL, *archive = NULL, *again = NULL, *expected = NULL;
  const char *const other[] = { "Archive", "2026", "another", NULL };
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture);
  first = resolve (&fixture, path, TRUE, NULL);
  archive = box_emulator_find_folder (fixture.emulator, "Archive");
  delete_folder (&fixture, archive);
  again = resolve (&fixture, other, TRUE, &error);
  g_assert_no_error (error);
  expected = box_emulator_find_folder (fixture.emulator, "Archive/2026/another");
  g_assert_cmpstr (again, ==, expected);
}

static void
test_what_was_found_says_that_it_may_be_old (void)
{
  g_auto (Fixture) fixture = { 0 };
  gboolean cached = TRUE;

  fixture_init (&fixture);
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *id = box_folder_path_resolve (fixture.client, fixture.transport, "0", path,
                                                     TRUE, &cached, NULL, NULL);

      g_assert_nonnull (id);
      g_assert_cmpint (cached, ==, i == 1);
      if (i == 1)
        box_folder_path_forget (fixture.client, "0", path);
    }
}

/* ---- credentials that may not ---- */

static void
limit_token (Fixture *fixture, const char *folder)
{
  g_autofree char *accounts =
      g_strdup_printf ("{\"tokens\":[{\"token\":\"token\",\"folder\":\"%s\"}]}", folder);

  kit_load_accounts (fixture->emulator, accounts);
}

static void
test_a_downscoped_token_uses_folders_that_are_there (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *mine = NULL, *takes = NULL, *id = NULL;
  g_autoptr (GError) error = NULL;

  fixture_init (&fixture);
  mine = box_emulator_add_folder (fixture.emulator, "0", "mine");
  takes = box_emulator_add_folder (fixture.emulator, mine, "Takes");
  limit_token (&fixture, mine);
  id = box_folder_path_resolve (fixture.client, fixture.transport, mine,
                                (const char *const[]){ "takes", NULL }, TRUE, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (id, ==, takes);
}

static void
test_a_downscoped_token_is_told_what_it_lacks (void)
{
  g_auto (Fixture) fixture = { 0 };
  g_autofree char *mine = NULL;
  g_autoptr (GError) below = NULL, outside = NULL;

  fixture_init (&fixture);
  mine = box_emulator_add_folder (fixture.emulator, "0", "mine");
  limit_token (&fixture, mine);
  g_assert_null (box_folder_path_resolve (fixture.client, fixture.transport, mine, path, TRUE, NULL,
                                          NULL, &below));
  g_assert_null (resolve (&fixture, path, TRUE, &outside));
  g_assert_error (below, BOX_ERROR, BOX_ERROR_FORBIDDEN);
  g_assert_error (outside, BOX_ERROR, BOX_ERROR_FORBIDDEN);
  g_assert_nonnull (strstr (below->message, "“Archive”"));
  g_assert_nonnull (strstr (below->message, "scope"));
  g_assert_nonnull (strstr (outside->message, "“Archive”"));
}

/* ---- waiting ---- */

typedef struct
{
  Fixture *fixture;
  GCancellable *cancellable;
  GError *error;
  char *id;
} Waiter;

static gpointer
wait_for_folder (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (BoxTransport) transport = box_transport_new ();

  waiter->id = box_folder_path_resolve (waiter->fixture->client, transport, "0", path, TRUE, NULL,
                                        waiter->cancellable, &waiter->error);
  return NULL;
}

/* The one who asks is stopped: one of the others asks in its place. */
static void
test_a_wait_can_be_cancelled_and_taken_over (void)
{
  static const char rules[] =
      RULE ({ "route": "create_folder", "times": 1, "do": "hold", "name": "slow" });
  g_auto (Fixture) fixture = { 0 };
  Waiter waiters[3] = { 0 };
  GThread *threads[3];

  fixture_init (&fixture);
  kit_load_rules (fixture.emulator, rules);
  for (guint i = 0; i < G_N_ELEMENTS (waiters); i++)
    {
      waiters[i] = (Waiter){ .fixture = &fixture, .cancellable = g_cancellable_new () };
      threads[i] = g_thread_new ("waiter", wait_for_folder, &waiters[i]);
      if (i == 0)
        g_assert_true (box_emulator_wait_held (fixture.emulator, "slow", KIT_PATIENCE_MS));
    }
  g_cancellable_cancel (waiters[1].cancellable);
  g_thread_join (threads[1]);
  g_assert_error (waiters[1].error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_cancellable_cancel (waiters[0].cancellable);
  g_thread_join (threads[0]);
  g_assert_error (waiters[0].error, BOX_ERROR, BOX_ERROR_CANCELLED);
  g_thread_join (threads[2]);
  g_assert_no_error (waiters[2].error);
  g_assert_nonnull (waiters[2].id);
  g_assert_cmpuint (box_emulator_count_folders (fixture.emulator), ==, 4);
  for (guint i = 0; i < G_N_ELEMENTS (waiters); i++)
    {
      g_object_unref (waiters[i].cancellable);
      g_clear_error (&waiters[i].error);
      g_free (waiters[i].id);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/folder-path/race/threads", test_a_hundred_threads_ask_once_for_each_folder);
  g_test_add_func ("/folder-path/race/processes", test_who_comes_second_adopts_the_folder);
  g_test_add_func ("/folder-path/race/blocked", test_a_block_that_passes_is_waited_for);
  g_test_add_func ("/folder-path/case",
                   test_folders_that_are_there_are_found_without_regard_to_case);
  g_test_add_func ("/folder-path/missing", test_the_first_missing_folder_is_named);
  g_test_add_func ("/folder-path/made-later", test_what_was_missing_is_made_by_who_may);
  g_test_add_func ("/folder-path/file", test_a_file_in_the_way_is_no_folder);
  g_test_add_func ("/folder-path/second-page", test_a_folder_on_the_second_page_is_found);
  g_test_add_func ("/folder-path/gone", test_a_parent_that_has_gone_is_made_anew);
  g_test_add_func ("/folder-path/old", test_what_was_found_says_that_it_may_be_old);
  g_test_add_func ("/folder-path/scope/there", test_a_downscoped_token_uses_folders_that_are_there);
  g_test_add_func ("/folder-path/scope/lacks", test_a_downscoped_token_is_told_what_it_lacks);
  g_test_add_func ("/folder-path/cancel", test_a_wait_can_be_cancelled_and_taken_over);
  return g_test_run ();
}
