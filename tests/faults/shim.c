/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A library to preload. It makes system calls fail, or records what is done to a directory and ends
 * the process in the middle of it. By its environment:
 *
 *   FAULT_SHIM_FAIL="CLASS WHAT N once|always"   the Nth call of CLASS fails: WHAT is the number of
 *                                                an errno, or "short"; N 0: none does
 *   FAULT_SHIM_COUNT=FILE                        lines "CLASS CALLS", written at exit
 *   FAULT_SHIM_ROOT=DIR                          changes of files below it are recorded in
 *   FAULT_SHIM_LOG=FILE                          this one (tests/faults/disk.h has its form)
 *   FAULT_SHIM_KILL=N                            before the Nth change the process is killed
 *
 * What GLib does for itself and does not survive is not the first to fail: the product has to look
 * before, and has looked when it comes to that. These are its wake-ups (eventfd) and some threads.
 * Descriptors that run out for good are a limit of the kernel's, so that a look sees it.
 */
/* Both names of each call: the shorter one is not the longer one. */
#undef _FILE_OFFSET_BITS

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of a program that hangs. Seconds. */
#define PATIENCE 300

/* Descriptors that are left when they run out: one fewer than the product looks for before it makes
 * a request (BOX_PROCESS_DESCRIPTORS_OF_WORKER), so that those under way come to an end. */
#define MARGIN 15

#define NEXT(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

enum
{
  CLASS_OPEN,
  CLASS_WRITE,
  CLASS_READ,
  CLASS_SYNC,
  CLASS_SIZE,
  CLASS_NAME,
  CLASS_LOCK,
  CLASS_SOCKET,
  CLASS_SEND,
  CLASS_RECEIVE,
  CLASS_THREAD,
  CLASS_MAP,
  N_CLASSES
};

static const char *const class_names[N_CLASSES] = {
  "open", "write",  "read", "sync",    "size",   "name",
  "lock", "socket", "send", "receive", "thread", "map",
};

enum
{
  PASS,
  FAIL,
  SHORT
};

