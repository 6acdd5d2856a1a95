/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/scenario/scenario.h"

#include "emulator/base/json.h"
#include "emulator/scenario/rule.h"

struct _EmuScenario
{
  GMutex lock;
  GCond held_changed;

  /* with lock */
  GPtrArray *rules;  /* of EmuRule */
  GPtrArray *past;   /* cleared rules, which requests may still be looking at */
  GHashTable *holds; /* name to GCancellable */
  GHashTable *held;  /* set of names that hold, or held, a request */
};

EmuScenario *
emu_scenario_new (void)
{
  EmuScenario *scenario = g_new0 (EmuScenario, 1);

  g_mutex_init (&scenario->lock);
  g_cond_init (&scenario->held_changed);
  scenario->rules = g_ptr_array_new_with_free_func ((GDestroyNotify) emu_rule_free);
  scenario->past = g_ptr_array_new_with_free_func ((GDestroyNotify) emu_rule_free);
  scenario->holds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  scenario->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return scenario;
}

void
emu_scenario_free (EmuScenario *scenario)
{
  g_ptr_array_unref (scenario->rules);
  g_ptr_array_unref (scenario->past);
  g_hash_table_unref (scenario->holds);
  g_hash_table_unref (scenario->held);
  g_mutex_clear (&scenario->lock);
  g_cond_clear (&scenario->held_changed);
  g_free (scenario);
}

static GPtrArray *
parse (const char *json, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GPtrArray) rules = g_ptr_array_new_with_free_func ((GDestroyNotify) emu_rule_free);
  JsonNode *root;
  JsonArray *array = NULL;

  if (!json_parser_load_from_data (parser, json, -1, error))
    return NULL;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    array = emu_json_array (json_node_get_object (root), "rules");
  else if (root != NULL && JSON_NODE_HOLDS_ARRAY (root))
    array = json_node_get_array (root);
  if (array == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 "A scenario is {\"rules\": [...]} or the list of rules alone");
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      EmuRule *rule = NULL;

      if (JSON_NODE_HOLDS_OBJECT (node))
        rule = emu_rule_parse (json_node_get_object (node), error);
      else
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "A rule is an object");
      if (rule == NULL)
        return NULL;
      g_ptr_array_add (rules, rule);
    }
  return array != NULL ? g_steal_pointer (&rules) : NULL;
}

gboolean
emu_scenario_load (EmuScenario *scenario, const char *json, GError **error)
{
  g_autoptr (GPtrArray) rules = parse (json, error);

  if (rules == NULL)
    return FALSE;
  g_mutex_lock (&scenario->lock);
  g_ptr_array_extend_and_steal (scenario->rules, g_steal_pointer (&rules));
  g_mutex_unlock (&scenario->lock);
  return TRUE;
}

void
emu_scenario_clear (EmuScenario *scenario)
{
  g_autoptr (GHashTable) holds = NULL;
  GHashTableIter iter;
  gpointer hold;

  g_mutex_lock (&scenario->lock);
  g_ptr_array_extend_and_steal (scenario->past, scenario->rules);
  scenario->rules = g_ptr_array_new_with_free_func ((GDestroyNotify) emu_rule_free);
  holds = scenario->holds;
  scenario->holds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  g_hash_table_remove_all (scenario->held);
  g_mutex_unlock (&scenario->lock);
  g_hash_table_iter_init (&iter, holds);
  while (g_hash_table_iter_next (&iter, NULL, &hold))
    g_cancellable_cancel (hold);
}

GPtrArray *
emu_scenario_choose (EmuScenario *scenario, const EmuMatch *match)
{
  GPtrArray *chosen = g_ptr_array_new ();

  g_mutex_lock (&scenario->lock);
  for (guint i = 0; i < scenario->rules->len; i++)
    {
      EmuRule *rule = g_ptr_array_index (scenario->rules, i);

      if (emu_rule_matches (rule, match) && emu_rule_strikes (rule, ++rule->seen))
        g_ptr_array_add (chosen, rule);
    }
  g_mutex_unlock (&scenario->lock);
  return chosen;
}

/* --- holds -------------------------------------------------------------------------------------
 */

GCancellable *
emu_scenario_get_hold (EmuScenario *scenario, const char *name)
{
  const char *key = name != NULL ? name : "";
  GCancellable *hold;

  g_mutex_lock (&scenario->lock);
  hold = g_hash_table_lookup (scenario->holds, key);
  if (hold == NULL)
    {
      hold = g_cancellable_new ();
      g_hash_table_insert (scenario->holds, g_strdup (key), hold);
    }
  g_object_ref (hold);
  g_mutex_unlock (&scenario->lock);
  return hold;
}

void
emu_scenario_release (EmuScenario *scenario, const char *name)
{
  g_autoptr (GCancellable) hold = emu_scenario_get_hold (scenario, name);

  g_cancellable_cancel (hold);
  emu_scenario_note_held (scenario, name);
}

void
emu_scenario_note_held (EmuScenario *scenario, const char *name)
{
  g_mutex_lock (&scenario->lock);
  g_hash_table_add (scenario->held, g_strdup (name != NULL ? name : ""));
  g_cond_broadcast (&scenario->held_changed);
  g_mutex_unlock (&scenario->lock);
}

gboolean
emu_scenario_wait_held (EmuScenario *scenario, const char *name, guint timeout_ms)
{
  gint64 until = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&scenario->lock);
  while (in_time && !g_hash_table_contains (scenario->held, name))
    in_time = g_cond_wait_until (&scenario->held_changed, &scenario->lock, until);
  g_mutex_unlock (&scenario->lock);
  return in_time;
}
