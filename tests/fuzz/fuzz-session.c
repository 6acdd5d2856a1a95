/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A reply that should be an upload session. */
#include "fuzz.h"

#include "api/session.h"
#include "base/json.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (JsonNode) node = box_json_parse (bytes, NULL);
  g_autoptr (BoxSession) session = node != NULL ? box_session_parse (node, NULL) : NULL;

  if (session == NULL)
    return 0;
  g_assert_cmpuint (session->part_size, >=, 1);
  g_assert_cmpuint (session->part_size, <=, BOX_SESSION_MAX_PART_SIZE);
  g_assert_cmpuint (session->total_parts, >=, 1);
  g_assert_true (box_session_fits (session, session->part_size * session->total_parts));
  box_session_check_endpoints (session, "https://upload.box.com/api/2.0", NULL);
  return 0;
}
