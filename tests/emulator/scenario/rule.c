/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/scenario/rule.h"

#include "emulator/base/json.h"

#include <string.h>

static const char *const stage_names[] = { "head",       "body",  "end", "stored",
                                           "reply-head", "reply", NULL };

static const struct
{
  const char *name;
  EmuStage at; /* unless the rule says */
} actions[] = {
  [EMU_DO_REPLY] = { "reply", EMU_AT_END },          [EMU_DO_DELAY] = { "delay", EMU_AT_HEAD },
  [EMU_DO_HOLD] = { "hold", EMU_AT_HEAD },           [EMU_DO_RESET] = { "reset", EMU_AT_HEAD },
  [EMU_DO_CLOSE] = { "close", EMU_AT_HEAD },         [EMU_DO_GARBAGE] = { "garbage", EMU_AT_END },
  [EMU_DO_ENDLESS] = { "endless", EMU_AT_END },      [EMU_DO_CHANGE] = { "change", EMU_AT_STORED },
  [EMU_DO_INTERIM] = { "interim", EMU_AT_END },      [EMU_DO_DRIP] = { "drip", EMU_AT_REPLY },
  [EMU_DO_CONFLICT] = { "conflict", EMU_AT_STORED }, [EMU_DO_OTHERS] = { "others", EMU_AT_STORED },
  [EMU_DO_FRONT] = { "front", EMU_AT_END },          [EMU_DO_IN_USE] = { "in-use", EMU_AT_END },
  [EMU_DO_KEEP] = { "keep", EMU_AT_HEAD },
};

static const char *const members[] = { "route",   "method", "path",    "token",  "offset",  "part",
                                       "times",   "from",   "every",   "nth",    "at",      "bytes",
                                       "do",      "ms",     "name",    "status", "headers", "body",
                                       "comment", "json",   "change",  "linger", "fill",    "count",
                                       "others",  "later",  "read-on", NULL };

void
emu_rule_free (EmuRule *rule)
{
  g_strfreev (rule->routes);
  g_free (rule->method);
  g_clear_pointer (&rule->path, g_pattern_spec_free);
  g_free (rule->token);
  g_clear_pointer (&rule->nth, g_array_unref);
  g_free (rule->name);
  g_clear_pointer (&rule->headers, json_object_unref);
  g_clear_pointer (&rule->body, g_bytes_unref);
  g_clear_pointer (&rule->change, json_object_unref);
  g_clear_pointer (&rule->others, json_object_unref);
  g_free (rule->later_name);
  g_free (rule->later_route);
  g_free (rule);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EmuRule, emu_rule_free)

static gboolean
refuse (GError **error, const char *problem, const char *what)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: \"%s\"", problem, what);
  return FALSE;
}

static gboolean
check_members (JsonObject *object, GError **error)
{
  g_autoptr (GList) names = json_object_get_members (object);

  for (GList *l = names; l != NULL; l = l->next)
    if (!g_strv_contains (members, l->data))
      return refuse (error, "A rule has no such member", l->data);
  return TRUE;
}

static char **
parse_routes (JsonObject *object)
{
  JsonArray *array = emu_json_array (object, "route");
  const char *one = emu_json_string (object, "route");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (array == NULL && (one == NULL || g_str_equal (one, "*")))
    return NULL;
  if (one != NULL)
    g_strv_builder_add (builder, one);
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  return g_strv_builder_end (builder);
}

static void
parse_match (EmuRule *rule, JsonObject *object)
{
  const char *path = emu_json_string (object, "path");

  rule->routes = parse_routes (object);
  rule->method = g_strdup (emu_json_string (object, "method"));
  rule->path = path != NULL ? g_pattern_spec_new (path) : NULL;
  rule->token = g_strdup (emu_json_string (object, "token"));
  rule->offset = emu_json_int (object, "offset", -1);
  rule->part = emu_json_int (object, "part", -1);
}

