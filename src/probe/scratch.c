/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe/experiments.h"

#include "api/folder.h"
#include "base/fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES_MODE 0600
#define MAX_NOTES  65536

struct _BoxScratch
{
  BoxClient *client;
  BoxTransport *transport;
  char *folder_id;
  char *notes;         /* path */
  GPtrArray *sessions; /* BoxSession: those that are open */
};

static char *
notes_directory (void)
{
  return g_build_filename (g_get_user_state_dir (), "boxupload", "probe", NULL);
}

/* One line: "folder ID" or "session ID". In the file before anything else happens. */
static gboolean
note (BoxScratch *scratch, const char *kind, const char *value, GError **error)
{
  g_autofree char *line = g_strdup_printf ("%s %s\n", kind, value);
  int fd = g_open (scratch->notes, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, NOTES_MODE);
  gboolean written = fd >= 0 && write (fd, line, strlen (line)) == (gssize) strlen (line);

  if (!written)
    box_fileio_set_error (error, errno, "write to", scratch->notes);
  if (fd >= 0)
    close (fd);
  return written;
}

/* --- What a dead run has left ---------------------------------------------------------------- */

static gboolean
remove_session (BoxClient *client, BoxTransport *transport, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BoxSession) session = box_client_get_session (client, transport, id, NULL, &error);

  if (session == NULL)
    return g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND)
           || g_error_matches (error, BOX_ERROR, BOX_ERROR_SESSION_GONE);
  return box_client_abort (client, transport, session, NULL, NULL);
}

static gboolean
remove_folder (BoxClient *client, BoxTransport *transport, const char *id)
{
  g_autoptr (GError) error = NULL;

  return box_client_delete_folder (client, transport, id, NULL, &error)
         || g_error_matches (error, BOX_ERROR, BOX_ERROR_NOT_FOUND);
}

static gboolean
remove_noted (BoxClient *client, BoxTransport *transport, const char *path)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean removed = TRUE;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL) || length > MAX_NOTES)
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "session "))
      removed = remove_session (client, transport, lines[i] + strlen ("session ")) && removed;
    else if (g_str_has_prefix (lines[i], "folder "))
      removed = remove_folder (client, transport, lines[i] + strlen ("folder ")) && removed;
  if (removed)
    (void) g_unlink (path);
  return removed;
}

/* A run's notes have the name of its process. */
static gboolean
is_dead (const char *name)
{
  int pid = atoi (name);

  return pid > 0 && pid != getpid () && kill (pid, 0) < 0 && errno == ESRCH;
}

static void
remove_what_was_left (BoxClient *client, BoxTransport *transport, const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (is_dead (name))
      {
        g_autofree char *path = g_build_filename (directory, name, NULL);

        remove_noted (client, transport, path);
      }
}

/* --- This run -------------------------------------------------------------------------------- */

static gboolean
make_folder (BoxScratch *scratch, const char *parent, GCancellable *cancellable, GError **error)
{
  g_autofree char *name =
      g_strdup_printf ("boxupload-probe-%08x%08x", g_random_int (), g_random_int ());

  scratch->folder_id = box_client_create_folder (scratch->client, scratch->transport, parent, name,
                                                 cancellable, error);
  return scratch->folder_id != NULL && note (scratch, "folder", scratch->folder_id, error);
}

BoxScratch *
box_scratch_new (BoxClient *client, BoxTransport *transport, const char *folder_id,
                 GCancellable *cancellable, GError **error)
{
  g_autofree char *directory = notes_directory ();
  g_autofree char *name = g_strdup_printf ("%d", getpid ());
  BoxScratch *scratch;

  if (g_mkdir_with_parents (directory, 0700) != 0)
    {
      box_fileio_set_error (error, errno, "create", directory);
      return NULL;
    }
  remove_what_was_left (client, transport, directory);
  scratch = g_new0 (BoxScratch, 1);
  scratch->client = box_client_ref (client);
  scratch->transport = transport;
  scratch->notes = g_build_filename (directory, name, NULL);
  scratch->sessions = g_ptr_array_new_with_free_func ((GDestroyNotify) box_session_free);
  if (make_folder (scratch, folder_id, cancellable, error))
    return scratch;
  box_scratch_clear (scratch);
  box_scratch_free (scratch);
  return NULL;
}

gboolean
box_scratch_clear (BoxScratch *scratch)
{
  gboolean cleared = TRUE;

  for (guint i = 0; i < scratch->sessions->len; i++)
    cleared = box_client_abort (scratch->client, scratch->transport, scratch->sessions->pdata[i],
                                NULL, NULL)
              && cleared;
  g_ptr_array_set_size (scratch->sessions, 0);
  if (scratch->folder_id != NULL)
    cleared = remove_folder (scratch->client, scratch->transport, scratch->folder_id) && cleared;
  if (cleared)
    (void) g_unlink (scratch->notes);
  return cleared;
}

void
box_scratch_free (BoxScratch *scratch)
{
  g_ptr_array_unref (scratch->sessions);
  box_client_unref (scratch->client);
  g_free (scratch->folder_id);
  g_free (scratch->notes);
  g_free (scratch);
}

const char *
box_scratch_get_folder (BoxScratch *scratch)
{
  return scratch->folder_id;
}

BoxSession *
box_scratch_create_session (BoxScratch *scratch, const char *name, const char *file_id,
                            guint64 size, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxDestination) destination =
      file_id != NULL ? box_destination_new_file (file_id, error)
                      : box_destination_new_folder (scratch->folder_id, name, error);
  g_autoptr (BoxSession) session = NULL;

  if (destination == NULL)
    return NULL;
  session = box_client_create_session (scratch->client, scratch->transport, destination, size,
                                       cancellable, error);
  if (session == NULL)
    return NULL;
  g_ptr_array_add (scratch->sessions, box_session_copy (session));
  return note (scratch, "session", session->id, error) ? g_steal_pointer (&session) : NULL;
}

void
box_scratch_abort (BoxScratch *scratch, const BoxSession *session)
{
  for (guint i = 0; i < scratch->sessions->len; i++)
    {
      BoxSession *open = scratch->sessions->pdata[i];

      if (g_str_equal (open->id, session->id)
          && box_client_abort (scratch->client, scratch->transport, open, NULL, NULL))
        {
          g_ptr_array_remove_index_fast (scratch->sessions, i);
          return;
        }
    }
}
