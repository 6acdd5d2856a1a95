/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/problem.h"

void
emu_problem_clear (EmuProblem *problem)
{
  problem->status = 0;
  problem->code = NULL;
  g_clear_pointer (&problem->message, g_free);
  g_clear_pointer (&problem->context, json_object_unref);
}

gboolean
emu_problem_set (EmuProblem *problem, guint status, const char *code, const char *format, ...)
{
  va_list args;

  emu_problem_clear (problem);
  problem->status = status;
  problem->code = code;
  va_start (args, format);
  problem->message = g_strdup_vprintf (format, args);
  va_end (args);
  return FALSE;
}

gboolean
emu_problem_set_conflict (EmuProblem *problem, JsonObject *session)
{
  emu_problem_set (problem, 409, "session_conflict", "A session for this file is open already");
  problem->context = json_object_new ();
  json_object_set_object_member (problem->context, "session", session);
  return FALSE;
}
