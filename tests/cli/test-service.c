/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload watch under a service manager, which is this program: what it is told on its socket. */
#include "cli-recordings.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

typedef struct
{
  GSocket *socket;
  GSubprocess *watch;
} Manager;

static void
manager_listen (Manager *manager, GSocketAddress *address)
{
  g_autoptr (GError) error = NULL;

  manager->socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM,
                                  G_SOCKET_PROTOCOL_DEFAULT, &error);
  g_assert_no_error (error);
  g_socket_set_timeout (manager->socket, KIT_PATIENCE_MS / 1000);
  g_assert_true (g_socket_bind (manager->socket, address, FALSE, &error));
  g_assert_no_error (error);
}

/* @variables: names and values, beside NOTIFY_SOCKET. */
static void
manager_start (Manager *manager, Fixture *f, const char *name, const char *const *variables)
{
  char **environment = g_environ_setenv (fixture_environment (f), "NOTIFY_SOCKET", name, TRUE);

  for (; *variables != NULL; variables += 2)
    environment = g_environ_setenv (environment, variables[0], variables[1], TRUE);
  manager->watch = fixture_start_env (f, environment, (const char *const[]){ "watch", NULL });
}

static void
manager_init (Manager *manager, Fixture *f, const char *const *variables)
{
  g_autofree char *path = g_build_filename (f->dir, "notify", NULL);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);

  manager_listen (manager, address);
  manager_start (manager, f, path, variables);
}

static const char *const no_variables[] = { NULL };

/* The next message. */
static char *
manager_hear (Manager *manager)
{
  g_autoptr (GError) error = NULL;
  char buffer[512];
  gssize n = g_socket_receive (manager->socket, buffer, sizeof buffer, NULL, &error);

  g_assert_no_error (error);
  return g_strndup (buffer, (gsize) n);
}

/* Until @text comes. How many messages began with @counted (nullable) until then. */
static guint
manager_wait (Manager *manager, const char *text, const char *counted)
{
  guint n = 0;

  for (;;)
    {
      g_autofree char *message = manager_hear (manager);

      if (counted != NULL && g_str_has_prefix (message, counted))
        n++;
      if (g_str_equal (message, text))
        return n;
    }
}

static Answer
manager_end (Manager *manager)
{
  g_subprocess_send_signal (manager->watch, SIGTERM);
  return fixture_finish (manager->watch);
}

static void
test_it_is_ready_when_it_watches_and_says_when_it_stops (Fixture *f, gconstpointer data)
{
  Manager manager = { NULL };
  g_auto (Answer) answer = { 0 };
  g_autofree char *first = NULL;

  manager_init (&manager, f, no_variables);
  first = manager_hear (&manager);
  g_assert_cmpstr (first, ==, "READY=1");
  g_assert_cmpuint (manager_wait (&manager, "STATUS=0 recordings, 0 of them at work", NULL), ==, 0);
  answer = manager_end (&manager);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (manager_wait (&manager, "STOPPING=1", "WATCHDOG"), ==, 0);
  g_object_unref (manager.socket);
}

static void
test_its_status_has_what_is_in_the_spool (Fixture *f, gconstpointer data)
{
  Manager manager = { NULL };
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "one", 1000, 1);
  recordings_leave_complete (f, "one");
  fixture_load (f, RULE ({"route": "upload_file", "nth": 1, "do": "hold", "name": "held"}));
  manager_init (&manager, f, no_variables);
  manager_wait (&manager, "STATUS=1 recordings, 1 of them at work", NULL);
  box_emulator_release (f->emulator, "held");
  manager_wait (&manager, "STATUS=0 recordings, 0 of them at work", NULL);
  answer = manager_end (&manager);
  g_assert_cmpint (answer.code, ==, 0);
  fixture_assert_at_box (f, "one", "one");
  g_object_unref (manager.socket);
}

static void
test_the_watchdog_is_fed_at_rest_and_at_work (Fixture *f, gconstpointer data)
{
  const char *const variables[] = { "WATCHDOG_USEC", "100000", NULL };
  Manager manager = { NULL };
  g_auto (Answer) answer = { 0 };

  manager_init (&manager, f, variables);
  manager_wait (&manager, "WATCHDOG=1", NULL);
  fixture_write_file (f, "one", 1000, 1);
  fixture_load (f, RULE ({"route": "upload_file", "nth": 1, "do": "hold", "name": "held"}));
  recordings_leave_complete (f, "one");
  manager_wait (&manager, "STATUS=1 recordings, 1 of them at work", NULL);
  for (guint i = 0; i < 3; i++)
    manager_wait (&manager, "WATCHDOG=1", NULL);
  box_emulator_release (f->emulator, "held");
  answer = manager_end (&manager);
  g_assert_cmpint (answer.code, ==, 0);
  g_object_unref (manager.socket);
}

static void
test_another_process_feeds_its_own_watchdog (Fixture *f, gconstpointer data)
{
  const char *const variables[] = { "WATCHDOG_USEC", "2000", "WATCHDOG_PID", "1", NULL };
  Manager manager = { NULL };
  g_auto (Answer) answer = { 0 };

  fixture_write_file (f, "one", 1000, 1);
  recordings_leave_complete (f, "one");
  manager_init (&manager, f, variables);
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  answer = manager_end (&manager);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_cmpuint (manager_wait (&manager, "STOPPING=1", "WATCHDOG"), ==, 0);
  g_object_unref (manager.socket);
}

static void
test_an_abstract_socket_is_known (Fixture *f, gconstpointer data)
{
  g_autofree char *name = g_strconcat ("@", f->dir, NULL);
  g_autoptr (GSocketAddress) address =
      g_unix_socket_address_new_with_type (name + 1, -1, G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  Manager manager = { NULL };
  g_auto (Answer) answer = { 0 };

  manager_listen (&manager, address);
  manager_start (&manager, f, name, no_variables);
  manager_wait (&manager, "READY=1", NULL);
  answer = manager_end (&manager);
  g_assert_cmpint (answer.code, ==, 0);
  g_object_unref (manager.socket);
}

static void
test_it_watches_without_its_service_manager (Fixture *f, gconstpointer data)
{
  Manager manager = { NULL };
  g_auto (Answer) answer = { 0 };

  manager_start (&manager, f, "/nonexistent/notify", no_variables);
  fixture_write_file (f, "one", 1000, 1);
  recordings_leave_complete (f, "one");
  g_assert_true (box_emulator_wait_done (f->emulator, "upload_file", 1, KIT_PATIENCE_MS));
  answer = manager_end (&manager);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_nonnull (strstr (answer.err, "NOTIFY_SOCKET=/nonexistent/notify"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/service/is-ready-when-it-watches-and-says-when-it-stops",
            test_it_is_ready_when_it_watches_and_says_when_it_stops);
  ADD_TEST ("/cli/service/its-status-has-what-is-in-the-spool",
            test_its_status_has_what_is_in_the_spool);
  ADD_TEST ("/cli/service/the-watchdog-is-fed-at-rest-and-at-work",
            test_the_watchdog_is_fed_at_rest_and_at_work);
  ADD_TEST ("/cli/service/another-process-feeds-its-own-watchdog",
            test_another_process_feeds_its_own_watchdog);
  ADD_TEST ("/cli/service/an-abstract-socket-is-known", test_an_abstract_socket_is_known);
  ADD_TEST ("/cli/service/it-watches-without-its-service-manager",
            test_it_watches_without_its_service_manager);
  return g_test_run ();
}
