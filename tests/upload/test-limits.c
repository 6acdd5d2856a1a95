/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An upload in a process without threads, descriptors or memory fails with a clear error, and the
 * next one works. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/process.h"
#include "http/proxy.h"
#include "kit/places.h"
#include "spool/spool.h"
#include "upload-fixture.h"
#include "upload/blocks.h"
#include "upload/workers.h"

#define MIB (1024 * 1024)

/* --- The system's answers, to the calls of the thread that sets these ------------------------- */

static __thread gboolean deny_threads, deny_memory;

typedef int (*CreateThread) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
typedef void *(*Map) (void *, size_t, int, int, int, off_t);

/* Both take the place of the C library's functions. */
int pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *),
                    void *data);
void *mmap (void *address, size_t length, int protection, int flags, int fd, off_t offset);

int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *),
                void *data)
{
  CreateThread create = (CreateThread) dlsym (RTLD_NEXT, "pthread_create");

  return deny_threads ? EAGAIN : create (thread, attributes, start, data);
}

void *
mmap (void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
  if (deny_memory && length >= BOX_BLOCK_SIZE)
    {
      errno = ENOMEM;
      return MAP_FAILED;
    }
  return ((Map) dlsym (RTLD_NEXT, "mmap")) (address, length, protection, flags, fd, offset);
}

/* Leaves the process @n free descriptors; returns the limit that there was. */
static rlim_t
leave_descriptors (guint n)
{
  struct rlimit limit;
  rlim_t before;
  int highest = fcntl (STDIN_FILENO, F_DUPFD, 0);

  g_assert_cmpint (highest, >=, 0);
  close (highest);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  before = limit.rlim_cur;
  limit.rlim_cur = (rlim_t) highest + n;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  return before;
}

static void
give_descriptors_back (rlim_t before)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = before;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

/* --- Uploads -------------------------------------------------------------------------------- */

static void
begin_file (Fixture *f, const char *name)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", name, NULL);
  BoxUploadSettings settings = settings_for (f, destination, 21 * MIB);

  begin (f, &settings);
}

static void
assert_another_works (Fixture *f)
{
  g_clear_pointer (&f->upload, box_upload_unref);
  begin_file (f, "another.bin");
  g_assert_true (produce (f, 0, 21 * MIB));
  box_upload_finish (f->upload);
  g_assert_cmpint (box_upload_wait_done (f->upload, -1), ==, BOX_WAIT_READY);
  assert_stored (f, "another.bin", 21 * MIB);
}

static void
test_without_a_thread_the_upload_fails_and_the_next_works (Fixture *f, gconstpointer data)
{
  deny_threads = TRUE;
  begin_file (f, "threadless.bin");
  deny_threads = FALSE;
  assert_failed (f, BOX_ERROR_SPACE);
  assert_another_works (f);
}

/* The C library says of both that "the resource is temporarily unavailable". */
static void
test_a_thread_without_memory_is_told_as_memory (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) threads = NULL;
  g_autoptr (GError) memory = NULL;

  deny_threads = TRUE;
  g_assert_false (box_process_check_threads (1, "to try", &threads));
  deny_memory = TRUE;
  g_assert_false (box_process_check_threads (1, "to try", &memory));
  deny_threads = deny_memory = FALSE;
  g_assert_error (threads, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (threads->message, "ulimit -u"));
  g_assert_error (memory, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (memory->message, "ulimit -v"));
}

static void
test_without_descriptors_the_upload_fails_and_the_next_works (Fixture *f, gconstpointer data)
{
  rlim_t before = leave_descriptors (8);

  begin_file (f, "closed.bin");
  give_descriptors_back (before);
  assert_failed (f, BOX_ERROR_SPACE);
  assert_another_works (f);
}

/* GnuTLS does not look whether it got any. A configuration of its own, which nobody used yet. */
static void
test_without_memory_a_request_fails_before_tls_needs_it (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxTransportConfig) config = box_transport_config_new (NULL, NULL, 123, &error);
  g_autoptr (BoxTransport) transport = box_transport_new ();
  BoxRequest request = { .method = "GET", .url = "http://127.0.0.1:9/" };
  g_autoptr (BoxReply) reply = NULL;

  g_assert_no_error (error);
  deny_memory = TRUE;
  reply = box_transport_send (transport, config, &request, NULL, &error);
  deny_memory = FALSE;
  g_assert_null (reply);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (error->message, "ulimit -v"));
}

