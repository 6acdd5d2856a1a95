/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CliOptions: the options that commands share, named like the element's properties. There is no
 * option for an access token, because everybody on the machine can read a command line.
 */
#pragma once

#include "delivery/recovery.h"
#include "spool/spool.h"
#include "upload/upload.h"

G_BEGIN_DECLS

/* As the command line gave them; NULL, 0 or -1: not given. Owned by the caller:
 * cli_options_clear(). */
typedef struct
{
  gboolean json;

  /* spool */
  char *spool_dir;
  char *account_file; /* not an option: always the default one */
  BoxKeep keep;

  /* connection */
  char *endpoint;
  char *api_endpoint;
  char *token_file;
  char *auth_config;
  char *as_user;
  char *ca_file;
  char *proxy;
  int timeout;
  int retry_timeout;

  /* transfer */
  int parallel;
  char *upload_rate;
  char *digest_engine;

  /* upload */
  char *if_exists;
  char *on_error;
  char *max_memory;
  char *description;
  char *content_created_at;
  char *content_modified_at;
  char **metadata; /* pairs */
  char *metadata_template;
  BoxMetadata *parsed_metadata; /* of these two; NULL: none */
} CliOptions;

/* Begins with nothing given; frees what was. */
void cli_options_init (CliOptions *options);
void cli_options_clear (CliOptions *options);

/* Groups for a GOptionContext, which takes them; their options are written to @options. */
/* @finishes: with those of the commands that finish recordings. */
GOptionGroup *cli_options_new_spool_group (CliOptions *options, gboolean finishes);
GOptionGroup *cli_options_new_connection_group (CliOptions *options);
GOptionGroup *cli_options_new_transfer_group (CliOptions *options);
GOptionGroup *cli_options_new_upload_group (CliOptions *options);

/* The strings stay @options's. */
gboolean cli_options_get_client_settings (const CliOptions *options, BoxClientSettings *settings,
                                          GError **error);

/* Box says at the commit what is wrong with them, when all bytes are sent. */
gboolean cli_options_check_attributes (const BoxAttributes *attributes, GError **error);

/* All but the client, the destination and the size. The strings stay @options's. */
gboolean cli_options_get_upload_settings (const CliOptions *options, BoxUploadSettings *settings,
                                          GError **error);

/* How recordings are finished; @client is borrowed. */
gboolean cli_options_get_recovery_settings (const CliOptions *options, BoxClient *client,
                                            BoxRecoverySettings *settings, GError **error);

/* The options that say where a new file goes; all but name may be NULL. */
typedef struct
{
  char *folder;
  char *folder_path;
  gboolean no_create; /* missing folders of the path are not made */
} CliPlace;

/* Their entries in a table of options, of which @place is a static variable. */
#define CLI_PLACE_ENTRIES(place)                                                                   \
  { "folder",                                                                                      \
    'f',                                                                                           \
    0,                                                                                             \
    G_OPTION_ARG_STRING,                                                                           \
    &(place).folder,                                                                               \
    "Folder to upload into (default: 0, the root)",                                                \
    "ID" },                                                                                        \
      { "folder-path",                                                                             \
        0,                                                                                         \
        0,                                                                                         \
        G_OPTION_ARG_STRING,                                                                       \
        &(place).folder_path,                                                                      \
        "Path of a folder below it, such as Archive/2026",                                         \
        "PATH" },                                                                                  \
  {                                                                                                \
    "no-create-folders", 0, 0, G_OPTION_ARG_NONE, &(place).no_create,                              \
        "Do not make missing folders of --folder-path", NULL                                       \
  }

/* The file @name there. BOX_ERROR_SETTINGS. */
BoxDestination *
cli_options_new_destination (const CliPlace *place, const char *name, GError **error);

/* The same in @folders (nullable) below it. */
BoxDestination *cli_options_new_destination_below (const CliPlace *place, char *const *folders,
                                                   const char *name, GError **error);

/* Whether any of them was given. */
gboolean cli_options_has_place (const CliPlace *place);

/* Whether --if-exists is "skip": a file that Box has already under its name is not sent. The upload
 * settings then say BOX_IF_EXISTS_ERROR. */
gboolean cli_options_skips_same (const CliOptions *options);

/* @text (nullable: error) as --if-exists of recordings takes it: without "skip". */
gboolean cli_options_parse_if_exists (const char *text, BoxIfExists *if_exists, GError **error);

/* The connection options that were given, each with a space in front, as a shell takes them. Free
 * with g_free(). */
char *cli_options_format_connection (const CliOptions *options);

/* The same of those that say how a file is sent, and what it has at Box. */
char *cli_options_format_transfer (const CliOptions *options);

/* The directory of recordings that the command's argument (nullable) or --spool-dir names, or the
 * default one. Free with g_free(). */
char *cli_options_get_spool_dir (const CliOptions *options, const char *argument, GError **error);

/* Opens the spool @dir. If the default directory does not exist, returns TRUE with *@spool NULL; a
 * directory that was named must exist. */
gboolean cli_options_open_spool (const CliOptions *options, const char *argument, const char *dir,
                                 BoxSpool **spool, GError **error);

/* Seconds: --retry-timeout, or @fallback. */
guint cli_options_get_retry_timeout (const CliOptions *options, guint fallback);

/* How a stream of unknown size gets to Box, as the element's property says. */
typedef enum
{
  CLI_UNKNOWN_SIZE_SPOOL,
  CLI_UNKNOWN_SIZE_LIVE,
  CLI_UNKNOWN_SIZE_AHEAD, /* the spool, with ahead=true */
} CliUnknownSize;

/* @text (nullable: SPOOL) as --unknown-size takes it. */
gboolean cli_options_parse_unknown_size (const char *text, CliUnknownSize *how, GError **error);

/* A number of bytes: digits and an optional unit, kB MB GB TB (1000), KiB MiB GiB TiB or K M G T
 * (1024). @what names the option in the error. */
gboolean cli_options_parse_size (const char *text, const char *what, guint64 *size, GError **error);

G_END_DECLS
