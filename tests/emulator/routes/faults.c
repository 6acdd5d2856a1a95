/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/faults.h"

#include "emulator/base/json.h"
#include "emulator/routes/late.h"
#include "emulator/routes/others.h"
#include "emulator/routes/send.h"

#include <string.h>

static void
set_headers (EmuCall *call, const EmuRule *rule)
{
  g_autoptr (GList) names = NULL;

  if (rule->headers != NULL)
    names = json_object_get_members (rule->headers);
  for (GList *l = names; l != NULL; l = l->next)
    soup_message_headers_replace (call->reply_headers, l->data,
                                  emu_json_string (rule->headers, l->data));
}

static void
set_reply (EmuCall *call, const EmuRule *rule)
{
  emu_call_reply (call, rule->status);
  soup_message_headers_clear (call->reply_headers);
  if (rule->body != NULL)
    call->reply_body = g_bytes_ref (rule->body);
  if (rule->body != NULL)
    soup_message_headers_replace (call->reply_headers, "Content-Type",
                                  rule->is_json ? "application/json" : "text/html");
  set_headers (call, rule);
  call->read_on = rule->read_on;
}

/* The handler's reply, with members of its JSON, its status and headers changed. */
static void
change_reply (EmuCall *call, const EmuRule *rule)
{
  if (rule->change != NULL && call->reply_json != NULL)
    emu_json_merge (call->reply_json, rule->change);
  if (rule->status != 0)
    call->status = rule->status;
  set_headers (call, rule);
}

/* Where the piece is kept, the client hears of the end when that is done. */
static void
end_connection (EmuCall *call, const EmuRule *rule)
{
  call->verdict = EMU_VERDICT_LOST;
  if (call->keeps_pieces)
    return;
  if (rule->action == EMU_DO_RESET)
    emu_connection_reset (call->connection);
  else
    emu_connection_close (call->connection);
}

static void
hold (EmuCall *call, const EmuRule *rule)
{
  g_autoptr (GCancellable) released = emu_scenario_get_hold (call->world->scenario, rule->name);

  emu_scenario_note_held (call->world->scenario, rule->name);
  if (emu_connection_wait (call->connection, released, -1) == EMU_WAIT_LOST)
    call->verdict = EMU_VERDICT_LOST;
  else if (rule->later != EMU_LATER_NEVER)
    end_connection (call, rule);
}

/* As the balancers before Box answer: they know nothing of its API. */
static void
answer_as_front (EmuCall *call, const EmuRule *rule)
{
  const char *phrase = soup_status_get_phrase (rule->status);
  char *page =
      g_strdup_printf ("<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;"
                       "charset=utf-8\">\n<title>%u %s</title>\n</head>\n<body>\n"
                       "<h1>Error: %s</h1>\n</body></html>\n",
                       rule->status, phrase, phrase);

  emu_call_reply (call, rule->status);
  soup_message_headers_clear (call->reply_headers);
  call->reply_body = g_bytes_new_take (page, strlen (page));
  call->foreign = TRUE;
  soup_message_headers_replace (call->reply_headers, "Content-Type", "text/html; charset=UTF-8");
  soup_message_headers_replace (call->reply_headers, "Via", "1.1 google");
  set_headers (call, rule);
  call->verdict = EMU_VERDICT_REPLY;
}

/* As Box answers a client that asks again for a session which it got, but never heard of. */
static void
make_conflict (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };

  if (call->status != 201 || call->reply_json == NULL)
    return;
  emu_problem_set_conflict (&problem, json_object_ref (call->reply_json));
  emu_call_reply_problem (call, &problem);
}

static void
send_garbage (EmuCall *call, const EmuRule *rule)
{
  static const char noise[] = "\x16\x03\x01 this is not HTTP \xff\xfe\x00\r\n\r\n<html>";
  gsize size = sizeof noise - 1;
  gconstpointer data = rule->body != NULL ? g_bytes_get_data (rule->body, &size) : noise;

  emu_connection_write (call->connection, data, size);
  emu_connection_close (call->connection);
  call->verdict = EMU_VERDICT_LOST;
}

static void
apply (EmuCall *call, const EmuRule *rule)
{
  switch (rule->action)
    {
    case EMU_DO_REPLY:
      set_reply (call, rule);
      call->verdict = EMU_VERDICT_REPLY;
      break;
    case EMU_DO_ENDLESS:
      emu_call_reply (call, rule->status != 0 ? rule->status : 200);
      call->endless = TRUE;
      call->verdict = EMU_VERDICT_REPLY;
      break;
    case EMU_DO_DELAY:
      if (emu_connection_wait (call->connection, NULL,
                               rule->delay_ms * (gint64) G_TIME_SPAN_MILLISECOND)
          == EMU_WAIT_LOST)
        call->verdict = EMU_VERDICT_LOST;
      break;
    case EMU_DO_HOLD:
      hold (call, rule);
      break;
    case EMU_DO_RESET:
    case EMU_DO_CLOSE:
      end_connection (call, rule);
      break;
    case EMU_DO_GARBAGE:
      send_garbage (call, rule);
      break;
    case EMU_DO_CHANGE:
      change_reply (call, rule);
      break;
    case EMU_DO_FRONT:
      answer_as_front (call, rule);
      break;
    case EMU_DO_KEEP:
      call->keeps_pieces = TRUE;
      break;
    case EMU_DO_IN_USE:
      emu_others_keep_name (call);
      break;
    case EMU_DO_INTERIM:
      emu_send_interim (call, rule);
      break;
    case EMU_DO_DRIP:
      call->drip = rule;
      break;
    case EMU_DO_CONFLICT:
      make_conflict (call);
      break;
    case EMU_DO_OTHERS:
      emu_others_act (call, rule->others);
      break;
    }
}

/* Applies the rule of this index, which never strikes again. */
static void
strike (EmuCall *call, guint index)
{
  const EmuRule *rule = g_ptr_array_remove_index (call->rules, index);

  emu_request_log_set_fault (call->world->log, call->number, rule->action_name);
  if (rule->later != EMU_LATER_NEVER)
    emu_late_calls_add (call->world->late, call, rule);
  apply (call, rule);
}

void
emu_faults_strike (EmuCall *call, EmuStage stage)
{
  for (guint i = 0; i < call->rules->len && call->verdict == EMU_VERDICT_NONE;)
    {
      const EmuRule *rule = g_ptr_array_index (call->rules, i);

      if (rule->at != stage || (stage == EMU_AT_BODY && rule->bytes > call->body_read))
        {
          i++;
          continue;
        }
      strike (call, i);
    }
}

void
emu_faults_strike_reply (EmuCall *call, EmuStage stage, guint64 position)
{
  for (guint i = 0; i < call->rules->len && call->verdict != EMU_VERDICT_LOST;)
    {
      const EmuRule *rule = g_ptr_array_index (call->rules, i);

      if (rule->at == stage && rule->bytes <= position)
        strike (call, i);
      else
        i++;
    }
}

guint64
emu_faults_get_room (EmuCall *call, EmuStage stage, guint64 position)
{
  guint64 room = G_MAXUINT64;

  for (guint i = 0; i < call->rules->len; i++)
    {
      const EmuRule *rule = g_ptr_array_index (call->rules, i);

      if (rule->at == stage)
        room = MIN (room, rule->bytes - MIN (rule->bytes, position));
    }
  return room;
}

gboolean
emu_faults_is_late (EmuCall *call)
{
  for (guint i = 0; i < call->rules->len; i++)
    if (((const EmuRule *) g_ptr_array_index (call->rules, i))->later != EMU_LATER_NEVER)
      return TRUE;
  return FALSE;
}
