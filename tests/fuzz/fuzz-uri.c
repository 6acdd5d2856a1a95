/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A box:// URI: what is taken comes back the same. */
#include "fuzz.h"

#include "api/destination.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *uri = g_strndup ((const char *) data, size);
  g_autoptr (BoxDestination) destination = box_destination_new_from_uri (uri, NULL);
  g_autoptr (BoxDestination) again = NULL;
  g_autofree char *back = NULL;

  if (destination == NULL)
    return 0;
  back = box_destination_to_uri (destination);
  again = box_destination_new_from_uri (back, NULL);
  g_assert_nonnull (again);
  g_assert_cmpstr (again->folder_id, ==, destination->folder_id);
  g_assert_true (box_destination_is_same_name (again, destination));
  return 0;
}
