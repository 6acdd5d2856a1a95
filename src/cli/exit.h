/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the program ends. Its exit codes are an interface that scripts rely on, documented in
 * boxupload(1): a code keeps its meaning. CliSignal is how SIGINT and SIGTERM end it in order.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * CliExit:
 * @CLI_EXIT_OK: done.
 * @CLI_EXIT_BUG: an unexpected failure: report it.
 * @CLI_EXIT_USAGE: an option, argument or setting is wrong.
 * @CLI_EXIT_CREDENTIALS: a token or its configuration is missing or was refused.
 * @CLI_EXIT_TRUST: the server's certificate is not trusted, or a credential would have been sent in
 * clear text.
 * @CLI_EXIT_FORBIDDEN: this identity may not do this.
 * @CLI_EXIT_NOT_FOUND: there is no such folder, file or session.
 * @CLI_EXIT_NAME_IN_USE: the folder has a file of this name.
 * @CLI_EXIT_SIZE: the bytes do not fit the declared size.
 * @CLI_EXIT_SPACE: no room at Box or on the disk.
 * @CLI_EXIT_SESSION_GONE: the session expired or failed.
 * @CLI_EXIT_CONFLICT: Box has something else there than was assumed.
 * @CLI_EXIT_INTEGRITY: the bytes at Box are not the bytes that were sent.
 * @CLI_EXIT_STORAGE: a local file cannot be read or written.
 * @CLI_EXIT_BUSY: another process has the recording.
 * @CLI_EXIT_UNALIGNED: no part of the session begins at this offset.
 * @CLI_EXIT_BEYOND_END: the offset is behind the end of the file.
 * @CLI_EXIT_OTHER_TOTAL: the session is for a file of another size.
 * @CLI_EXIT_TRY_AGAIN: the network or Box failed for the time being (EX_TEMPFAIL of sysexits.h).
 * @CLI_EXIT_INTERRUPTED: by SIGINT; 128 + the signal's number for others, as shells count.
 */
typedef enum
{
  CLI_EXIT_OK = 0,
  CLI_EXIT_BUG = 1,
  CLI_EXIT_USAGE = 2,
  CLI_EXIT_CREDENTIALS = 3,
  CLI_EXIT_TRUST = 4,
  CLI_EXIT_FORBIDDEN = 5,
  CLI_EXIT_NOT_FOUND = 6,
  CLI_EXIT_NAME_IN_USE = 7,
  CLI_EXIT_SIZE = 8,
  CLI_EXIT_SPACE = 9,
  CLI_EXIT_SESSION_GONE = 10,
  CLI_EXIT_CONFLICT = 11,
  CLI_EXIT_INTEGRITY = 12,
  CLI_EXIT_STORAGE = 13,
  CLI_EXIT_BUSY = 14,
  CLI_EXIT_UNALIGNED = 15,
  CLI_EXIT_BEYOND_END = 16,
  CLI_EXIT_OTHER_TOTAL = 17,
  CLI_EXIT_TRY_AGAIN = 75,
  CLI_EXIT_INTERRUPTED = 130,
} CliExit;

/* Failures that only the command line knows: what was said about a part is not so. Its codes are
 * CLI_EXIT_UNALIGNED, CLI_EXIT_BEYOND_END and CLI_EXIT_OTHER_TOTAL. */
#define CLI_PART_ERROR (cli_part_error_quark ())
GQuark cli_part_error_quark (void);

/* The exit code for @error; CLI_EXIT_OK for NULL. */
CliExit cli_exit_from_error (const GError *error);

/* The kind of failure as a word for machines: "name-in-use". */
const char *cli_exit_get_nick (const GError *error);

/*
 * CliSignal: turns SIGINT and SIGTERM into a cancelled GCancellable, so that every wait ends and
 * the program ends in order. A second signal has its default effect and ends the program at once.
 * One per process.
 */

typedef struct _CliSignal CliSignal;

/* BOX_ERROR_SPACE: the system has no thread for it. */
CliSignal *cli_signal_new (GError **error);
void cli_signal_free (CliSignal *signals);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSignal, cli_signal_free)

/* Owned by @signals. */
GCancellable *cli_signal_get_cancellable (CliSignal *signals);

/* The signal that has arrived; 0: no signal yet. */
int cli_signal_get_number (CliSignal *signals);

G_END_DECLS
