/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The least that hashing an upload takes: reads a file once and gives each piece to two SHA-1
 * digests by GnuTLS while it is in the cache, as the file's and a part's digest need.
 *
 *   bench-digest FILE
 */
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <unistd.h>

int
main (int argc, char **argv)
{
  static unsigned char piece[64 << 10], digest[20];
  gnutls_hash_hd_t digests[2];
  int fd = argc == 2 ? open (argv[1], O_RDONLY) : -1;
  ssize_t n;

  if (fd < 0)
    {
      perror ("bench-digest");
      return 1;
    }
  for (int i = 0; i < 2; i++)
    gnutls_hash_init (&digests[i], GNUTLS_DIG_SHA1);
  while ((n = read (fd, piece, sizeof piece)) > 0)
    for (int i = 0; i < 2; i++)
      gnutls_hash (digests[i], piece, (size_t) n);
  for (int i = 0; i < 2; i++)
    gnutls_hash_deinit (digests[i], digest);
  close (fd);
  return n < 0;
}
