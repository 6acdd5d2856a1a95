/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliCommand: one command of boxupload: its text for --help, its options, and its
 * function.
 */
#pragma once

#include "api/client.h"
#include "base/retry.h"
#include "cli/options.h"
#include "cli/signals.h"

G_BEGIN_DECLS

/* The context of a command; everything is borrowed. */
typedef struct
{
  const CliOptions *options;
  CliSignal *signals;
  GCancellable *cancellable; /* theirs: SIGINT and SIGTERM */
  BoxClient *client;         /* NULL for commands without CLI_COMMAND_CONNECTS */
  BoxTransport *transport;   /* this thread's; likewise */
  gboolean told;             /* set by the command: its failures have been printed as JSON */
} Cli;

typedef enum
{
  CLI_COMMAND_CONNECTS = 1 << 0,  /* has the connection options, and a client */
  CLI_COMMAND_TRANSFERS = 1 << 1, /* has the transfer options */
  CLI_COMMAND_UPLOADS = 1 << 2,   /* has the options of a file at Box */
  CLI_COMMAND_SPOOLS = 1 << 3,    /* has a directory of recordings */
} CliCommandFlags;

/**
 * CliCommand:
 * @arguments: as the usage line shows them.
 * @summary: one line.
 * @description: the rest of --help: what it prints, and examples.
 * @entries: the command's own options; they point to variables of its file.
 * @min_arguments, @max_arguments: how many it takes.
 * @run: does it; @arguments has a NULL at its end. FALSE exactly when @error is set.
 */
typedef struct
{
  const char *name;
  const char *arguments;
  const char *summary;
  const char *description;
  CliCommandFlags flags;
  const GOptionEntry *entries;
  guint min_arguments;
  guint max_arguments;
  gboolean (*run) (Cli *cli, char **arguments, GError **error);
} CliCommand;

extern const CliCommand cli_command_abort;
extern const CliCommand cli_command_commit;
extern const CliCommand cli_command_create;
extern const CliCommand cli_command_follow;
extern const CliCommand cli_command_part;
extern const CliCommand cli_command_get;
extern const CliCommand cli_command_ls;
extern const CliCommand cli_command_parts;
extern const CliCommand cli_command_probe;
extern const CliCommand cli_command_put;
extern const CliCommand cli_command_resume;
extern const CliCommand cli_command_spool;
extern const CliCommand cli_command_status;
extern const CliCommand cli_command_token;
extern const CliCommand cli_command_watch;
extern const CliCommand cli_command_whoami;

/* The calls to Box that several commands make (cli/call.c). Transient failures are retried, and
 * each retry is reported on stderr, so that the user knows why it takes long. */

/* Default --retry-timeout of such a call: a user waits for it. Seconds. */
#define CLI_CALL_RETRY_TIMEOUT 60

/* box_call() for as long as --retry-timeout says, or @retry_timeout seconds. */
gboolean
cli_call (Cli *cli, BoxCallFunc function, gpointer user_data, guint retry_timeout, GError **error);

/* Refuses an invalid session ID without a request. */
BoxSession *cli_call_get_session (Cli *cli, const char *session_id, GError **error);

/* BoxPart entries by offset, with free function. */
GPtrArray *cli_call_list_parts (Cli *cli, const BoxSession *session, GError **error);

/* The file as it is now. */
BoxFile *cli_call_get_file (Cli *cli, const char *file_id, GError **error);

G_END_DECLS
