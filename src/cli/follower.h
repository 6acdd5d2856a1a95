/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliFollower: waits for the end of a file that another program writes, while its parts leave
 * (BoxFollow). The file may still be missing, be cut, renamed or replaced meanwhile.
 */
#pragma once

#include "cli/command.h"
#include "delivery/growing.h"

G_BEGIN_DECLS

/**
 * CliFollowRules:
 * @until_idle: seconds without a change after which the file is finished; 0: it is when no program
 *   has it open for writing any more.
 * @until_file: (nullable): it is finished when this file exists, and not before.
 * @no_ahead: nothing is sent before it is finished.
 * @expected_size: as for BoxFollow.
 * @account_file: likewise.
 */
typedef struct
{
  guint until_idle;
  const char *until_file;
  gboolean no_ahead;
  guint64 expected_size;
  const char *account_file;
} CliFollowRules;

typedef struct _CliFollower CliFollower;

/* @path: in the file system's encoding. @rules, and what they and @settings point to, have to live
 * as long. */
CliFollower *
cli_follower_new (const char *path, const CliFollowRules *rules, const BoxUploadSettings *settings);

typedef enum
{
  CLI_FOLLOW_WAITING, /* there is no such file yet */
  CLI_FOLLOW_GROWING,
  CLI_FOLLOW_FINISHED,
  CLI_FOLLOW_FAILED,
} CliFollowState;

/* Looks at the file; to be called about ten times a second until it is finished, or has failed with
 * @error: BOX_ERROR_STORAGE (it was removed, cannot be read), BOX_ERROR_SETTINGS (who has it open
 * is not known here), or Box's refusal. */
CliFollowState cli_follower_look (CliFollower *follower, GError **error);

/* Bytes of the file, and those of them that have left, when it was looked at last. */
guint64 cli_follower_get_size (CliFollower *follower);
guint64 cli_follower_get_sent (CliFollower *follower);

/* When it is finished: its path now, which may be another name in the same place. Free with
 * g_free(). */
char *cli_follower_dup_path (CliFollower *follower);

/* When it is finished: the file, which stays @follower's; and what has left of it. */
int cli_follower_get_fd (CliFollower *follower);
BoxFollow *cli_follower_get_follow (CliFollower *follower);

void cli_follower_free (CliFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliFollower, cli_follower_free)

/* Whether a program has @fd, which was opened for reading, open for writing. FALSE with *@known
 * FALSE: this file system, or this user, does not get to know. SIGIO has to be ignored. */
gboolean cli_follower_has_writer (int fd, gboolean *known);

G_END_DECLS