static gboolean
parse_occurrence (EmuRule *rule, JsonObject *object, GError **error)
{
  JsonArray *nth = emu_json_array (object, "nth");
  gint64 from = emu_json_int (object, "from", 1);
  gint64 times = emu_json_int (object, "times", 0);
  gint64 every = emu_json_int (object, "every", 1);

  if (from < 1 || times < 0 || every < 1)
    return refuse (error, "This member of a rule must be positive",
                   from < 1    ? "from"
                   : times < 0 ? "times"
                               : "every");
  rule->first = from;
  rule->every = every;
  rule->last = times == 0 ? G_MAXUINT64 : (guint64) (from + (times - 1) * every);
  if (!json_object_has_member (object, "nth"))
    return TRUE;
  rule->nth = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint i = 0; nth != NULL && i < json_array_get_length (nth); i++)
    {
      guint64 n = json_array_get_int_element (nth, i);

      g_array_append_val (rule->nth, n);
    }
  if (nth == NULL)
    {
      guint64 n = emu_json_int (object, "nth", 0);

      g_array_append_val (rule->nth, n);
    }
  return TRUE;
}

static gboolean
parse_later (EmuRule *rule, JsonObject *object, GError **error)
{
  JsonObject *later = emu_json_object (object, "later");

  if (!json_object_has_member (object, "later"))
    return TRUE;
  if (rule->action == EMU_DO_DELAY
      || (rule->action > EMU_DO_ENDLESS && rule->action != EMU_DO_FRONT))
    return refuse (error, "A rule cannot do this and the request later", rule->action_name);
  rule->at = EMU_AT_END;
  rule->later_name = g_strdup (emu_json_string (later, "name"));
  rule->later_route = g_strdup (emu_json_string (later, "route"));
  if (rule->later_name != NULL)
    rule->later = EMU_LATER_RELEASED;
  else if (later != NULL && json_object_has_member (later, "ms"))
    rule->later = EMU_LATER_TIME;
  else if (later != NULL && json_object_has_member (later, "requests"))
    rule->later = EMU_LATER_REQUESTS;
  else
    return refuse (error, "A rule needs one of \"name\", \"ms\" and \"requests\" in", "later");
  rule->later_n = emu_json_int (later, rule->later == EMU_LATER_TIME ? "ms" : "requests", 0);
  return TRUE;
}

static gboolean
can_strike_at (const EmuRule *rule, EmuStage stage)
{
  static const gboolean in_replies[] = {
    [EMU_DO_DELAY] = TRUE,   [EMU_DO_HOLD] = TRUE, [EMU_DO_RESET] = TRUE,   [EMU_DO_CLOSE] = TRUE,
    [EMU_DO_IN_USE] = FALSE, [EMU_DO_DRIP] = TRUE, [EMU_DO_GARBAGE] = TRUE, [EMU_DO_OTHERS] = TRUE,
  };

  if (rule->later != EMU_LATER_NEVER)
    return stage == EMU_AT_END;
  return stage >= EMU_AT_REPLY_HEAD ? in_replies[rule->action] : rule->action != EMU_DO_DRIP;
}

static gboolean
parse_stage (EmuRule *rule, JsonObject *object, GError **error)
{
  const char *name = emu_json_string (object, "at");

  rule->bytes = emu_json_int (object, "bytes", 0);
  if (name == NULL && rule->at == EMU_AT_HEAD && json_object_has_member (object, "bytes"))
    rule->at = EMU_AT_BODY;
  if (name == NULL)
    return TRUE;
  for (guint i = 0; stage_names[i] != NULL; i++)
    if (g_str_equal (name, stage_names[i]) && can_strike_at (rule, i))
      {
        rule->at = i;
        return TRUE;
      }
  return refuse (error, "A rule cannot strike there", name);
}

