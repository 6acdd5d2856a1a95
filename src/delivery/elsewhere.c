/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "delivery/elsewhere.h"

#include "api/account.h"

static gpointer
copy_part (gconstpointer part, gpointer user_data)
{
  return box_part_copy (part);
}

/* By offset; of two that are the same, the one whose SHA-512 is known. */
static gint
compare_parts (gconstpointer a, gconstpointer b)
{
  const BoxPart *left = *(BoxPart *const *) a, *right = *(BoxPart *const *) b;

  if (left->offset != right->offset)
    return left->offset < right->offset ? -1 : 1;
  return (right->has_sha512 ? 1 : 0) - (left->has_sha512 ? 1 : 0);
}

GPtrArray *
box_elsewhere_find_parts (const BoxElsewhere *elsewhere, BoxRecording *recording,
                          const BoxSession *session)
{
  g_autoptr (BoxJournalState) now = box_recording_get_state (recording);
  GPtrArray *parts;

  if (elsewhere->refused)
    return g_ptr_array_new ();
  parts = g_ptr_array_copy (now->elsewhere, copy_part, NULL);
  for (guint i = 0; i < now->parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (now->parts, i);

      if (session == NULL || part->has_sha512)
        g_ptr_array_add (parts, box_part_copy (part));
    }
  g_ptr_array_sort (parts, compare_parts);
  return parts;
}

void
box_elsewhere_add (BoxElsewhere *elsewhere, BoxUpload *upload)
{
  BoxUploadStats stats;

  box_upload_get_stats (upload, &stats);
  elsewhere->asked += stats.parts_asked;
  elsewhere->hit += stats.parts_hit;
  elsewhere->refused |= stats.hits_refused;
}

void
box_elsewhere_note (const BoxElsewhere *elsewhere, const char *account_file, BoxClient *client)
{
  const char *reason = elsewhere->refused ? "a commit did not take the parts that its session's "
                                            "plan had found"
                                          : "no part that was sent ahead was found";
  g_autoptr (GError) error = NULL;

  if (elsewhere->asked == 0 || (elsewhere->hit > 0 && !elsewhere->refused))
    return;
  if (!box_account_set_plan (account_file, client, BOX_PLAN_SCOPE_NONE, "settle", reason, &error))
    g_info ("%s", error->message);
}
