/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/profile.h"

#include "emulator/base/json.h"

struct _EmuProfile
{
  JsonObject *object; /* NULL: says nothing */
};

/* The wrong requests that a probe makes, and what they are refused for here. */
static const struct
{
  const char *name;
  const char *route;
  const char *code;
} answers[] = {
  { "wrong_digest", "upload_part", "digest_mismatch" },
  { "wrong_total", "upload_part", "invalid_range" },
  { "short_commit", "commit", "parts_mismatch" },
  { "wrong_commit", "commit", "digest_mismatch" },
  { "second_commit", "commit", "item_name_in_use" },
};

EmuProfile *
emu_profile_new (const char *text, GError **error)
{
  g_autoptr (EmuProfile) profile = g_new0 (EmuProfile, 1);

  if (text == NULL)
    return g_steal_pointer (&profile);
  profile->object = emu_json_parse (text, -1);
  if (emu_json_int (profile->object, "version", 0) == 1)
    return g_steal_pointer (&profile);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       "this is not a profile that boxupload probe wrote");
  return NULL;
}

void
emu_profile_free (EmuProfile *profile)
{
  g_clear_pointer (&profile->object, json_object_unref);
  g_free (profile);
}

/* The row of the largest file that is not larger. */
guint64
emu_profile_get_part_size (const EmuProfile *profile, guint64 size, guint64 fallback)
{
  JsonArray *rows = emu_json_array (profile->object, "part_sizes");
  guint64 found = fallback;

  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      gint64 part_size = emu_json_int (row, "part_size", 0);

      if (part_size > 0 && (i == 0 || emu_json_int (row, "file_size", G_MAXINT64) <= (gint64) size))
        found = (guint64) part_size;
    }
  return found;
}

gboolean
emu_profile_get_plan (const EmuProfile *profile, BoxEmulatorPlan *scope, guint *delay)
{
  const char *plan = emu_json_string (profile->object, "plan");

  if (plan == NULL)
    return FALSE;
  *delay = (guint) emu_json_int (profile->object, "plan_delay", 0);
  if (!emu_json_boolean (profile->object, "has_plan", TRUE))
    *scope = BOX_EMULATOR_PLAN_ABSENT;
  else if (!emu_json_boolean (profile->object, "commit_takes_hits", TRUE))
    *scope = BOX_EMULATOR_PLAN_LYING;
  else if (g_str_equal (plan, "account"))
    *scope = *delay > 0 ? BOX_EMULATOR_PLAN_LATE : BOX_EMULATOR_PLAN_ACCOUNT;
  else if (g_str_equal (plan, "file"))
    *scope = BOX_EMULATOR_PLAN_FILE;
  else
    *scope = g_str_equal (plan, "session") ? BOX_EMULATOR_PLAN_SESSION : BOX_EMULATOR_PLAN_NONE;
  return TRUE;
}

void
emu_profile_translate (const EmuProfile *profile, const char *route, guint *status,
                       const char **code)
{
  JsonObject *noted = emu_json_object (profile->object, "answers");

  for (guint i = 0; noted != NULL && i < G_N_ELEMENTS (answers); i++)
    {
      JsonObject *answer = emu_json_object (noted, answers[i].name);
      gint64 found = emu_json_int (answer, "status", 0);

      if (found < 400 || !g_str_equal (answers[i].route, route)
          || g_strcmp0 (answers[i].code, *code) != 0)
        continue;
      *status = (guint) found;
      *code = emu_json_string (answer, "code");
      return;
    }
}