static void
parse_body (EmuRule *rule, JsonObject *object)
{
  const char *body = emu_json_string (object, "body");
  JsonObject *json = emu_json_object (object, "json");
  gint64 fill = emu_json_int (object, "fill", 0);

  if (json != NULL)
    {
      char *text = emu_json_to_text (json);

      rule->body = g_bytes_new_take (text, strlen (text));
      rule->is_json = TRUE;
    }
  else if (body != NULL)
    rule->body = g_bytes_new (body, strlen (body));
  else if (fill > 0)
    rule->body = g_bytes_new_take (g_strnfill (fill, ' '), fill);
}

static gboolean
parse_action (EmuRule *rule, JsonObject *object, GError **error)
{
  const char *name = emu_json_string (object, "do");
  JsonObject *change = emu_json_object (object, "change");
  JsonObject *headers = emu_json_object (object, "headers");
  JsonObject *others = emu_json_object (object, "others");
  guint action = 0;

  if (name == NULL)
    return refuse (error, "A rule lacks this member", "do");
  while (action < G_N_ELEMENTS (actions) && !g_str_equal (name, actions[action].name))
    action++;
  if (action == G_N_ELEMENTS (actions))
    return refuse (error, "A rule cannot do this", name);
  rule->action = action;
  rule->action_name = actions[action].name;
  rule->at = actions[action].at;
  rule->delay_ms = emu_json_int (object, "ms", 0);
  rule->name = g_strdup (emu_json_string (object, "name"));
  rule->status = emu_json_int (object, "status", 0);
  rule->headers = headers != NULL ? json_object_ref (headers) : NULL;
  rule->change = change != NULL ? json_object_ref (change) : NULL;
  rule->others = others != NULL ? json_object_ref (others) : NULL;
  rule->count = emu_json_int (object, "count", 0);
  rule->linger = emu_json_boolean (object, "linger", TRUE);
  rule->read_on = emu_json_boolean (object, "read-on", FALSE);
  parse_body (rule, object);
  if ((rule->action == EMU_DO_REPLY || rule->action == EMU_DO_FRONT)
      && (rule->status < 100 || rule->status > 599))
    return refuse (error, "A rule needs a \"status\" of 100 to 599 for this", name);
  if (rule->action == EMU_DO_OTHERS && rule->others == NULL)
    return refuse (error, "A rule lacks this member", "others");
  return TRUE;
}

EmuRule *
emu_rule_parse (JsonObject *object, GError **error)
{
  g_autoptr (EmuRule) rule = g_new0 (EmuRule, 1);

  if (!check_members (object, error))
    return NULL;
  parse_match (rule, object);
  if (!parse_occurrence (rule, object, error) || !parse_action (rule, object, error)
      || !parse_later (rule, object, error) || !parse_stage (rule, object, error))
    return NULL;
  return g_steal_pointer (&rule);
}

gboolean
emu_rule_matches (const EmuRule *rule, const EmuMatch *match)
{
  if (rule->routes == NULL && g_str_equal (match->route, "connect"))
    return FALSE;
  if (rule->routes != NULL && !g_strv_contains ((const char *const *) rule->routes, match->route))
    return FALSE;
  if (rule->method != NULL && !g_str_equal (rule->method, match->method))
    return FALSE;
  if (rule->path != NULL && !g_pattern_spec_match_string (rule->path, match->path))
    return FALSE;
  if (rule->token != NULL && g_strcmp0 (rule->token, match->token) != 0)
    return FALSE;
  return (rule->offset < 0 || rule->offset == match->offset)
         && (rule->part < 0 || rule->part == match->part);
}

gboolean
emu_rule_strikes (const EmuRule *rule, guint64 n)
{
  if (rule->nth == NULL)
    return n >= rule->first && n <= rule->last && (n - rule->first) % rule->every == 0;
  for (guint i = 0; i < rule->nth->len; i++)
    if (g_array_index (rule->nth, guint64, i) == n)
      return TRUE;
  return FALSE;
}
