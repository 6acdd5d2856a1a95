/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload get: a file at Box back to a local file, or to standard output, with its SHA-1 checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/client.h"
#include "base/fileio.h"
#include "base/text.h"
#include "cli/output.h"
#include "cli/command.h"

static struct
{
  gboolean force;
} options;

static const GOptionEntry entries[] = {
  { "force", 0, 0, G_OPTION_ARG_NONE, &options.force, "Replace an existing file", NULL },
  { NULL },
};

/* One file on its way here. */
typedef struct
{
  Cli *cli;
  const BoxFile *file;
  BoxDigest *digest;
  char *address;
  guint64 position;
  int fd; /* of the local file */
  const char *path;
  gboolean is_output; /* it is standard output */
} Download;

/* ---- bytes ---- */

static gboolean
write_output (const guint8 *data, gsize length, GError **error)
{
  while (length > 0)
    {
      gssize n = write (STDOUT_FILENO, data, length);

      if (n < 0 && errno != EINTR)
        {
          box_fileio_set_error (error, errno, "write", "standard output");
          return FALSE;
        }
      data += MAX (n, 0);
      length -= (gsize) MAX (n, 0);
    }
  return TRUE;
}

/* One piece; a piece that failed is read again by the next call. */
static gboolean
read_piece (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Download *self = user_data;
  gsize length = (gsize) MIN (self->file->size - self->position, BOX_DOWNLOAD_PIECE);
  g_autoptr (GBytes) bytes =
      box_client_read_file (self->cli->client, self->cli->transport, self->file, &self->address,
                            self->position, length, cancellable, error);
  const guint8 *data;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, NULL);
  if (self->is_output
          ? !write_output (data, length, error)
          : !box_fileio_write (self->fd, self->path, self->position, data, length, error))
    return FALSE;
  box_digest_update (self->digest, data, length);
  self->position += length;
  return TRUE;
}

static gboolean
check_digest (Download *self, GError **error)
{
  BoxSha1 sha1;

  box_digest_finish (self->digest, &sha1);
  if (box_sha1_equal (&sha1, &self->file->sha1))
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY,
               "What was read of file %s does not have the SHA-1 that Box says; read it again",
               self->file->id);
  return FALSE;
}

static gboolean
read_all (Download *self, GError **error)
{
  gboolean ok = TRUE;

  self->digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  while (ok && self->position < self->file->size)
    ok = cli_call (self->cli, read_piece, self, CLI_CALL_RETRY_TIMEOUT, error);
  ok = ok && check_digest (self, error);
  box_digest_free (self->digest);
  g_clear_pointer (&self->address, g_free);
  return ok;
}

/* ---- the local file ---- */

/* As any program makes files. */
static mode_t
get_mode (void)
{
  mode_t mask = umask (0);

  umask (mask);
  return 0666 & ~mask;
}

/* It appears under its name only when it is whole, and is on disk then. */
static gboolean
read_to_file (Download *self, const char *path, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  gboolean ok;

  self->fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  self->path = temporary;
  if (self->fd < 0)
    {
      box_fileio_set_error (error, errno, "create", temporary);
      return FALSE;
    }
  ok = read_all (self, error);
  if (ok)
    (void) !fchmod (self->fd, get_mode ());
  ok = ok && box_fileio_put_in_place (self->fd, temporary, path, NULL, 0, error);
  close (self->fd);
  if (!ok)
    g_unlink (temporary);
  return ok;
}

/* Where it goes: @local (nullable) may be a directory. Free with g_free(); NULL: there is a file
 * already. */
static char *
choose_path (const BoxFile *file, const char *local, GError **error)
{
  g_autofree char *name = g_filename_from_utf8 (file->name, -1, NULL, NULL, NULL);
  g_autofree char *path = NULL;

  if (local != NULL && !g_file_test (local, G_FILE_TEST_IS_DIR))
    path = g_strdup (local);
  else if (name != NULL && box_destination_check_name (file->name, NULL))
    path = local != NULL ? g_build_filename (local, name, NULL) : g_strdup (name);
  if (path == NULL)
    g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
                 "The name of file %s cannot be one here: give the name of a local file", file->id);
  else if (!box_fileio_check_replaceable (path, error))
    return NULL;
  else if (!options.force && g_file_test (path, G_FILE_TEST_EXISTS))
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE,
                 "There is a file %s already: name another one, or replace it with --force", path);
  else
    return g_steal_pointer (&path);
  return NULL;
}

static void
print_result (Cli *cli, const BoxFile *file, const char *path)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_autofree char *text = NULL, *local = NULL;
  g_autoptr (JsonBuilder) builder = NULL;

  if (!cli->options->json)
    {
      text = cli_format_made (file, "");
      local = box_text_escape (shown);
      cli_print ("%s: %s", local, text);
      return;
    }
  builder = cli_json_new ();
  cli_json_add_file (builder, file);
  cli_json_add_string (builder, "path", shown);
  cli_json_print (builder);
}

/* The file that @place names. */
static BoxFile *
find_file (Cli *cli, const char *place, GError **error)
{
  g_autoptr (BoxItem) item = NULL;
  g_autoptr (BoxFile) file = NULL;

  if (cli_place_is_path (place))
    {
      item = cli_place_find (cli, place, error);
      if (item == NULL)
        return NULL;
      if (item->kind != BOX_ITEM_FILE)
        {
          g_set_error (error, BOX_ERROR, BOX_ERROR_NOT_FOUND, "%s is not a file", place);
          return NULL;
        }
    }
  file = cli_call_get_file (cli, item != NULL ? item->id : place, error);
  if (file == NULL)
    return NULL;
  box_client_add_link (cli->client, file);
  if (file->has_size && file->has_sha1 && file->name != NULL)
    return g_steal_pointer (&file);
  g_set_error (error, BOX_ERROR, BOX_ERROR_PROTOCOL,
               "Box does not say the name, the size and the SHA-1 of file %s", file->id);
  return NULL;
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (BoxFile) file = find_file (cli, arguments[0], error);
  Download self = { .cli = cli, .file = file, .fd = -1 };
  g_autofree char *path = NULL;

  if (file == NULL)
    return FALSE;
  if (g_strcmp0 (arguments[1], "-") == 0)
    {
      self.is_output = TRUE;
      return read_all (&self, error);
    }
  path = choose_path (file, arguments[1], error);
  if (path == NULL || !read_to_file (&self, path, error))
    return FALSE;
  print_result (cli, file, path);
  return TRUE;
}

const CliCommand cli_command_get = {
  .name = "get",
  .arguments = "{FILE_ID | box://FOLDER_ID/PATH} [LOCAL]",
  .summary = "Read a file at Box back, and check its SHA-1",
  .description =
      "Reads the file, by its ID or by its path, into LOCAL: a file, a directory, or - for\n"
      "standard output. Without LOCAL it gets its name at Box, in the current directory.\n"
      "The local file appears only when it is whole and has the SHA-1 that Box says.\n"
      "\n"
      "With --json: one object with file_id, version_id, name, size, sha1, etag,\n"
      "link, path;\n"
      "nothing for standard output.\n"
      "\n"
      "Examples:\n"
      "  boxupload get 5678\n"
      "  boxupload get box://0/Archive/2026/clip.mp4 copy.mp4\n"
      "  boxupload get 5678 - | ffprobe -\n",
  .flags = CLI_COMMAND_CONNECTS,
  .entries = entries,
  .min_arguments = 1,
  .max_arguments = 2,
  .run = run,
};
