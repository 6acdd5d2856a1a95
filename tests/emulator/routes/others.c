/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/others.h"

#include "emulator/base/json.h"

#include <string.h>

/* The subject of a call, as far as known: the place of a file, present or future. */
typedef struct
{
  char *file_id;
  char *folder_id;
  char *name;
} Subject;

static void
subject_clear (Subject *subject)
{
  g_free (subject->file_id);
  g_free (subject->folder_id);
  g_free (subject->name);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Subject, subject_clear)

/* The file in the reply, if it is about one. */
static JsonObject *
get_replied_file (EmuCall *call)
{
  JsonArray *entries = emu_json_array (call->reply_json, "entries");

  if (entries != NULL && json_array_get_length (entries) == 1)
    return json_array_get_object_element (entries, 0);
  return call->reply_json;
}

static void
find_subject (EmuCall *call, Subject *subject)
{
  g_autoptr (BoxEmulatorSession) session =
      call->id != NULL ? emu_sessions_look (call->world->sessions, call->id) : NULL;
  JsonObject *file = get_replied_file (call);

  if (g_strcmp0 (emu_json_string (file, "type"), "file") == 0)
    subject->file_id = g_strdup (emu_json_string (file, "id"));
  else if (session != NULL)
    subject->file_id = g_strdup (session->file_id);
  else
    subject->file_id = g_strdup (call->id);
  if (session != NULL)
    {
      subject->folder_id = g_strdup (session->folder_id);
      subject->name = g_strdup (session->file_name);
      return;
    }
  subject->folder_id = g_strdup (emu_json_string (call->json, "folder_id"));
  subject->name = g_strdup (emu_json_string (call->json, "file_name"));
}

/* A version of the file, or (@file_id NULL) a file in the place of the call's. */
static void
add_content (EmuCall *call, const char *file_id, const char *folder_id, const char *name,
             const char *text)
{
  g_auto (EmuProblem) problem = { 0 };
  EmuPut put = { .file_id = file_id, .folder_id = folder_id, .name = name };
  g_autoptr (JsonObject) file =
      emu_store_put_data (call->world->store, &put, text, strlen (text), &problem);

  if (file == NULL)
    g_printerr ("box-emulator: others: %s\n", problem.message);
}

static void
add_file (EmuCall *call, const Subject *subject, JsonObject *file)
{
  const char *folder = emu_json_string (file, "folder_id");
  const char *name = emu_json_string (file, "name");
  const char *text = emu_json_string (file, "text");

  add_content (call, NULL, folder != NULL ? folder : subject->folder_id,
               name != NULL ? name : subject->name, text != NULL ? text : "of somebody else");
}

void
emu_others_act (EmuCall *call, JsonObject *others)
{
  g_auto (Subject) subject = { 0 };
  g_auto (EmuProblem) problem = { 0 };
  const char *version = emu_json_string (others, "version");
  JsonObject *file = emu_json_object (others, "file");
  EmuStore *store = call->world->store;

  find_subject (call, &subject);
  if (file != NULL)
    add_file (call, &subject, file);
  if (subject.file_id == NULL)
    return;
  if (version != NULL)
    add_content (call, subject.file_id, NULL, NULL, version);
  if (json_object_has_member (others, "name") || json_object_has_member (others, "parent"))
    {
      g_autoptr (JsonObject) updated =
          emu_store_update (store, subject.file_id, FALSE, others, NULL, &problem);
    }
  if (emu_json_boolean (others, "delete", FALSE))
    emu_store_delete (store, subject.file_id, FALSE, FALSE, NULL, &problem);
}

void
emu_others_keep_name (EmuCall *call)
{
  g_auto (Subject) subject = { 0 };
  g_auto (EmuProblem) problem = { 0 };

  find_subject (call, &subject);
  if (subject.file_id == NULL && subject.folder_id != NULL && subject.name != NULL)
    subject.file_id = emu_store_find (call->world->store, subject.folder_id, subject.name);
  emu_store_keep_name (call->world->store, subject.file_id, &problem);
  emu_call_reply_problem (call, &problem);
  call->verdict = EMU_VERDICT_REPLY;
}
