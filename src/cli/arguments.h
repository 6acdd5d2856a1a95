/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is checked of every command line before the command runs: how many arguments it has, and
 * that none of them, and no option's value, is empty.
 */
#pragma once

#include "cli/command.h"

G_BEGIN_DECLS

/* @n: arguments without the options. BOX_ERROR_SETTINGS. */
gboolean cli_arguments_check_number (const CliCommand *command, guint n, GError **error);

/* Refuses empty arguments, and options of @arguments (as they were typed) whose value is empty:
 * those of an unset variable of a script, which would choose another file, spool or server.
 * BOX_ERROR_SETTINGS. */
gboolean cli_arguments_check_empty (char *const *arguments, GError **error);

/* GOption leaves the "--" that ends the options if an argument behind it begins with a dash. */
void cli_arguments_drop_separator (char **arguments);

G_END_DECLS
