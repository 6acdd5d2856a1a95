/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/exit.h"

#include "base/error.h"

typedef struct
{
  CliExit code;
  const char *nick;
} ExitEntry;

/* Indexed by BoxErrorCode. */
static const ExitEntry exits[] = {
  [BOX_ERROR_TRANSIENT] = { CLI_EXIT_TRY_AGAIN, "transient" },
  [BOX_ERROR_CREDENTIALS] = { CLI_EXIT_CREDENTIALS, "credentials" },
  [BOX_ERROR_TRUST] = { CLI_EXIT_TRUST, "trust" },
  [BOX_ERROR_FORBIDDEN] = { CLI_EXIT_FORBIDDEN, "forbidden" },
  [BOX_ERROR_NOT_FOUND] = { CLI_EXIT_NOT_FOUND, "not-found" },
  [BOX_ERROR_NAME_IN_USE] = { CLI_EXIT_NAME_IN_USE, "name-in-use" },
  [BOX_ERROR_SETTINGS] = { CLI_EXIT_USAGE, "settings" },
  [BOX_ERROR_SIZE] = { CLI_EXIT_SIZE, "size" },
  [BOX_ERROR_SPACE] = { CLI_EXIT_SPACE, "space" },
  [BOX_ERROR_SESSION_GONE] = { CLI_EXIT_SESSION_GONE, "session-gone" },
  [BOX_ERROR_CONFLICT] = { CLI_EXIT_CONFLICT, "conflict" },
  [BOX_ERROR_INTEGRITY] = { CLI_EXIT_INTEGRITY, "integrity" },
  [BOX_ERROR_STORAGE] = { CLI_EXIT_STORAGE, "storage" },
  [BOX_ERROR_PROTOCOL] = { CLI_EXIT_BUG, "protocol" },
  [BOX_ERROR_CANCELLED] = { CLI_EXIT_INTERRUPTED, "interrupted" },
  [BOX_ERROR_BUSY] = { CLI_EXIT_BUSY, "busy" },
};

static const ExitEntry *
find_exit (const GError *error)
{
  static const ExitEntry usage = { CLI_EXIT_USAGE, "usage" };
  static const ExitEntry bug = { CLI_EXIT_BUG, "bug" };

  /* GOption's own word for arguments that are not text. */
  if (error->domain == G_OPTION_ERROR || error->domain == G_CONVERT_ERROR)
    return &usage;
  if (error->domain == BOX_ERROR && error->code >= 0 && error->code < (gint) G_N_ELEMENTS (exits))
    return &exits[error->code];
  return &bug;
}

CliExit
cli_exit_from_error (const GError *error)
{
  return error != NULL ? find_exit (error)->code : CLI_EXIT_OK;
}

const char *
cli_exit_get_nick (const GError *error)
{
  return find_exit (error)->nick;
}
