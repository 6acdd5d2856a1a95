/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* boxupload watch --http and --hook: what is seen of the spool from outside, and who may see it. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "cli-fixture.h"
#include "cli-recordings.h"
#include "kit/emulator.h"

#define READ_TOKEN "token-of-the-readers-5521"

typedef struct
{
  GSubprocess *process;
  guint16 port;
} Daemon;

/* Starts "boxupload watch --http 127.0.0.1:0" with @more options, and waits for its port. */
static Daemon
start_daemon (Fixture *f, const char *const *more)
{
  g_autoptr (GStrvBuilder) arguments = g_strv_builder_new ();
  g_auto (GStrv) strv = NULL;
  Daemon daemon = { NULL, 0 };
  g_autoptr (GDataInputStream) lines = NULL;

  g_strv_builder_add_many (arguments, "watch", "--http", "127.0.0.1:0", NULL);
  for (; more != NULL && *more != NULL; more++)
    g_strv_builder_add (arguments, *more);
  strv = g_strv_builder_end (arguments);
  daemon.process = fixture_start (f, (const char *const *) strv);
  lines = g_data_input_stream_new (g_subprocess_get_stderr_pipe (daemon.process));
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (lines), FALSE);
  while (daemon.port == 0)
    {
      g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
      const char *place = line != NULL ? strstr (line, "http://127.0.0.1:") : NULL;

      g_assert_nonnull (line);
      if (place != NULL)
        daemon.port = (guint16) atoi (place + strlen ("http://127.0.0.1:"));
    }
  return daemon;
}

static void
stop_daemon (Daemon *daemon)
{
  g_auto (Answer) answer = { 0 };

  g_subprocess_send_signal (daemon->process, SIGTERM);
  answer = fixture_finish (daemon->process);
  g_assert_cmpint (answer.code, ==, 0);
  g_assert_null (strstr (answer.out, TOKEN));
}

static GSocketConnection *
ask (const Daemon *daemon, const char *request)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GSocketConnection *connection =
      g_socket_client_connect_to_host (client, "127.0.0.1", daemon->port, NULL, NULL);

  g_assert_nonnull (connection);
  g_assert_true (
      g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), request,
                                 strlen (request), NULL, NULL, NULL));
  return connection;
}

/* All that comes for @method @path with more @headers, head and body. */
static char *
get (const Daemon *daemon, const char *method, const char *path, const char *headers)
{
  g_autofree char *request =
      g_strdup_printf ("%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n", method, path, headers);
  g_autoptr (GSocketConnection) connection = ask (daemon, request);
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *text = g_string_new (NULL);
  char buffer[4096];
  gssize n;

  while ((n = g_input_stream_read (input, buffer, sizeof buffer, NULL, NULL)) > 0)
    g_string_append_len (text, buffer, n);
  return g_string_free (text, FALSE);
}

#define HOST "Host: 127.0.0.1\r\n"

static guint
status_of (const char *reply)
{
  g_assert_true (g_str_has_prefix (reply, "HTTP/1.1 "));
  return (guint) atoi (reply + strlen ("HTTP/1.1 "));
}

static const char *
body_of (const char *reply)
{
  const char *body = strstr (reply, "\r\n\r\n");

  g_assert_nonnull (body);
  return body + 4;
}

static JsonObject *
get_status (const Daemon *daemon)
{
  g_autofree char *reply = get (daemon, "GET", "/api/status", HOST);

  g_autofree char *line = g_strconcat (body_of (reply), "\n", NULL);

  g_assert_cmpuint (status_of (reply), ==, 200);
  return parse_document (line);
}

static gboolean
has_state (JsonObject *status, gconstpointer state)
{
  return g_strcmp0 (json_object_get_string_member (status, "state"), state) == 0;
}

/* Of the one recording. */
static gboolean
has_recording_state (JsonObject *status, gconstpointer state)
{
  JsonArray *recordings = json_object_get_array_member (status, "recordings");

  return json_array_get_length (recordings) == 1
         && has_state (json_array_get_object_element (recordings, 0), state);
}

