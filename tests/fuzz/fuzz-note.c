/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The note of an upload session: refused, or with a size, a destination and the session that it was
 * asked for.
 */
#include "fuzz.h"

#include "spool/note.h"

#define SESSION "F971964745A5CD0C001BBE4E58196BFD"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (BoxNote) note = box_note_parse ((const char *) data, size, SESSION);
  g_autoptr (BoxNote) other = box_note_parse ((const char *) data, size, "D5E3F7A");

  g_assert_true (note == NULL || other == NULL);
  if (note == NULL)
    return 0;
  g_assert_cmpstr (note->session_id, ==, SESSION);
  g_assert_cmpuint (note->size, >=, 1);
  g_assert_cmpuint (note->size, <=, G_MAXINT64);
  g_assert_true (note->destination->kind == BOX_DESTINATION_FOLDER
                 || note->destination->kind == BOX_DESTINATION_FILE);
  if (note->destination->kind == BOX_DESTINATION_FOLDER)
    g_assert_true (box_destination_check_name (note->destination->name, NULL));
  return 0;
}