static struct
{
  int class;
  int number; /* errno; 0: short */
  long at;
  int always;
  long counts[N_CLASSES]; /* atomic */
  const char *count_path;
  const char *root;
  size_t root_length;
  int log_fd;
  long kill_at;
  pthread_mutex_t lock; /* of the log, held while a change is made */
  long n_changes;       /* with lock */
} shim = { .class = -1, .log_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- Failing --------------------------------------------------------------------------------- */

static void
forbid_descriptors (void)
{
  struct rlimit limit;
  int highest = 0;
  DIR *(*next) (const char *) = NEXT (opendir);
  DIR *dir = next ("/proc/self/fd");

  for (struct dirent *entry; dir != NULL && (entry = readdir (dir)) != NULL;)
    if (atoi (entry->d_name) > highest && atoi (entry->d_name) != dirfd (dir))
      highest = atoi (entry->d_name);
  if (dir != NULL)
    closedir (dir);
  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = (rlim_t) highest + 1 + MARGIN;
  setrlimit (RLIMIT_NOFILE, &limit);
}

/* Whether g_thread_new() calls: GLib ends the process if it gets no thread there. */
static int
is_for_glib (void)
{
  const char *from = dlsym (RTLD_DEFAULT, "g_thread_new");
  void *frames[8];
  int n = backtrace (frames, 8);

  for (int i = 0; from != NULL && i < n; i++)
    if ((const char *) frames[i] > from && (const char *) frames[i] < from + 128)
      return 1;
  return 0;
}

static int
meet (int class)
{
  long n = __atomic_add_fetch (&shim.counts[class], 1, __ATOMIC_SEQ_CST);

  if (class == CLASS_THREAD && class == shim.class && n == shim.at && is_for_glib ())
    {
      shim.at++;
      return PASS;
    }
  if (class != shim.class || shim.at == 0 || n < shim.at || (n > shim.at && !shim.always))
    return PASS;
  if (shim.number == EMFILE && shim.always)
    {
      if (n == shim.at)
        forbid_descriptors ();
      return PASS;
    }
  if (shim.number == 0)
    return SHORT;
  errno = shim.number;
  return FAIL;
}

static int
is_file (int fd)
{
  struct stat info;

  return fstat (fd, &info) == 0 && S_ISREG (info.st_mode);
}

/* --- Recording ------------------------------------------------------------------------------- */

static void
put (const void *data, size_t length)
{
  for (const char *at = data; length > 0;)
    {
      long n = syscall (SYS_write, shim.log_fd, at, length);

      if (n <= 0)
        abort ();
      at += n;
      length -= (size_t) n;
    }
}

/* The name of @path in the directory that is recorded ("." for itself); NULL: it is elsewhere. */
static const char *
name_of (const char *path)
{
  if (shim.log_fd < 0 || strncmp (path, shim.root, shim.root_length) != 0)
    return NULL;
  if (path[shim.root_length] == '\0')
    return ".";
  return path[shim.root_length] == '/' ? path + shim.root_length + 1 : NULL;
}

static const char *
name_of_fd (int fd, char *buffer, size_t size)
{
  char link[64];
  ssize_t n;

  if (shim.log_fd < 0)
    return NULL;
  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink (link, buffer, size - 1);
  if (n < 0)
    return NULL;
  buffer[n] = '\0';
  return name_of (buffer);
}

static unsigned long
inode_of (int fd)
{
  struct stat info;

  return fstat (fd, &info) == 0 ? (unsigned long) info.st_ino : 0;
}

/* Begins a change: nobody else makes one until it ends. */
static void
begin_change (void)
{
  pthread_mutex_lock (&shim.lock);
  if (++shim.n_changes == shim.kill_at)
    {
      kill (getpid (), SIGKILL);
      for (;;)
        pause ();
    }
}

/* @failed: it was not made. */
__attribute__ ((format (printf, 4, 5))) static void
end_change (int failed, const void *data, size_t length, const char *format, ...)
{
  int saved_errno = errno;
  char line[4500];
  va_list arguments;
  int n;

  if (!failed)
    {
      va_start (arguments, format);
      n = vsnprintf (line, sizeof line, format, arguments);
      va_end (arguments);
      put (line, (size_t) n);
      put (data, length);
    }
  pthread_mutex_unlock (&shim.lock);
  errno = saved_errno;
}

/* --- The calls ------------------------------------------------------------------------------- */

static int
do_open (int (*next) (const char *, int, ...), const char *path, int flags, mode_t mode)
{
  const char *name = (flags & O_CREAT) != 0 ? name_of (path) : NULL;
  int fd;

  if (meet (CLASS_OPEN) == FAIL)
    return -1;
  if (name == NULL)
    return next (path, flags, mode);
  begin_change ();
  fd = next (path, flags, mode);
  end_change (fd < 0, NULL, 0, "create %lu %s\n", fd >= 0 ? inode_of (fd) : 0, name);
  return fd;
}

#define OPEN(function)                                                                             \
  int function (const char *path, int flags, ...)                                                  \
  {                                                                                                \
    va_list arguments;                                                                             \
    mode_t mode;                                                                                   \
                                                                                                   \
    va_start (arguments, flags);                                                                   \
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg (arguments, mode_t) : 0;                  \
    va_end (arguments);                                                                            \
    return do_open (NEXT (function), path, flags, mode);                                           \
  }

OPEN (open)
OPEN (open64)

DIR *
opendir (const char *path)
{
  return meet (CLASS_OPEN) == FAIL ? NULL : NEXT (opendir) (path);
}

static ssize_t
do_pwrite (ssize_t (*next) (int, const void *, size_t, off_t), int fd, const void *data,
           size_t length, off_t offset)
{
  char buffer[4096];
  const char *name = name_of_fd (fd, buffer, sizeof buffer);
  int verdict = meet (CLASS_WRITE);
  ssize_t n;

  if (verdict == FAIL)
    return -1;
  if (verdict == SHORT && length > 1)
    length /= 2;
  if (name == NULL)
    return next (fd, data, length, offset);
  begin_change ();
  n = next (fd, data, length, offset);
  end_change (n<0, data, n> 0 ? (size_t) n : 0, "write %lu %lld %zd\n", inode_of (fd),
              (long long) offset, n);
  return n;
}

ssize_t
pwrite (int fd, const void *data, size_t length, off_t offset)
{
  return do_pwrite (NEXT (pwrite), fd, data, length, offset);
}

ssize_t
pwrite64 (int fd, const void *data, size_t length, off64_t offset)
{
  return do_pwrite (NEXT (pwrite64), fd, data, length, offset);
}

ssize_t
write (int fd, const void *data, size_t length)
{
  char buffer[4096];
  const char *name;
  int verdict;
  off_t offset;
  ssize_t n;

  if (!is_file (fd))
    return NEXT (write) (fd, data, length);
  verdict = meet (CLASS_WRITE);
  if (verdict == FAIL)
    return -1;
  if (verdict == SHORT && length > 1)
    length /= 2;
  name = name_of_fd (fd, buffer, sizeof buffer);
  if (name == NULL)
    return NEXT (write) (fd, data, length);
  begin_change ();
  offset = lseek (fd, 0, SEEK_CUR);
  n = NEXT (write) (fd, data, length);
  end_change (n<0, data, n> 0 ? (size_t) n : 0, "write %lu %lld %zd\n", inode_of (fd),
              (long long) offset, n);
  return n;
}

#define PREAD(function, type)                                                                      \
  ssize_t function (int fd, void *data, size_t length, type offset)                                \
  {                                                                                                \
    int verdict = meet (CLASS_READ);                                                               \
                                                                                                   \
    if (verdict == FAIL)                                                                           \
      return -1;                                                                                   \
    return NEXT (function) (fd, data, verdict == SHORT && length > 1 ? length / 2 : length,        \
                            offset);                                                               \
  }

PREAD (pread, off_t)
PREAD (pread64, off64_t)

ssize_t
read (int fd, void *data, size_t length)
{
  int verdict = is_file (fd) ? meet (CLASS_READ) : PASS;

  if (verdict == FAIL)
    return -1;
  return NEXT (read) (fd, data, verdict == SHORT && length > 1 ? length / 2 : length);
}

#define SYNC(function)                                                                             \
  int function (int fd)                                                                            \
  {                                                                                                \
    char buffer[4096];                                                                             \
    const char *name = name_of_fd (fd, buffer, sizeof buffer);                                     \
    int result;                                                                                    \
                                                                                                   \
    if (meet (CLASS_SYNC) == FAIL)                                                                 \
      return -1;                                                                                   \
    if (name == NULL)                                                                              \
      return NEXT (function) (fd);                                                                 \
    begin_change ();                                                                               \
    result = NEXT (function) (fd);                                                                 \
    if (strcmp (name, ".") == 0)                                                                   \
      end_change (result, NULL, 0, "sync-names\n");                                                \
    else                                                                                           \
      end_change (result, NULL, 0, "sync %lu\n", inode_of (fd));                                   \
    return result;                                                                                 \
  }

SYNC (fsync)
SYNC (fdatasync)

#define TRUNCATE(function, type)                                                                   \
  int function (int fd, type size)                                                                 \
  {                                                                                                \
    char buffer[4096];                                                                             \
    const char *name = name_of_fd (fd, buffer, sizeof buffer);                                     \
    int result;                                                                                    \
                                                                                                   \
    if (meet (CLASS_SIZE) == FAIL)                                                                 \
      return -1;                                                                                   \
    if (name == NULL)                                                                              \
      return NEXT (function) (fd, size);                                                           \
    begin_change ();                                                                               \
    result = NEXT (function) (fd, size);                                                           \
    end_change (result, NULL, 0, "truncate %lu %lld\n", inode_of (fd), (long long) size);          \
    return result;                                                                                 \
  }

TRUNCATE (ftruncate, off_t)
TRUNCATE (ftruncate64, off64_t)

#define ALLOCATE(function, type)                                                                   \
  int function (int fd, int mode, type offset, type length)                                        \
  {                                                                                                \
    return meet (CLASS_SIZE) == FAIL ? -1 : NEXT (function) (fd, mode, offset, length);            \
  }

ALLOCATE (fallocate, off_t)
ALLOCATE (fallocate64, off64_t)

#define TWO_NAMES(function)                                                                        \
  int function (const char *from, const char *to)                                                  \
  {                                                                                                \
    const char *old = name_of (from), *new = name_of (to);                                         \
    int result;                                                                                    \
                                                                                                   \
    if (meet (CLASS_NAME) == FAIL)                                                                 \
      return -1;                                                                                   \
    if (old == NULL || new == NULL)                                                                \
      return NEXT (function) (from, to);                                                           \
    begin_change ();                                                                               \
    result = NEXT (function) (from, to);                                                           \
    end_change (result, NULL, 0, #function " %s %s\n", old, new);                                  \
    return result;                                                                                 \
  }

TWO_NAMES (rename)
TWO_NAMES (link)

int
unlink (const char *path)
{
  const char *name = name_of (path);
  int result;

  if (meet (CLASS_NAME) == FAIL)
    return -1;
  if (name == NULL)
    return NEXT (unlink) (path);
  begin_change ();
  result = NEXT (unlink) (path);
  end_change (result, NULL, 0, "unlink %s\n", name);
  return result;
}

int
mkdir (const char *path, mode_t mode)
{
  return meet (CLASS_NAME) == FAIL ? -1 : NEXT (mkdir) (path, mode);
}

#define CONTROL(function)                                                                          \
  int function (int fd, int command, ...)                                                          \
  {                                                                                                \
    va_list arguments;                                                                             \
    void *argument;                                                                                \
                                                                                                   \
    va_start (arguments, command);                                                                 \
    argument = va_arg (arguments, void *);                                                         \
    va_end (arguments);                                                                            \
    if (command == F_OFD_SETLK && meet (CLASS_LOCK) == FAIL)                                       \
      return -1;                                                                                   \
    return NEXT (function) (fd, command, argument);                                                \
  }

CONTROL (fcntl)
CONTROL (fcntl64)

int
socket (int domain, int type, int protocol)
{
  return meet (CLASS_SOCKET) == FAIL ? -1 : NEXT (socket) (domain, type, protocol);
}

ssize_t
send (int fd, const void *data, size_t length, int flags)
{
  int verdict = meet (CLASS_SEND);

  if (verdict == FAIL)
    return -1;
  return NEXT (send) (fd, data, verdict == SHORT && length > 1 ? length / 2 : length, flags);
}

ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  return meet (CLASS_SEND) == FAIL ? -1 : NEXT (sendmsg) (fd, message, flags);
}

ssize_t
recv (int fd, void *data, size_t length, int flags)
{
  int verdict = meet (CLASS_RECEIVE);

  if (verdict == FAIL)
    return -1;
  return NEXT (recv) (fd, data, verdict == SHORT && length > 1 ? length / 2 : length, flags);
}

ssize_t
recvmsg (int fd, struct msghdr *message, int flags)
{
  return meet (CLASS_RECEIVE) == FAIL ? -1 : NEXT (recvmsg) (fd, message, flags);
}

int
pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*run) (void *),
                void *data)
{
  return meet (CLASS_THREAD) == FAIL ? EAGAIN
                                     : NEXT (pthread_create) (thread, attributes, run, data);
}