typedef struct
{
  const char *name;
  gint64 value;
} Count;

static gboolean
has_count (JsonObject *status, gconstpointer data)
{
  const Count *count = data;

  return json_object_get_int_member (status, count->name) == count->value;
}

/* Asks for the status until @is_so says so. */
static JsonObject *
wait_for_status (const Daemon *daemon, gboolean (*is_so) (JsonObject *, gconstpointer),
                 gconstpointer wanted)
{
  gint64 deadline = g_get_monotonic_time () + KIT_PATIENCE_US;

  while (TRUE)
    {
      g_autoptr (JsonObject) status = get_status (daemon);

      if (is_so (status, wanted))
        return g_steal_pointer (&status);
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);
      g_usleep (100000);
    }
}

static void
wait_for_count (const Daemon *daemon, const char *name, gint64 value)
{
  json_object_unref (wait_for_status (daemon, has_count, &(Count){ name, value }));
}

/* A recording of 1000 bytes, to be @name at Box. */
static void
add_recording (Fixture *f, const char *name)
{
  fixture_write_file (f, name, 1000, 1);
  recordings_leave_complete (f, name);
}

/* Writes @text to the file @name of the working directory. */
static void
write_text (Fixture *f, const char *name, const char *text, int mode)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (chmod (path, mode), ==, 0);
}

static void
test_the_page_is_whole (Fixture *f, gconstpointer data)
{
  static const char *const paths[] = { "/", "/page.css", "/page.js" };
  Daemon daemon = start_daemon (f, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *reply = get (&daemon, "GET", paths[i], HOST);
      const char *body = body_of (reply);

      g_assert_cmpuint (status_of (reply), ==, 200);
      g_assert_nonnull (strstr (reply, "Content-Security-Policy: default-src 'none'"));
      g_assert_null (g_strstr_len (body, -1, "http://"));
      g_assert_null (g_strstr_len (body, -1, "https://"));
    }
  stop_daemon (&daemon);
}

static void
test_an_empty_spool_is_safe (Fixture *f, gconstpointer data)
{
  Daemon daemon = start_daemon (f, NULL);
  g_autoptr (JsonObject) status = get_status (&daemon);

  g_assert_cmpstr (json_object_get_string_member (status, "state"), ==, "safe");
  g_assert_cmpint (json_object_get_int_member (status, "backlog_bytes"), ==, 0);
  g_assert_true (json_object_get_null_member (status, "oldest_unsafe"));
  stop_daemon (&daemon);
}

static void
test_a_failure_is_shown_with_the_way_out (Fixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) status = NULL;
  JsonObject *recording;
  Daemon daemon;

  fixture_load (f, "[{\"route\":[\"upload_file\",\"preflight\"],\"do\":\"reply\",\"status\":403,"
                   "\"json\":{\"type\":\"error\",\"status\":403,\"code\":"
                   "\"storage_limit_exceeded\"}}]");
  add_recording (f, "a.bin");
  daemon = start_daemon (f, NULL);
  /* Trouble is there from the failure on, also while the upload ends or is tried again. */
  status = wait_for_status (&daemon, has_recording_state, "failed");
  recording =
      json_array_get_object_element (json_object_get_array_member (status, "recordings"), 0);
  g_assert_cmpstr (json_object_get_string_member (status, "state"), ==, "trouble");
  g_assert_cmpstr (json_object_get_string_member (recording, "file"), ==, "a.bin");
  g_assert_nonnull (strstr (json_object_get_string_member (recording, "failure"), "space"));
  g_assert_cmpint (json_object_get_int_member (status, "backlog_bytes"), >, 0);
  g_assert_false (json_object_get_null_member (status, "oldest_unsafe"));
  stop_daemon (&daemon);
}

