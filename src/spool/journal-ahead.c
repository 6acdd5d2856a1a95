/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The journal's records about parts that left before the size of the file was known. */
#include "spool/journal-ahead.h"

#include "base/json.h"

char *
box_journal_format_seed (const BoxSession *session, guint64 size)
{
  JsonObject *object = box_journal_new_record ("seed");

  box_journal_write_session (object, session, size);
  return box_journal_to_line (object);
}

char *
box_journal_format_ahead (const char *session_id, const BoxPart *part, gint64 time)
{
  JsonObject *object = box_journal_new_record ("ahead");

  box_journal_write_part (object, session_id, part);
  if (time >= 0)
    json_object_set_int_member (object, "time", time);
  return box_journal_to_line (object);
}

char *
box_journal_format_rewritten (guint64 offset)
{
  JsonObject *object = box_journal_new_record ("rewritten");

  json_object_set_int_member (object, "offset", (gint64) offset);
  return box_journal_to_line (object);
}

char *
box_journal_format_seed_aborted (void)
{
  return box_journal_to_line (box_journal_new_record ("seed-aborted"));
}

gboolean
box_journal_apply_seed (BoxJournalState *state, JsonObject *object)
{
  BoxSession *session = box_journal_read_session (object, &state->seed_size);

  g_clear_pointer (&state->seed, box_session_free);
  g_ptr_array_set_size (state->ahead, 0);
  state->seed_spoiled = FALSE;
  state->seed = session;
  return session != NULL;
}

gboolean
box_journal_apply_ahead (BoxJournalState *state, JsonObject *object)
{
  BoxPart *part = state->seed != NULL ? box_journal_read_part (object, state->seed->id) : NULL;

  if (part == NULL)
    return FALSE;
  g_ptr_array_add (state->ahead, part);
  return part->has_sha512;
}

gboolean
box_journal_apply_rewritten (BoxJournalState *state, JsonObject *object)
{
  guint64 offset;

  if (!box_json_get_uint64 (object, "offset", 0, G_MAXINT64, &offset, NULL))
    return FALSE;
  state->seed_spoiled = TRUE;
  for (guint i = state->ahead->len; i > 0; i--)
    if (((BoxPart *) g_ptr_array_index (state->ahead, i - 1))->offset == offset)
      g_ptr_array_remove_index (state->ahead, i - 1);
  return TRUE;
}

gboolean
box_journal_apply_seed_aborted (BoxJournalState *state, JsonObject *object)
{
  g_clear_pointer (&state->seed, box_session_free);
  g_ptr_array_set_size (state->ahead, 0);
  return TRUE;
}

/* A muxer may have come back to a part without a word in the journal, unless the stream has ended:
 * its SHA-512 is computed anew. */
void
box_journal_settle_ahead (BoxJournalState *state)
{
  for (guint i = 0; i < state->ahead->len; i++)
    {
      BoxPart *part = box_part_copy (g_ptr_array_index (state->ahead, i));

      part->has_sha512 &= state->ended;
      g_ptr_array_add (state->elsewhere, part);
    }
}
