/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/command.h"

#include "api/folder.h"
#include "api/account.h"
#include "base/text.h"
#include "cli/output.h"

/* The smallest limit of an account is 250 MB. Bytes. */
#define WORTH_ASKING 100000000

typedef struct
{
  Cli *cli;
  const char *folder_id;
  char **names; /* of folders */
  char *last;   /* of the item; NULL: the folder itself */
  BoxItem *item;
} Search;

gboolean
cli_place_is_path (const char *text)
{
  return g_ascii_strncasecmp (text, "box://", 6) == 0;
}

static void
set_missing (GError **error, const char *folder_id, const char *name)
{
  g_autofree char *shown = box_text_escape (name);

  g_set_error (error, BOX_ERROR, BOX_ERROR_NOT_FOUND, "There is no “%s” in folder %s", shown,
               folder_id);
}

static gboolean
search (gpointer user_data, GCancellable *cancellable, GError **error)
{
  Search *self = user_data;
  g_autoptr (GError) failure = NULL;
  g_autofree char *id =
      box_folder_path_resolve (self->cli->client, self->cli->transport, self->folder_id,
                               (const char *const *) self->names, FALSE, NULL, cancellable, error);

  if (id == NULL)
    return FALSE;
  if (self->last == NULL)
    {
      self->item = g_new0 (BoxItem, 1);
      self->item->kind = BOX_ITEM_FOLDER;
      self->item->id = g_steal_pointer (&id);
      return TRUE;
    }
  self->item = box_client_find_item (self->cli->client, self->cli->transport, id, self->last,
                                     cancellable, &failure);
  if (self->item != NULL)
    return TRUE;
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    set_missing (error, id, self->last);
  return FALSE;
}

BoxItem *
cli_place_find (Cli *cli, const char *place, GError **error)
{
  g_autofree char *folder_id = NULL, *last = NULL;
  g_auto (GStrv) names = NULL;
  Search self = { .cli = cli };
  guint n;

  if (!box_destination_parse_place (place, &folder_id, &names, error))
    return NULL;
  n = g_strv_length (names);
  if (n > 0)
    last = g_steal_pointer (&names[n - 1]);
  self.folder_id = folder_id;
  self.names = names;
  self.last = last;
  return cli_call (cli, search, &self, CLI_CALL_RETRY_TIMEOUT, error) ? self.item : NULL;
}

void
cli_place_warn_of_room (Cli *cli, guint64 largest, guint64 total)
{
  g_autofree char *lack = NULL;
  BoxRoom room;

  /* Without an answer, or the right to ask, Box says it when the upload opens. */
  if (total < WORTH_ASKING
      || !box_client_get_room (cli->client, cli->transport, &room, cli->cancellable, NULL))
    return;
  lack = box_room_describe_lack (&room, largest, total);
  if (lack != NULL)
    cli_complain ("This may be too much for Box: %s", lack);
}
