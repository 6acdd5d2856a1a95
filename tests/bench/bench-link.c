/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A link for the benchmarks, which ordinary TCP runs over: two TUN devices, one in the network of
 * the caller and one in a new network in which a server runs, and this program between them. It
 * passes packets on at a rate, with a delay, and drops some. The kernel's netem would do the same,
 * but is not in every kernel.
 *
 *   bench-link [--mbit N] [--delay MS] [--loss P] -- SERVER ARGUMENTS…
 *
 * The server is at 10.99.0.2 for the caller. It gets the standard output; the link ends with it, or
 * by SIGTERM, which ends the server too. Needs the right to make networks (root of a user namespace
 * is enough).
 */
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MTU 1500

/* Of fast links, so that two programs with a few packets at a time keep up. */
#define LARGE_MTU 9000
#define FAST_MBIT 500

/* What waits before the bottleneck: as much as leaves in this time, as in a usual router, and at
 * least LEAST_QUEUE. More is dropped. Seconds, bytes. */
#define QUEUE_TIME  0.1
#define LEAST_QUEUE (128 << 10)

static struct
{
  double mbit;  /* a second; 0: no limit */
  double delay; /* each way, milliseconds */
  double loss;  /* of packets towards the server */
} options;

typedef struct
{
  double due;
  gsize length;
  guint8 bytes[];
} Packet;

/* One way. Seconds of the monotonic clock. */
typedef struct
{
  int from, to;
  double rate; /* bytes a second; 0: no limit */
  double loss;
  double free_at; /* when the bottleneck has passed all packets so far */
  GQueue packets; /* in order of `due` */
} Way;

static double
now (void)
{
  return (double) g_get_monotonic_time () / G_USEC_PER_SEC;
}

static void
run (const char *format, ...)
{
  va_list arguments;
  g_autofree char *command = NULL;

  va_start (arguments, format);
  command = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (system (command) != 0)
    g_error ("\"%s\" failed", command);
}

/* A device in the present network. */
static int
open_device (const char *name, const char *address, const char *peer)
{
  struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
  int fd = open ("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

  g_strlcpy (request.ifr_name, name, sizeof request.ifr_name);
  if (fd < 0 || ioctl (fd, TUNSETIFF, &request) < 0)
    g_error ("/dev/net/tun: %s", g_strerror (errno));
  run ("ip addr add %s peer %s dev %s && ip link set %s mtu %d txqueuelen 5000 up", address, peer,
       name, name, options.mbit > FAST_MBIT ? LARGE_MTU : MTU);
  return fd;
}

static gboolean
is_dropped (const Way *way, double waiting)
{
  double queue = MAX (way->rate * QUEUE_TIME, LEAST_QUEUE);

  return g_random_double () < way->loss || (way->rate > 0 && waiting * way->rate > queue);
}

static void
take_packets (Way *way)
{
  guint8 buffer[65536];
  ssize_t n;

  while ((n = read (way->from, buffer, sizeof buffer)) > 0)
    {
      double time = now ();
      Packet *packet;

      way->free_at = MAX (way->free_at, time);
      if (is_dropped (way, way->free_at - time))
        continue;
      if (way->rate > 0)
        way->free_at += (double) n / way->rate;
      packet = g_malloc (sizeof *packet + (gsize) n);
      packet->due = way->free_at + options.delay / 1000;
      packet->length = (gsize) n;
      memcpy (packet->bytes, buffer, (gsize) n);
      g_queue_push_tail (&way->packets, packet);
    }
}

/* Returns when the next one is due. */
static double
pass_packets (Way *way)
{
  double time = now ();
  Packet *packet;

  while ((packet = g_queue_peek_head (&way->packets)) != NULL && packet->due <= time)
    {
      ssize_t n = write (way->to, packet->bytes, packet->length);

      (void) n; /* a full device loses it, as a network does */
      g_free (g_queue_pop_head (&way->packets));
    }
  return packet != NULL ? packet->due : INFINITY;
}

static pid_t
start_server (char **command)
{
  pid_t pid = fork ();

  if (pid != 0)
    return pid;
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  execvp (command[0], command);
  perror (command[0]);
  _exit (127);
}

static void
pass_until_the_server_ends (Way *there, Way *back, pid_t server)
{
  while (waitpid (server, NULL, WNOHANG) == 0)
    {
      struct pollfd fds[] = { { there->from, POLLIN, 0 }, { back->from, POLLIN, 0 } };
      double next = MIN (pass_packets (there), pass_packets (back));
      double wait = CLAMP (next - now (), 0, 1);
      struct timespec timeout = { (time_t) wait, (long) ((wait - floor (wait)) * 1e9) };

      ppoll (fds, 2, &timeout, NULL);
      take_packets (there);
      take_packets (back);
    }
}

int
main (int argc, char **argv)
{
  const GOptionEntry entries[] = {
    { "mbit", 0, 0, G_OPTION_ARG_DOUBLE, &options.mbit, "A second (default: no limit)", "N" },
    { "delay", 0, 0, G_OPTION_ARG_DOUBLE, &options.delay, "Each way", "MS" },
    { "loss", 0, 0, G_OPTION_ARG_DOUBLE, &options.loss, "Of packets towards the server", "P" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("-- SERVER ARGUMENTS…");
  g_autoptr (GError) error = NULL;
  Way there = { .packets = G_QUEUE_INIT }, back = { .packets = G_QUEUE_INIT };

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_strict_posix (context, TRUE);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 2)
    {
      fprintf (stderr, "bench-link: %s\n", error != NULL ? error->message : "which server?");
      return 2;
    }
  there.from = back.to = open_device ("near", "10.99.0.1", "10.99.0.2");
  if (unshare (CLONE_NEWNET) < 0)
    g_error ("no network of its own: %s", g_strerror (errno));
  run ("ip link set lo up");
  there.to = back.from = open_device ("far", "10.99.0.2", "10.99.0.1");
  there.rate = options.mbit * 125000;
  there.loss = options.loss;
  pass_until_the_server_ends (&there, &back,
                              start_server (argv + (strcmp (argv[1], "--") == 0 ? 2 : 1)));
  return 0;
}