/* GIO does not look: the environment's resolver of proxies starts threads when it is made, and TLS
 * reads the authorities for a connection. */
static void
test_without_threads_or_memory_no_connection_is_begun (Fixture *f, gconstpointer data)
{
  g_autoptr (GProxyResolver) resolver = box_proxy_new (NULL, NULL);
  g_autoptr (GError) threads = NULL;
  g_autoptr (GError) memory = NULL;

  deny_threads = TRUE;
  g_assert_null (g_proxy_resolver_lookup (resolver, "https://upload.box.com", NULL, &threads));
  deny_threads = FALSE;
  g_assert_error (threads, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (threads->message, "ulimit -u"));
  deny_memory = TRUE;
  g_assert_null (g_proxy_resolver_lookup (resolver, "https://upload.box.com", NULL, &memory));
  deny_memory = FALSE;
  g_assert_error (memory, BOX_ERROR, BOX_ERROR_TRANSIENT);
  g_assert_nonnull (strstr (memory->message, "ulimit -v"));
}

static void
test_without_memory_the_upload_fails_and_the_next_works (Fixture *f, gconstpointer data)
{
  begin_file (f, "forgotten.bin");
  deny_memory = TRUE;
  g_assert_false (produce (f, 0, 21 * MIB));
  deny_memory = FALSE;
  assert_failed (f, BOX_ERROR_SPACE);
  assert_another_works (f);
}

/* The worker that opened the session has long been idle when the first part is complete. */
static void
test_the_last_worker_stays_for_the_uploads_there_are (Fixture *f, gconstpointer data)
{
  begin_file (f, "patient.bin");
  g_mutex_lock (&f->mutex);
  while (f->opened == 0)
    g_cond_wait (&f->cond, &f->mutex);
  g_mutex_unlock (&f->mutex);
  deny_threads = TRUE;
  g_assert_true (produce (f, 0, 21 * MIB));
  box_upload_finish (f->upload);
  deny_threads = FALSE;
  assert_done (f);
}

static void
test_a_recording_without_descriptors_does_not_begin (Fixture *f, gconstpointer data)
{
  char *path = kit_new_directory ();
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSpool) spool = box_spool_open (path, 0, &error);
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "x.bin", NULL);
  BoxRecordingIntent intent = { .destination = destination };
  rlim_t before;

  g_assert_no_error (error);
  before = leave_descriptors (8);
  g_assert_null (box_spool_record (spool, &intent, &error));
  give_descriptors_back (before);
  g_assert_error (error, BOX_ERROR, BOX_ERROR_SPACE);
  g_assert_nonnull (strstr (error->message, "ulimit -n"));
  kit_remove_empty_directory (path);
}

/* No worker of the test before is left: it would serve the upload that wants one, or open
 * something while there is nothing to open. */
static void
set_up_alone (Fixture *f, gconstpointer data)
{
  KIT_AWAIT (box_workers_count () == 0);
  set_up (f, data);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/limits/" name, Fixture, NULL, set_up_alone, function, tear_down)

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  box_workers_set_idle_time (1);

  /* First: the resolver is made once. */
  ADD ("without-threads-or-memory-no-connection-is-begun",
       test_without_threads_or_memory_no_connection_is_begun);
  ADD ("a-recording-without-descriptors-does-not-begin",
       test_a_recording_without_descriptors_does_not_begin);
  ADD ("a-thread-without-memory-is-told-as-memory", test_a_thread_without_memory_is_told_as_memory);
  ADD ("without-descriptors-the-upload-fails-and-the-next-works",
       test_without_descriptors_the_upload_fails_and_the_next_works);
  ADD ("without-a-thread-the-upload-fails-and-the-next-works",
       test_without_a_thread_the_upload_fails_and_the_next_works);
  ADD ("without-memory-the-upload-fails-and-the-next-works",
       test_without_memory_the_upload_fails_and_the_next_works);
  ADD ("without-memory-a-request-fails-before-tls-needs-it",
       test_without_memory_a_request_fails_before_tls_needs_it);
  ADD ("the-last-worker-stays-for-the-uploads-there-are",
       test_the_last_worker_stays_for_the_uploads_there_are);
  return g_test_run ();
}