/* The recorder is this process: the daemon has nothing to do with it but its files. */
static void
test_the_recorders_own_recording_is_seen (Fixture *f, gconstpointer data)
{
  g_autoptr (BoxRecording) recording = NULL;
  g_autoptr (JsonObject) status = NULL;
  JsonObject *seen;
  Daemon daemon;

  fixture_write_file (f, "live.ts", 1000, 1);
  recording = recordings_begin (f, "live.ts");
  daemon = start_daemon (f, NULL);
  status = wait_for_status (&daemon, has_state, "unsafe");
  seen = json_array_get_object_element (json_object_get_array_member (status, "recordings"), 0);
  g_assert_cmpstr (json_object_get_string_member (seen, "state"), ==, "recording");
  g_assert_cmpstr (json_object_get_string_member (seen, "file"), ==, "live.ts");
  stop_daemon (&daemon);
}

/* Box has the file, and has refused its metadata: that is not a recording which is not there. */
static void
test_what_is_unsettled_is_safe (Fixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) status = NULL;
  g_autofree char *reply = NULL;
  JsonObject *recording;
  Daemon daemon;

  fixture_write_file (f, "a.bin", 1000, 1);
  fixture_load (
      f, RULE ({
    "route": "create_metadata",
    "do": "reply",
    "status": 403,
    "headers": { "WWW-Authenticate": "Bearer realm=\"S\", error=\"insufficient_scope\"" }
  }));
  {
    g_auto (Answer) put = RUN (f, "put", "a.bin", "--metadata", "camera=3");

    g_assert_cmpint (put.code, ==, 0);
  }
  daemon = start_daemon (f, NULL);
  wait_for_count (&daemon, "failures", 1);
  status = wait_for_status (&daemon, has_recording_state, "unsettled");
  recording =
      json_array_get_object_element (json_object_get_array_member (status, "recordings"), 0);
  g_assert_nonnull (strstr (json_object_get_string_member (recording, "failure"), "metadata"));
  g_assert_cmpstr (json_object_get_string_member (status, "state"), ==, "safe");
  reply = get (&daemon, "GET", "/metrics", HOST);
  g_assert_nonnull (strstr (reply, "\nboxupload_recordings 0\n"));
  g_assert_nonnull (strstr (reply, "in_state{state=\"failed\"} 0\n"));
  g_assert_nonnull (strstr (reply, "in_state{state=\"unsettled\"} 1\n"));
  stop_daemon (&daemon);
}

/* The directory has a name that is not text: it is looked at under its own, not under the one that
 * is shown. */
static void
test_a_spool_without_a_readable_name_has_room (Fixture *f, gconstpointer data)
{
  g_autoptr (JsonObject) status = NULL;
  Daemon daemon;

  daemon = start_daemon (f, (const char *const[]){ "sp\xffol", NULL });
  status = get_status (&daemon);
  g_assert_cmpint (json_object_get_int_member (status, "free_bytes"), >, 0);
  g_assert_true (g_utf8_validate (json_object_get_string_member (status, "spool"), -1, NULL));
  stop_daemon (&daemon);
}

static void
test_metrics_have_the_names_that_are_documented (Fixture *f, gconstpointer data)
{
  static const char *const names[] = {
    "boxupload_build_info{version=\"",
    "\nboxupload_backlog_bytes 0\n",
    "\nboxupload_oldest_unsent_seconds 0\n",
    "\nboxupload_last_commit_timestamp_seconds ",
    "\nboxupload_uploaded_bytes_total 1000\n",
    "\nboxupload_commits_total 1\n",
    "\nboxupload_requests_total{request=\"upload\",status_class=\"2xx\"} 1\n",
  };
  g_autofree char *reply = NULL;
  Daemon daemon;

  add_recording (f, "a.bin");
  daemon = start_daemon (f, NULL);
  wait_for_count (&daemon, "commits", 1);
  reply = get (&daemon, "GET", "/metrics", HOST);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strstr (reply, names[i]) == NULL)
      g_error ("no %s in %s", names[i], reply);
  g_assert_null (strstr (reply, "a.bin"));
  stop_daemon (&daemon);
}

