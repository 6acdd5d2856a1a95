/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliOutside: what the daemon shows and tells besides its output: the status over HTTP
 * (status/server.h) and the hook (cli/hook.h). Each is there only if it was asked for.
 */
#pragma once

#include "api/file.h"
#include "cli/command.h"
#include "spool/spool.h"

G_BEGIN_DECLS

/* As the command line gave them; NULL: not given. */
typedef struct
{
  char *http;
  char *http_token_file;
  char *hook;
} CliOutsideOptions;

typedef struct _CliOutside CliOutside;

/* @dir: of @spool. BOX_ERROR_SETTINGS; BOX_ERROR_CREDENTIALS: the token's file cannot be read. */
CliOutside *cli_outside_new (Cli *cli, const CliOutsideOptions *options, BoxSpool *spool,
                             const char *dir, GError **error);
void cli_outside_free (CliOutside *outside);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliOutside, cli_outside_free)

/* The recording @name is at work now. */
void cli_outside_tell_begun (CliOutside *outside, const char *name);

/* It is not any more: Box has @file (nullable: no file was made). */
void cli_outside_tell_done (CliOutside *outside, const char *name, const BoxFile *file);

/* It failed; @wait: seconds until the next attempt. @again: the last attempt failed likewise, or
 * the network did: the hook is told only of a new refusal. */
void cli_outside_tell_failed (CliOutside *outside, const char *name, const GError *failure,
                              guint wait, gboolean again);

G_END_DECLS
