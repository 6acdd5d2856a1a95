/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliTree: the regular files of a directory and of those below it. Symbolic links are not followed,
 * so that a walk ends, and takes nothing from elsewhere.
 */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

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

G_END_DECLS
