/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliCommand: one command of boxupload: its text for --help, its options, and its function. And
 * what several commands use: calls to Box, and what their arguments name: standard input, a
 * directory, an item at Box.
 */
#pragma once

#include "api/client.h"
#include "api/folder.h"
#include "base/digest.h"
#include "base/retry.h"
#include "cli/exit.h"
#include "cli/options.h"

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

/* box_client_list_parts(). */
GPtrArray *
cli_call_list_parts (Cli *cli, const BoxSession *session, guint *n_listed, GError **error);

/* The file as it is now. */
BoxFile *cli_call_get_file (Cli *cli, const char *file_id, GError **error);

/*
 * Standard input and other files without a known size, read in the way that a signal can interrupt.
 */

/* The name of standard input in messages, and as an argument. */
#define CLI_INPUT_NAME     "Standard input"
#define CLI_INPUT_ARGUMENT "-"

/**
 * cli_input_read:
 * @name: of @fd, for errors.
 * @n: (out): bytes read; 0 at the end.
 *
 * Reads at most @length bytes as soon as there are some. FALSE with BOX_ERROR_CANCELLED as soon as
 * @cancellable is cancelled, or with BOX_ERROR_STORAGE.
 */
gboolean cli_input_read (int fd, const char *name, guint8 *buffer, gsize length, gsize *n,
                         GCancellable *cancellable, GError **error);

/* The SHA-1 and the size of the file @path. Errors as above. */
gboolean cli_input_digest (const char *path, BoxSha1 *sha1, guint64 *size,
                           GCancellable *cancellable, GError **error);

/*
 * CliTree: the regular files of a directory and of those below it. Symbolic links are not followed,
 * so that a walk ends, and takes nothing from elsewhere.
 */

/* One file, or why something could not be read. */
typedef struct
{
  char *path;      /* in the file system's encoding */
  char **folders;  /* names of the directories that it is in, outermost first; maybe none */
  GError *failure; /* nullable: it is not a file that can be read */
} CliTreeFile;

void cli_tree_file_free (CliTreeFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTreeFile, cli_tree_file_free)

/* (element-type CliTreeFile): the files of the directory @path, by name, those of a directory after
 * its own. The name of @path is the first of their folders, unless @path ends with a slash or a
 * dot: then it is what is in it that counts. What is neither a file nor a directory is a failure of
 * its own. */
GPtrArray *cli_tree_list (const char *path);

/* What an argument of ls and get names at Box: an ID, or box://FOLDER_ID/PATH; and whether there is
 * room for what put and create want to send. */

/* The item at box://FOLDER_ID/PATH; for FOLDER_ID alone the folder, of which only kind and id are
 * set. NOT_FOUND names the first name that is missing. */
BoxItem *cli_place_find (Cli *cli, const char *place, GError **error);

/* Whether @text is a path, and not an ID. */
gboolean cli_place_is_path (const char *text);

/* Warns if a file of @largest bytes, or @total bytes together, are too much for the account. Box
 * decides. What any account takes is not asked about. */
void cli_place_warn_of_room (Cli *cli, guint64 largest, guint64 total);

G_END_DECLS
