/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kit/emulator.h"

BoxEmulator *
kit_emulator_new (const BoxEmulatorOptions *options)
{
  g_autoptr (GError) error = NULL;
  BoxEmulator *emulator = box_emulator_new (options, &error);

  g_assert_no_error (error);
  return emulator;
}

void
kit_load_rules (BoxEmulator *emulator, const char *rules)
{
  g_autoptr (GError) error = NULL;

  box_emulator_load_scenario (emulator, rules, &error);
  g_assert_no_error (error);
}

void
kit_assert_stored (BoxEmulator *emulator, const char *folder, const char *name, guint64 size,
                   const char *sha1)
{
  g_autoptr (BoxEmulatorFile) file = box_emulator_find_file (emulator, folder, name);

  g_assert_nonnull (file);
  g_assert_cmpuint (file->size, ==, size);
  g_assert_cmpstr (file->sha1, ==, sha1);
  g_assert_cmpuint (file->n_versions, ==, 1);
}
