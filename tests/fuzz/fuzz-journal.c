/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recording's journal: as it is, and again with every line given a right checksum (a line is then
 * what stands before it), so that what is behind the checksum is reached, too.
 */
#include "fuzz.h"

#include "spool/journal.h"

static void
replay (const char *text, gsize length)
{
  g_autoptr (BoxJournalState) state = box_journal_replay (text, length);
  g_autoptr (BoxJournalState) copy = box_journal_state_copy (state);
  guint64 end = 0;

  g_assert_cmpuint (state->valid_length, <=, length);
  g_assert_true (state->session != NULL || state->parts->len == 0);
  g_assert_cmpuint (copy->parts->len, ==, state->parts->len);
  for (guint i = 0; i < state->parts->len; i++)
    {
      const BoxPart *part = state->parts->pdata[i];

      g_assert_cmpuint (part->offset % state->session->part_size, ==, 0);
      g_assert_cmpuint (part->offset, >=, end);
      end = part->offset + part->size;
      g_assert_cmpuint (end, <=, state->session_size);
    }
  if (state->session != NULL)
    g_assert_true (box_session_fits (state->session, state->session_size));
  if (state->ended)
    g_assert_cmpuint (state->end.size, <=, state->end.total);
  if (state->intent != NULL)
    g_free (box_journal_format_intent (state->intent));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) checked = g_string_new (NULL);

  replay ((const char *) data, size);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA1, lines[i], -1);

      g_string_append_printf (checked, "%s,\"check\":\"%.8s\"}\n", lines[i], sum);
    }
  replay (checked->str, checked->len);
  return 0;
}