static void
test_changes_are_events (Fixture *f, gconstpointer data)
{
  Daemon daemon = start_daemon (f, NULL);
  g_autoptr (GSocketConnection) connection =
      ask (&daemon, "GET /api/events HTTP/1.1\r\n" HOST "\r\n");
  g_autoptr (GDataInputStream) lines =
      g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  g_autoptr (BoxRecording) recording = NULL;
  gboolean begun = FALSE, seen = FALSE;

  while (!seen)
    {
      g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);

      g_assert_nonnull (line);
      if (g_str_has_prefix (line, "data: ") && !begun)
        {
          fixture_write_file (f, "new.ts", 1000, 1);
          recording = recordings_begin (f, "new.ts");
          begun = TRUE;
        }
      else if (begun)
        seen = strstr (line, "new.ts") != NULL;
    }
  stop_daemon (&daemon);
}

typedef struct
{
  const char *name;
  const char *method;
  const char *path;
  const char *headers;
  guint status;
  const char *words; /* that a refusal has */
} Request;

static const Request refused[] = {
  { "a-foreign-name", "GET", "/", "Host: evil.example\r\n", 403, "has to send that name as Host" },
  { "a-foreign-name-with-port", "GET", "/api/status", "Host: evil.example:80\r\n", 403,
    "localhost" },
  { "no-host", "GET", "/metrics", "Host: \r\n", 403, "localhost" },
  { "post", "POST", "/api/status", HOST "Content-Length: 0\r\n", 405, "only GET" },
  { "put", "PUT", "/", HOST "Content-Length: 0\r\n", 405, "only GET" },
  { "unknown", "GET", "/secret", HOST, 404, "/api/status" },
  { "parent", "GET", "/../../etc/passwd", HOST, 404, "/api/status" },
};

static void
test_refused_request (Fixture *f, gconstpointer data)
{
  const Request *request = data;
  Daemon daemon = start_daemon (f, NULL);
  g_autofree char *reply = get (&daemon, request->method, request->path, request->headers);

  g_assert_cmpuint (status_of (reply), ==, request->status);
  g_assert_nonnull (strstr (body_of (reply), request->words));
  stop_daemon (&daemon);
}

static const Request with_token[] = {
  { "none", "GET", "/", HOST, 401 },
  { "wrong", "GET", "/", HOST "Authorization: Bearer token-of-the-readers-5522\r\n", 401 },
  { "shorter", "GET", "/", HOST "Authorization: Bearer token-of\r\n", 401 },
  { "empty", "GET", "/", HOST "Authorization: Bearer \r\n", 401 },
  { "bearer", "GET", "/", HOST "Authorization: Bearer " READ_TOKEN "\r\n", 200 },
  { "basic", "GET", "/", HOST "Authorization: Basic eDp0b2tlbi1vZi10aGUtcmVhZGVycy01NTIx\r\n",
    200 },
  { "basic-without-a-colon", "GET", "/", HOST "Authorization: Basic eA==\r\n", 401 },
};

static void
test_token (Fixture *f, gconstpointer data)
{
  const Request *request = data;
  Daemon daemon;
  g_autofree char *reply = NULL;

  write_text (f, "readers", READ_TOKEN "\n", 0600);
  daemon = start_daemon (f, (const char *const[]){ "--http-token-file", "readers", NULL });
  reply = get (&daemon, request->method, request->path, request->headers);
  g_assert_cmpuint (status_of (reply), ==, request->status);
  g_assert_null (strstr (reply, READ_TOKEN));
  if (request->status == 401)
    g_assert_nonnull (strstr (body_of (reply), "--http-token-file"));
  stop_daemon (&daemon);
}

typedef struct
{
  const char *name;
  const char *address;
  int code;
  const char *words;
} Address;

static const Address bad_addresses[] = {
  { "all-interfaces", "0.0.0.0:0", 2, "--http-token-file" },
  { "all-interfaces-6", "[::]:0", 2, "--http-token-file" },
  { "no-port", "127.0.0.1:", 2, "ADDRESS:PORT" },
  { "a-name", "box.example:80", 2, "ADDRESS:PORT" },
  { "too-large", "127.0.0.1:65536", 2, "ADDRESS:PORT" },
  { "not-ours", "192.0.2.1:80", 2, "--http-token-file" },
};