#define MAP(function, type)                                                                        \
  void *function (void *at, size_t length, int protection, int flags, int fd, type offset)         \
  {                                                                                                \
    return meet (CLASS_MAP) == FAIL ? MAP_FAILED                                                   \
                                    : NEXT (function) (at, length, protection, flags, fd, offset); \
  }

MAP (mmap, off_t)
MAP (mmap64, off64_t)

/* --- The process ----------------------------------------------------------------------------- */

static void
read_fault (const char *text)
{
  char class[16], what[16], when[16];

  if (sscanf (text, "%15s %15s %ld %15s", class, what, &shim.at, when) != 4)
    abort ();
  for (int i = 0; i < N_CLASSES; i++)
    if (strcmp (class, class_names[i]) == 0)
      shim.class = i;
  shim.number = strcmp (what, "short") == 0 ? 0 : atoi (what);
  shim.always = strcmp (when, "always") == 0;
}

__attribute__ ((constructor)) static void
set_up (void)
{
  const char *fault = getenv ("FAULT_SHIM_FAIL"), *kill_at = getenv ("FAULT_SHIM_KILL");
  const char *log = getenv ("FAULT_SHIM_LOG");

  alarm (PATIENCE);
  shim.count_path = getenv ("FAULT_SHIM_COUNT");
  shim.root = getenv ("FAULT_SHIM_ROOT");
  shim.root_length = shim.root != NULL ? strlen (shim.root) : 0;
  shim.kill_at = kill_at != NULL ? atol (kill_at) : 0;
  if (log != NULL)
    shim.log_fd = (int) syscall (SYS_openat, AT_FDCWD, log,
                                 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fault != NULL)
    read_fault (fault);
  for (int i = 0; i < N_CLASSES; i++)
    shim.counts[i] = 0;
}

__attribute__ ((destructor)) static void
tear_down (void)
{
  char line[64];
  long fd;

  if (shim.count_path == NULL)
    return;
  fd = syscall (SYS_openat, AT_FDCWD, shim.count_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  for (int i = 0; i < N_CLASSES; i++)
    {
      int n = snprintf (line, sizeof line, "%s %ld\n", class_names[i], shim.counts[i]);

      if (syscall (SYS_write, fd, line, n) != n)
        abort ();
    }
  syscall (SYS_close, fd);
}
