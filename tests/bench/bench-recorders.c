/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Box of many recorders: box-emulator with the limits of one account, and a network that goes
 * away and comes back.
 *
 *   bench-recorders DIR PART-SIZE CALLS-PER-MINUTE UPLOADS-PER-MINUTE
 *
 * Prints its HTTP origin. Reads lines: "down" resets all connections and refuses new ones, "up"
 * ends that; each is answered with the time. At the end of its input it prints the requests as
 * JSON, a list of [TIME, ROUTE, STATUS], in the order in which they came, and ends. A time is in
 * seconds, the monotonic clock's; a status of 0 is a connection that broke.
 */
#include "emulator/box-emulator.h"

#include <stdio.h>
#include <stdlib.h>

static void
print_requests (BoxEmulator *emulator)
{
  g_autoptr (GPtrArray) requests = box_emulator_get_requests (emulator, NULL);

  printf ("[");
  for (guint i = 0; i < requests->len; i++)
    {
      const BoxEmulatorRequest *request = g_ptr_array_index (requests, i);

      printf ("%s[%.6f, \"%s\", %u]", i > 0 ? ",\n" : "", (double) request->began / G_USEC_PER_SEC,
              request->route, request->status);
    }
  printf ("]\n");
}

static void
obey (BoxEmulator *emulator)
{
  char line[16];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      box_emulator_set_down (emulator, g_str_has_prefix (line, "down"));
      printf ("%.6f\n", (double) g_get_monotonic_time () / G_USEC_PER_SEC);
      fflush (stdout);
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxEmulator) emulator = NULL;
  BoxEmulatorOptions options = { 0 };

  if (argc != 5)
    {
      g_printerr ("usage: bench-recorders DIR PART-SIZE CALLS-PER-MINUTE UPLOADS-PER-MINUTE\n");
      return 2;
    }
  options.dir = argv[1];
  options.part_size = g_ascii_strtoull (argv[2], NULL, 10);
  options.calls_per_minute = (guint) atoi (argv[3]);
  options.uploads_per_minute = (guint) atoi (argv[4]);
  emulator = box_emulator_new (&options, &error);
  if (emulator == NULL)
    {
      g_printerr ("bench-recorders: %s\n", error->message);
      return 1;
    }
  printf ("%s\n", box_emulator_get_origin (emulator, FALSE));
  fflush (stdout);
  obey (emulator);
  print_requests (emulator);
  return 0;
}