static void
test_bad_address (Fixture *f, gconstpointer data)
{
  const Address *address = data;
  g_auto (Answer) answer = RUN (f, "watch", "--http", address->address);

  g_assert_cmpint (answer.code, ==, address->code);
  g_assert_nonnull (strstr (answer.err, address->words));
}

/* --- The hook --------------------------------------------------------------------------------- */

/* Waits until the hook has written a line with @text. */
static char *
wait_for_hook (Fixture *f, const char *text)
{
  g_autofree char *path = g_build_filename (f->dir, "hook.log", NULL);

  for (;;)
    {
      g_autofree char *log = NULL;

      if (g_file_get_contents (path, &log, NULL, NULL) && strstr (log, text) != NULL
          && g_str_has_suffix (log, "\n"))
        return g_steal_pointer (&log);
      g_usleep (50000);
    }
}

static void
assert_members (JsonObject *event, const char *const *names)
{
  g_assert_cmpuint (json_object_get_size (event), ==, g_strv_length ((char **) names));
  for (; *names != NULL; names++)
    if (!json_object_has_member (event, *names))
      g_error ("the event has no %s", *names);
}

static void
test_the_hook_hears_of_a_commit (Fixture *f, gconstpointer data)
{
  g_autofree char *log = NULL;
  g_autoptr (JsonObject) event = NULL;
  Daemon daemon;

  add_recording (f, "a.bin");
  write_text (f, "hook", "#!/bin/sh\n{ cat; env; } > hook.tmp\nmv hook.tmp hook.log\n", 0700);
  daemon = start_daemon (f, (const char *const[]){ "--hook", "./hook", NULL });
  log = wait_for_hook (f, "committed");
  g_assert_null (strstr (log, TOKEN));
  strchr (log, '\n')[1] = '\0';
  event = parse_document (log);
  g_assert_cmpstr (json_object_get_string_member (event, "event"), ==, "committed");
  g_assert_cmpstr (json_object_get_string_member (event, "name"), ==, "a.bin");
  g_assert_cmpint (json_object_get_int_member (event, "size"), ==, 1000);
  assert_members (event, (const char *const[]){ "event", "recording", "file_id", "name", "size",
                                                "sha1", "link", NULL });
  stop_daemon (&daemon);
}

static void
test_the_hook_hears_of_a_refusal (Fixture *f, gconstpointer data)
{
  g_autofree char *log = NULL;
  g_autoptr (JsonObject) event = NULL;
  Daemon daemon;

  fixture_load (f, "[{\"route\":[\"upload_file\",\"preflight\"],\"do\":\"reply\",\"status\":403,"
                   "\"json\":{\"type\":\"error\",\"status\":403,\"code\":"
                   "\"storage_limit_exceeded\"}}]");
  add_recording (f, "a.bin");
  write_text (f, "hook", "#!/bin/sh\ncat > hook.tmp\nmv hook.tmp hook.log\n", 0700);
  daemon = start_daemon (f, (const char *const[]){ "--hook", "./hook", NULL });
  log = wait_for_hook (f, "\"failed\"");
  event = parse_document (log);
  g_assert_cmpint (json_object_get_int_member (event, "retry_in"), >=, 15);
  g_assert_cmpint (json_object_get_int_member (event, "retry_in"), <=, 30);
  g_assert_nonnull (strstr (json_object_get_string_member (event, "message"), "space"));
  assert_members (event,
                  (const char *const[]){ "event", "recording", "message", "retry_in", NULL });
  stop_daemon (&daemon);
}

/* What the hook has started is ended with it. */
static void
test_a_hook_ends_with_its_children (Fixture *f, gconstpointer data)
{
  g_autofree char *log = NULL, *stat = NULL, *path = NULL;
  Daemon daemon;

  add_recording (f, "a.bin");
  write_text (f, "hook",
              "#!/bin/sh\nsleep 1000 &\necho $! > hook.tmp\nmv hook.tmp hook.log\nwait\n", 0700);
  daemon = start_daemon (f, (const char *const[]){ "--hook", "./hook", NULL });
  log = wait_for_hook (f, "\n");
  stop_daemon (&daemon);
  path = g_strdup_printf ("/proc/%d/stat", atoi (log));
  /* Its parent is gone: somebody else collects it. */
  g_assert_true (!g_file_get_contents (path, &stat, NULL, NULL) || strstr (stat, ") Z") != NULL
                 || strstr (stat, ") X") != NULL);
}

