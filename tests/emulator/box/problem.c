/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/box/problem.h"

#include "emulator/base/json.h"

void
emu_problem_clear (EmuProblem *problem)
{
  problem->status = 0;
  problem->form = EMU_FORM_API;
  problem->code = NULL;
  g_clear_pointer (&problem->message, g_free);
  g_clear_pointer (&problem->context, json_node_unref);
}

/* Takes @message. */
static gboolean
set (EmuProblem *problem, guint status, EmuForm form, const char *code, char *message)
{
  emu_problem_clear (problem);
  problem->status = status;
  problem->form = form;
  problem->code = code;
  problem->message = message;
  return FALSE;
}

gboolean
emu_problem_set (EmuProblem *problem, guint status, const char *code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  set (problem, status, EMU_FORM_API, code, g_strdup_vprintf (format, args));
  va_end (args);
  return FALSE;
}

gboolean
emu_problem_set_upload (EmuProblem *problem, guint status, const char *code, const char *format,
                        ...)
{
  va_list args;

  va_start (args, format);
  set (problem, status, EMU_FORM_UPLOAD, code, g_strdup_vprintf (format, args));
  va_end (args);
  return FALSE;
}

gboolean
emu_problem_set_challenge (EmuProblem *problem, guint status, const char *error,
                           const char *description)
{
  char *header =
      error == NULL
          ? g_strdup ("Bearer realm=\"Service\"")
          : g_strdup_printf ("Bearer realm=\"Service\", error=\"%s\", error_description=\"%s\"",
                             error, description);

  return set (problem, status, EMU_FORM_CHALLENGE, NULL, header);
}

JsonObject *
emu_problem_get_context (EmuProblem *problem)
{
  if (problem->context == NULL)
    {
      problem->context = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (problem->context, json_object_new ());
    }
  return json_node_get_object (problem->context);
}

gboolean
emu_problem_add_error (EmuProblem *problem, const char *reason, const char *name,
                       const char *message)
{
  JsonObject *context = emu_problem_get_context (problem);
  JsonObject *error = json_object_new ();

  json_object_set_string_member (error, "reason", reason);
  json_object_set_string_member (error, "name", name);
  json_object_set_string_member (error, "message", message);
  if (emu_json_array (context, "errors") == NULL)
    json_object_set_array_member (context, "errors", json_array_new ());
  json_array_add_object_element (emu_json_array (context, "errors"), error);
  return FALSE;
}

gboolean
emu_problem_set_unknown (EmuProblem *problem, const char *name, const char *value)
{
  char kind = g_str_equal (name, "item") ? 'f' : 'd';
  g_autofree char *id = g_strdup_printf ("%c_%s", kind, value != NULL ? value : "");
  g_autofree char *message =
      g_strdup_printf ("Invalid value '%s'. '%s' with value '%s' not found", id, name, id);

  emu_problem_set (problem, 404, "not_found", "Not Found");
  return emu_problem_add_error (problem, "invalid_parameter", name, message);
}

gboolean
emu_problem_set_conflict (EmuProblem *problem, JsonObject *session)
{
  emu_problem_set (problem, 409, "session_conflict", "A session for this file is open already");
  json_object_set_object_member (emu_problem_get_context (problem), "session", session);
  return FALSE;
}

gboolean
emu_problem_set_scope (EmuProblem *problem)
{
  return emu_problem_set_challenge (
      problem, 403, "insufficient_scope",
      "The request requires higher privileges than provided by the access token.");
}
