/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "upload/upload.h"

/* A file rests for this time before it is finished: programs close and open it again. Microseconds.
 */
#define REST_TIME G_USEC_PER_SEC

/* The time to abort the session of a file that is not followed any more. Microseconds. */
#define CLEAN_UP_TIME (5 * G_USEC_PER_SEC)

struct _CliFollower
{
  /* immutable */
  char *path;
  const CliFollowRules *rules;
  BoxUploadSettings settings;

  int fd;            /* -1: not there yet */
  BoxFollow *follow; /* of fd */
  struct stat last;
  gint64 changed_at; /* monotonic */
};

CliFollower *
cli_follower_new (const char *path, const CliFollowRules *rules, const BoxUploadSettings *settings)
{
  CliFollower *follower = g_new0 (CliFollower, 1);

  follower->path = g_strdup (path);
  follower->rules = rules;
  follower->settings = *settings;
  follower->fd = -1;
  return follower;
}

static void
close_file (CliFollower *follower)
{
  g_clear_pointer (&follower->follow, box_follow_free);
  if (follower->fd >= 0)
    close (follower->fd);
  follower->fd = -1;
  memset (&follower->last, 0, sizeof follower->last);
}

void
cli_follower_free (CliFollower *follower)
{
  if (follower == NULL)
    return;
  close_file (follower);
  g_free (follower->path);
  g_free (follower);
}

/* ---- the file ---- */

/* FALSE without @error: there is no such file yet. */
static gboolean
open_file (CliFollower *follower, GError **error)
{
  const CliFollowRules *rules = follower->rules;
  struct stat status = { 0 };
  int fd = TEMP_FAILURE_RETRY (open (follower->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));

  if (fd < 0 && errno == ENOENT)
    return FALSE;
  if (fd < 0 || fstat (fd, &status) < 0)
    g_set_error (error, BOX_ERROR, BOX_ERROR_STORAGE, "The file cannot be read: %s",
                 g_strerror (errno));
  else if (!S_ISREG (status.st_mode))
    g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE,
                         "This is no regular file; upload a pipe with boxupload put -");
  else
    {
      follower->fd = fd;
      follower->last = status;
      follower->changed_at = g_get_monotonic_time ();
      follower->follow = box_follow_new (fd, rules->no_ahead ? NULL : &follower->settings,
                                         rules->expected_size, rules->account_file);
      return TRUE;
    }
  if (fd >= 0)
    close (fd);
  return FALSE;
}

/* A file that has lost its last name was removed, or another one has taken its place: that one is
 * followed then. */
static gboolean
check_name (CliFollower *follower, GError **error)
{
  struct stat other;

  if (follower->last.st_nlink > 0)
    return TRUE;
  if (lstat (follower->path, &other) == 0)
    {
      cli_follower_settle (follower, NULL, g_get_monotonic_time () + CLEAN_UP_TIME);
      close_file (follower);
      return open_file (follower, error) || *error == NULL;
    }
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_STORAGE,
                       "The file was removed before it was finished");
  return FALSE;
}

static void
note_change (CliFollower *follower, const struct stat *now)
{
  if (box_feed_has_changed (&follower->last, now))
    follower->changed_at = g_get_monotonic_time ();
  follower->last = *now;
}

/* ---- its end ---- */

gboolean
cli_follower_has_writer (int fd, gboolean *known)
{
  /* The kernel gives a lease for reading only if nobody has the file open for writing. */
  *known = TRUE;
  if (fcntl (fd, F_SETLEASE, F_RDLCK) == 0)
    {
      fcntl (fd, F_SETLEASE, F_UNLCK);
      return FALSE;
    }
  if (errno == EAGAIN)
    return TRUE;
  *known = FALSE;
  return FALSE;
}

static gboolean
is_finished (CliFollower *follower, GError **error)
{
  const CliFollowRules *rules = follower->rules;
  gint64 rested = g_get_monotonic_time () - follower->changed_at;
  gboolean known;

  if (rules->until_file != NULL && g_file_test (rules->until_file, G_FILE_TEST_EXISTS))
    return TRUE;
  if (rules->until_idle > 0)
    return rested >= rules->until_idle * G_USEC_PER_SEC;
  if (rules->until_file != NULL || rested < REST_TIME
      || cli_follower_has_writer (follower->fd, &known))
    return FALSE;
  if (known)
    return TRUE;
  g_set_error (error, BOX_ERROR, BOX_ERROR_SETTINGS,
               "Whether another program still writes this file is not known (%s): say when it is "
               "finished, with --until-idle or --until-file",
               g_strerror (errno));
  return FALSE;
}

CliFollowState
cli_follower_look (CliFollower *follower, GError **error)
{
  GError *failure = NULL;
  struct stat now;
  gboolean finished = FALSE;

  if (follower->fd < 0 && !open_file (follower, &failure) && failure == NULL)
    return CLI_FOLLOW_WAITING;
  if (failure == NULL && box_follow_look (follower->follow, &now, &failure))
    {
      note_change (follower, &now);
      if (check_name (follower, &failure) && follower->fd >= 0)
        finished = is_finished (follower, &failure);
    }
  if (failure != NULL)
    {
      g_propagate_error (error, failure);
      return CLI_FOLLOW_FAILED;
    }
  if (!finished)
    return CLI_FOLLOW_GROWING;
  box_follow_finish (follower->follow);
  return CLI_FOLLOW_FINISHED;
}

/* ---- what is known of it ---- */

guint64
cli_follower_get_size (CliFollower *follower)
{
  return (guint64) follower->last.st_size;
}

guint64
cli_follower_get_sent (CliFollower *follower)
{
  return follower->follow != NULL ? box_follow_get_bytes (follower->follow) : 0;
}

char *
cli_follower_dup_path (CliFollower *follower)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", follower->fd);
  g_autofree char *path = g_file_read_link (link, NULL);
  struct stat there;

  /* A name that is not the file's any more has a word behind it. */
  if (path != NULL && stat (path, &there) == 0 && there.st_ino == follower->last.st_ino
      && there.st_dev == follower->last.st_dev)
    return g_steal_pointer (&path);
  return g_strdup (follower->path);
}

int
cli_follower_get_fd (CliFollower *follower)
{
  return follower->fd;
}

BoxFollow *
cli_follower_get_follow (CliFollower *follower)
{
  return follower->follow;
}

void
cli_follower_settle (CliFollower *follower, const BoxUploadStats *stats, gint64 until)
{
  if (follower->follow != NULL)
    box_follow_settle (follower->follow, stats, until);
}
