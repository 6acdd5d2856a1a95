/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/recording.h"

#include "base/fileio.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the beginning that signatures are looked for in. */
#define HEAD 512

/* Boxes in front of an MP4 file's first media; a file with more has none. */
#define MAX_BOXES 64

/* An MP4 box is 32 bits of size and a type; size 1: 64 bits of size follow. */
#define BOX_HEADER      8
#define BOX_LONG_HEADER 16

static const struct
{
  const char *bytes; /* at the beginning */
  gsize length;
  BoxCut cut;
} signatures[] = {
  { "\x1a\x45\xdf\xa3", 4, BOX_CUT_PLAYS },       /* Matroska, WebM */
  { "OggS", 4, BOX_CUT_PLAYS },                   /* Ogg */
  { "FLV\x01", 4, BOX_CUT_PLAYS },                /* Flash video */
  { "\x06\x0e\x2b\x34", 4, BOX_CUT_PLAYS },       /* MXF */
  { "\0\0\x01\xba", 4, BOX_CUT_PLAYS },           /* MPEG program stream */
  { "fLaC", 4, BOX_CUT_PLAYS },                   /* FLAC */
  { "ID3", 3, BOX_CUT_PLAYS },                    /* MP3, AAC with tags */
  { "RIFF", 4, BOX_CUT_MAY_NOT_PLAY },            /* WAV, AVI */
  { "RF64", 4, BOX_CUT_MAY_NOT_PLAY },            /* large WAV */
  { "FORM", 4, BOX_CUT_MAY_NOT_PLAY },            /* AIFF */
  { "\x30\x26\xb2\x75", 4, BOX_CUT_MAY_NOT_PLAY } /* ASF, WMV */
};

static const struct
{
  const char *extension;
  BoxCut cut;
} extensions[] = {
  { "mp4", BOX_CUT_MAY_NOT_PLAY },  { "m4a", BOX_CUT_MAY_NOT_PLAY },
  { "m4v", BOX_CUT_MAY_NOT_PLAY },  { "mov", BOX_CUT_MAY_NOT_PLAY },
  { "qt", BOX_CUT_MAY_NOT_PLAY },   { "3gp", BOX_CUT_MAY_NOT_PLAY },
  { "3g2", BOX_CUT_MAY_NOT_PLAY },  { "mj2", BOX_CUT_MAY_NOT_PLAY },
  { "wav", BOX_CUT_MAY_NOT_PLAY },  { "avi", BOX_CUT_MAY_NOT_PLAY },
  { "aiff", BOX_CUT_MAY_NOT_PLAY }, { "wmv", BOX_CUT_MAY_NOT_PLAY },
  { "asf", BOX_CUT_MAY_NOT_PLAY },  { "mkv", BOX_CUT_PLAYS },
  { "mka", BOX_CUT_PLAYS },         { "webm", BOX_CUT_PLAYS },
  { "ts", BOX_CUT_PLAYS },          { "m2ts", BOX_CUT_PLAYS },
  { "mts", BOX_CUT_PLAYS },         { "mpg", BOX_CUT_PLAYS },
  { "mpeg", BOX_CUT_PLAYS },        { "flv", BOX_CUT_PLAYS },
  { "ogg", BOX_CUT_PLAYS },         { "ogv", BOX_CUT_PLAYS },
  { "oga", BOX_CUT_PLAYS },         { "opus", BOX_CUT_PLAYS },
  { "mxf", BOX_CUT_PLAYS },         { "mp3", BOX_CUT_PLAYS },
  { "aac", BOX_CUT_PLAYS },         { "flac", BOX_CUT_PLAYS },
  { "h264", BOX_CUT_PLAYS },        { "h265", BOX_CUT_PLAYS },
};

static guint64
read_size (const guint8 *bytes, guint n)
{
  guint64 size = 0;

  for (guint i = 0; i < n; i++)
    size = size << 8 | bytes[i];
  return size;
}

static gboolean
is_mp4 (const guint8 *head, gsize length)
{
  static const char *const first[] = { "ftyp", "styp", "moov", "mdat", "wide", "free", "skip" };

  for (gsize i = 0; length >= BOX_HEADER && i < G_N_ELEMENTS (first); i++)
    if (memcmp (head + 4, first[i], 4) == 0)
      return TRUE;
  return FALSE;
}

/* Fragments, and files whose index is updated while they are written, have it in front of the first
 * media; in all others it follows them. */
static BoxCut
judge_mp4 (int fd, const char *path, guint64 size)
{
  guint64 at = 0;

  for (guint i = 0; i < MAX_BOXES && at + BOX_LONG_HEADER <= size; i++)
    {
      guint8 header[BOX_LONG_HEADER];
      guint64 length;

      if (!box_fileio_read (fd, path, at, header, sizeof header, NULL))
        break;
      if (memcmp (header + 4, "moov", 4) == 0)
        return BOX_CUT_PLAYS;
      length = read_size (header, 4);
      if (length == 1)
        length = read_size (header + BOX_HEADER, 8);
      if (memcmp (header + 4, "mdat", 4) == 0 || length < BOX_HEADER || length > size - at)
        break;
      at += length;
    }
  return BOX_CUT_MAY_NOT_PLAY;
}

/* MPEG transport stream: a sync byte every 188 bytes, or 192 with time stamps in front. */
static gboolean
is_transport_stream (const guint8 *head, gsize length)
{
  return (length > 188 && head[0] == 0x47 && head[188] == 0x47)
         || (length > 196 && head[4] == 0x47 && head[196] == 0x47);
}

static BoxCut
judge_bytes (int fd, const char *path, guint64 size)
{
  guint8 head[HEAD];
  gsize length = (gsize) MIN (size, HEAD);

  if (!box_fileio_read (fd, path, 0, head, length, NULL))
    return BOX_CUT_UNKNOWN;
  for (gsize i = 0; i < G_N_ELEMENTS (signatures); i++)
    if (length >= signatures[i].length
        && memcmp (head, signatures[i].bytes, signatures[i].length) == 0)
      return signatures[i].cut;
  if (is_transport_stream (head, length))
    return BOX_CUT_PLAYS;
  return is_mp4 (head, length) ? judge_mp4 (fd, path, size) : BOX_CUT_UNKNOWN;
}

static BoxCut
judge_name (const char *name)
{
  const char *dot = name != NULL ? strrchr (name, '.') : NULL;

  for (gsize i = 0; dot != NULL && i < G_N_ELEMENTS (extensions); i++)
    if (g_ascii_strcasecmp (dot + 1, extensions[i].extension) == 0)
      return extensions[i].cut;
  return BOX_CUT_UNKNOWN;
}

BoxCut
box_container_judge (const char *path, const char *name)
{
  int fd = TEMP_FAILURE_RETRY (open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  BoxCut cut = BOX_CUT_UNKNOWN;
  off_t size;

  if (fd < 0)
    return BOX_CUT_UNKNOWN;
  size = lseek (fd, 0, SEEK_END);
  if (size > 0)
    cut = judge_bytes (fd, path, (guint64) size);
  close (fd);
  return cut != BOX_CUT_UNKNOWN ? cut : judge_name (name);
}
