/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boxupload ls: what is in a folder.
 */
#include "base/text.h"
#include "cli/output.h"
#include "cli/command.h"

typedef struct
{
  Cli *cli;
  const char *folder_id;
  GHashTable *printed; /* ids: a list that is repeated begins anew */
} Listing;

static const char *
get_type (BoxItemKind kind)
{
  switch (kind)
    {
    case BOX_ITEM_FILE:
      return "file";
    case BOX_ITEM_FOLDER:
      return "folder";
    case BOX_ITEM_OTHER:
      break;
    }
  return "other";
}

static void
print_json (const BoxItem *item)
{
  g_autoptr (JsonBuilder) builder = cli_json_new ();

  cli_json_add_string (builder, "type", get_type (item->kind));
  cli_json_add_string (builder, "id", item->id);
  cli_json_add_string (builder, "name", item->name);
  if (item->kind == BOX_ITEM_FILE && item->has_size)
    cli_json_add_uint (builder, "size", item->size);
  if (item->has_sha1)
    cli_json_add_sha1 (builder, "sha1", &item->sha1);
  cli_json_add_string (builder, "modified_at", item->modified_at);
  cli_json_print (builder);
}

static void
print_text (const BoxItem *item)
{
  g_autofree char *name = box_text_escape (item->name);
  g_autofree char *size =
      item->kind == BOX_ITEM_FILE && item->has_size ? cli_format_bytes (item->size) : NULL;
  g_autofree char *time =
      item->modified_at != NULL ? g_strndup (item->modified_at, 19) : g_strdup ("-");

  cli_print ("%-14s %10s  %-19s  %s%s", item->id, size != NULL ? size : "-", time, name,
             item->kind == BOX_ITEM_FOLDER ? "/" : "");
}

static void
print_item (Cli *cli, const BoxItem *item)
{
  if (cli->options->json)
    print_json (item);
  else
    print_text (item);
}

static gboolean
on_item (const BoxItem *item, gpointer user_data)
{
  Listing *listing = user_data;

  if (g_hash_table_add (listing->printed, g_strdup (item->id)))
    print_item (listing->cli, item);
  return TRUE;
}

static gboolean
list (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Listing *listing = user_data;

  return box_client_visit_folder (listing->cli->client, listing->cli->transport, listing->folder_id,
                                  on_item, listing, cancellable, error);
}

static gboolean
run (Cli *cli, char **arguments, GError **error)
{
  g_autoptr (BoxItem) item = cli_place_find (cli, arguments[0] != NULL ? arguments[0] : "0", error);
  g_autoptr (GHashTable) printed = NULL;
  Listing listing;

  if (item == NULL)
    return FALSE;
  if (item->kind != BOX_ITEM_FOLDER)
    {
      print_item (cli, item);
      return TRUE;
    }
  printed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  listing = (Listing){ .cli = cli, .folder_id = item->id, .printed = printed };
  return cli_call (cli, list, &listing, CLI_CALL_RETRY_TIMEOUT, error);
}

const CliCommand cli_command_ls = {
  .name = "ls",
  .arguments = "[FOLDER_ID | box://FOLDER_ID/PATH]",
  .summary = "List what is in a folder at Box",
  .description =
      "Lists the folder (default: 0, the root), by its ID or by its path, of which the\n"
      "names are percent-encoded and found without regard to case: ID, size, time of\n"
      "modification and name; the name of a folder ends with a slash. If the path leads\n"
      "to a file, that file is listed.\n"
      "\n"
      "With --json: JSON Lines, each with type (file, folder, other), id, name, size,\n"
      "sha1, modified_at.\n"
      "\n"
      "Examples:\n"
      "  boxupload ls\n"
      "  boxupload ls box://0/Archive/2026\n"
      "  boxupload ls 1234 --json\n",
  .flags = CLI_COMMAND_CONNECTS,
  .min_arguments = 0,
  .max_arguments = 1,
  .run = run,
};