static void
test_a_hook_that_is_not_there_is_refused (Fixture *f, gconstpointer data)
{
  g_auto (Answer) missing = RUN (f, "watch", "--hook", "./missing");
  g_auto (Answer) plain = { 0 };

  write_text (f, "plain", "#!/bin/sh\n", 0600);
  plain = RUN (f, "watch", "--hook", "./plain");
  g_assert_cmpint (missing.code, ==, 2);
  g_assert_nonnull (strstr (missing.err, "./missing"));
  g_assert_cmpint (plain.code, ==, 2);
}

static const char *const useless_hooks[] = {
  "#!/bin/sh\nexit 3\n",
  "#!/bin/sh\nkill -9 $$\n",
  "#!/bin/sh\nexec sleep 100\n",
  "not a program",
};

/* Whatever the hook does, the recordings get to Box. */
static void
test_a_useless_hook_holds_nothing_up (Fixture *f, gconstpointer data)
{
  Daemon daemon;

  add_recording (f, "a.bin");
  add_recording (f, "b.bin");
  write_text (f, "hook", data, 0700);
  daemon = start_daemon (f, (const char *const[]){ "--hook", "./hook", NULL });
  wait_for_count (&daemon, "commits", 2);
  stop_daemon (&daemon);
}

static void
add_table (const char *prefix, const Request *rows, guint n,
           void (*test) (Fixture *, gconstpointer))
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/status/%s/%s", prefix, rows[i].name);

      g_test_add (path, Fixture, &rows[i], fixture_set_up, test, fixture_tear_down);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_TEST ("/cli/status/page-is-whole", test_the_page_is_whole);
  ADD_TEST ("/cli/status/an-empty-spool-is-safe", test_an_empty_spool_is_safe);
  ADD_TEST ("/cli/status/a-failure-is-shown", test_a_failure_is_shown_with_the_way_out);
  ADD_TEST ("/cli/status/the-recorders-own-recording-is-seen",
            test_the_recorders_own_recording_is_seen);
  ADD_TEST ("/cli/status/unsettled-is-safe", test_what_is_unsettled_is_safe);
  ADD_TEST ("/cli/status/spool-without-a-readable-name",
            test_a_spool_without_a_readable_name_has_room);
  ADD_TEST ("/cli/status/metrics-have-documented-names",
            test_metrics_have_the_names_that_are_documented);
  ADD_TEST ("/cli/status/changes-are-events", test_changes_are_events);
  add_table ("refused", refused, G_N_ELEMENTS (refused), test_refused_request);
  add_table ("token", with_token, G_N_ELEMENTS (with_token), test_token);
  for (guint i = 0; i < G_N_ELEMENTS (bad_addresses); i++)
    {
      g_autofree char *path = g_strconcat ("/cli/status/address/", bad_addresses[i].name, NULL);

      g_test_add (path, Fixture, &bad_addresses[i], fixture_set_up, test_bad_address,
                  fixture_tear_down);
    }
  ADD_TEST ("/cli/hook/hears-of-a-commit", test_the_hook_hears_of_a_commit);
  ADD_TEST ("/cli/hook/hears-of-a-refusal", test_the_hook_hears_of_a_refusal);
  ADD_TEST ("/cli/hook/ends-with-its-children", test_a_hook_ends_with_its_children);
  ADD_TEST ("/cli/hook/that-is-not-there", test_a_hook_that_is_not_there_is_refused);
  for (guint i = 0; i < G_N_ELEMENTS (useless_hooks); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/hook/holds-nothing-up/%u", i);

      g_test_add (path, Fixture, useless_hooks[i], fixture_set_up,
                  test_a_useless_hook_holds_nothing_up, fixture_tear_down);
    }
  return g_test_run ();
}
