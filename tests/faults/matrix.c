/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "matrix.h"

struct _FaultMatrix
{
  JsonParser *parser;
  JsonArray *excepted;
  JsonArray *whens;
  JsonArray *requests;
  GPtrArray *faults; /* JsonObject: the named ones, and each status with each body */
  GArray *ways;
};

/* Refused by a gateway that may be gone soon, or by Box for a reason that passes; 501 and 505
 * do not, and 507 is a full account. */
static gboolean
is_passing (gint64 status)
{
  return status == 408 || status == 425 || status == 429
         || (status >= 500 && status != 501 && status != 505 && status != 507);
}

static void
set_raw_reply (JsonObject *fault, gint64 status, const char *rest)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %d No\r\n%s", (int) status, rest);

  json_object_set_string_member (fault, "do", "garbage");
  json_object_set_string_member (fault, "body", text);
}

static JsonObject *
make_reply (gint64 status, JsonObject *body)
{
  const char *kind = json_object_get_string_member (body, "name");
  g_autofree char *name = g_strdup_printf ("%d-%s", (int) status, kind);
  JsonObject *fault = json_object_new ();

  json_object_set_string_member (fault, "name", name);
  json_object_set_boolean_member (fault, "passes", is_passing (status));
  if (json_object_has_member (body, "raw"))
    {
      set_raw_reply (fault, status, json_object_get_string_member (body, "raw"));
      return fault;
    }
  json_object_set_string_member (fault, "do", "reply");
  json_object_set_int_member (fault, "status", status);
  for (const char *const *member = (const char *const[]){ "headers", "body", "json", NULL };
       *member != NULL; member++)
    if (json_object_has_member (body, *member))
      json_object_set_member (fault, *member, json_object_dup_member (body, *member));
  return fault;
}

static void
collect_faults (FaultMatrix *matrix, JsonObject *root)
{
  JsonArray *named = json_object_get_array_member (root, "faults");
  JsonArray *statuses = json_object_get_array_member (root, "statuses");
  JsonArray *bodies = json_object_get_array_member (root, "bodies");

  matrix->faults = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  for (guint i = 0; i < json_array_get_length (named); i++)
    g_ptr_array_add (matrix->faults, json_object_ref (json_array_get_object_element (named, i)));
  for (guint i = 0; i < json_array_get_length (statuses); i++)
    for (guint k = 0; k < json_array_get_length (bodies); k++)
      g_ptr_array_add (matrix->faults, make_reply (json_array_get_int_element (statuses, i),
                                                   json_array_get_object_element (bodies, k)));
}

static FaultSource
read_source (JsonObject *way)
{
  const char *spool = json_object_get_string_member_with_default (way, "spool", "");

  if (json_object_has_member (way, "put"))
    return FAULT_FILE;
  if (json_object_has_member (way, "resume"))
    return FAULT_RESUME;
  if (g_str_equal (spool, "exact"))
    return FAULT_SPOOL;
  if (g_str_equal (spool, "reserve"))
    return FAULT_RESERVE;
  if (g_str_equal (spool, "unknown"))
    return FAULT_UNKNOWN;
  if (g_str_equal (spool, "ahead"))
    return FAULT_AHEAD;
  return g_str_equal (spool, "live") ? FAULT_LIVE : FAULT_STREAM;
}

static FaultTarget
read_target (JsonObject *way)
{
  const char *to = json_object_get_string_member (way, "to");

  if (g_str_equal (to, "session"))
    return FAULT_TO_SESSION;
  return g_str_equal (to, "file") ? FAULT_TO_FILE : FAULT_TO_FOLDER;
}

static void
collect_ways (FaultMatrix *matrix, JsonObject *root)
{
  JsonArray *ways = json_object_get_array_member (root, "ways");

  matrix->ways = g_array_new (FALSE, FALSE, sizeof (FaultWay));
  for (guint i = 0; i < json_array_get_length (ways); i++)
    {
      JsonObject *row = json_array_get_object_element (ways, i);
      FaultWay way = {
        .name = json_object_get_string_member (row, "name"),
        .source = read_source (row),
        .to = read_target (row),
        .of_file = json_object_has_member (row, "of"),
        .large = json_object_has_member (row, "large"),
        .taken = json_object_has_member (row, "taken"),
        .folders = json_object_has_member (row, "folders"),
        .metadata = json_object_has_member (row, "metadata"),
        .grant = json_object_get_string_member_with_default (row, "grant", NULL),
        .requests = json_object_get_array_member (row, "requests"),
      };

      g_array_append_val (matrix->ways, way);
    }
}

FaultMatrix *
fault_matrix_load (const char *path)
{
  FaultMatrix *matrix = g_new0 (FaultMatrix, 1);
  JsonObject *root;
  GError *error = NULL;

  matrix->parser = json_parser_new ();
  if (!json_parser_load_from_file (matrix->parser, path, &error))
    g_error ("%s: %s", path, error->message);
  root = json_node_get_object (json_parser_get_root (matrix->parser));
  matrix->excepted = json_object_get_array_member (root, "except");
  matrix->whens = json_object_get_array_member (root, "whens");
  matrix->requests = json_object_get_array_member (root, "requests");
  collect_faults (matrix, root);
  collect_ways (matrix, root);
  return matrix;
}

void
fault_matrix_free (FaultMatrix *matrix)
{
  g_ptr_array_unref (matrix->faults);
  g_array_unref (matrix->ways);
  g_object_unref (matrix->parser);
  g_free (matrix);
}

guint
fault_matrix_count_ways (const FaultMatrix *matrix)
{
  return matrix->ways->len;
}

const FaultWay *
fault_matrix_get_way (const FaultMatrix *matrix, guint i)
{
  return &g_array_index (matrix->ways, FaultWay, i);
}

static JsonObject *
find_request (const FaultMatrix *matrix, const char *name)
{
  for (guint i = 0; i < json_array_get_length (matrix->requests); i++)
    {
      JsonObject *request = json_array_get_object_element (matrix->requests, i);

      if (g_str_equal (json_object_get_string_member (request, "name"), name))
        return request;
    }
  g_error ("network.json has no request \"%s\"", name);
}

/* Only the parts of an upload are so many that the third one can be struck. */
static gboolean
is_possible (JsonObject *request, JsonObject *when)
{
  return json_object_has_member (request, "many") || !json_object_has_member (when, "many");
}

static guint
count_whens (const FaultMatrix *matrix, JsonObject *request)
{
  guint n = 0;

  for (guint i = 0; i < json_array_get_length (matrix->whens); i++)
    n += is_possible (request, json_array_get_object_element (matrix->whens, i)) ? 1 : 0;
  return n;
}

guint
fault_matrix_count (const FaultMatrix *matrix)
{
  guint n = 0;

  for (guint i = 0; i < matrix->ways->len; i++)
    {
      JsonArray *names = fault_matrix_get_way (matrix, i)->requests;

      for (guint k = 0; k < json_array_get_length (names); k++)
        n +=
            matrix->faults->len
            * count_whens (matrix, find_request (matrix, json_array_get_string_element (names, k)));
    }
  return n;
}

static void
free_case (gpointer data)
{
  FaultCase *c = data;

  g_free (c->name);
  g_free (c);
}

static FaultCase *
new_case (const FaultMatrix *matrix, const FaultWay *way, JsonObject *request, JsonObject *fault,
          JsonObject *when)
{
  FaultCase *c = g_new (FaultCase, 1);

  *c =
      (FaultCase){ .matrix = matrix, .way = way, .request = request, .fault = fault, .when = when };
  c->name = g_strdup_printf (
      "%s/%s/%s/%s", way->name, json_object_get_string_member (request, "name"),
      json_object_get_string_member (fault, "name"), json_object_get_string_member (when, "name"));
  return c;
}

static gboolean
is_excepted (const FaultMatrix *matrix, const char *name)
{
  for (guint i = 0; i < json_array_get_length (matrix->excepted); i++)
    if (g_pattern_match_simple (json_object_get_string_member (
                                    json_array_get_object_element (matrix->excepted, i), "cells"),
                                name))
      return TRUE;
  return FALSE;
}

/* What decides whether a cell is played. */
typedef struct
{
  GRand *dice;
  double share;
  const char *pattern;
} Draw;

static void
draw_case (const Draw *draw, FaultCase *c, GPtrArray *cases)
{
  gboolean drawn = draw->pattern != NULL ? g_pattern_match_simple (draw->pattern, c->name)
                                         : g_rand_double (draw->dice) < draw->share;

  if (drawn && !is_excepted (c->matrix, c->name))
    g_ptr_array_add (cases, c);
  else
    free_case (c);
}

GPtrArray *
fault_matrix_choose (const FaultMatrix *matrix, const FaultWay *way, double share, guint seed,
                     const char *pattern)
{
  GPtrArray *cases = g_ptr_array_new_with_free_func (free_case);
  g_autoptr (GRand) dice = g_rand_new_with_seed (seed ^ g_str_hash (way->name));
  Draw draw = { dice, share, pattern };

  for (guint i = 0; i < json_array_get_length (way->requests); i++)
    {
      JsonObject *request = find_request (matrix, json_array_get_string_element (way->requests, i));

      for (guint k = 0; k < matrix->faults->len; k++)
        for (guint w = 0; w < json_array_get_length (matrix->whens); w++)
          {
            JsonObject *when = json_array_get_object_element (matrix->whens, w);

            if (is_possible (request, when))
              draw_case (&draw, new_case (matrix, way, request, matrix->faults->pdata[k], when),
                         cases);
          }
    }
  return cases;
}

/* A rule that is @action, at @routes, when @strikes says. */
static JsonObject *
make_rule (JsonObject *action, JsonNode *routes, JsonObject *strikes, const char *token)
{
  JsonObject *rule = json_object_new ();

  for (guint i = 0; i < 2; i++)
    {
      JsonObject *from = i == 0 ? action : strikes;
      g_autoptr (GList) members = from != NULL ? json_object_get_members (from) : NULL;

      for (GList *member = members; member != NULL; member = member->next)
        if (!g_str_equal (member->data, "name") && !g_str_equal (member->data, "passes")
            && !g_str_equal (member->data, "many"))
          json_object_set_member (rule, member->data, json_object_dup_member (from, member->data));
    }
  if (routes != NULL)
    json_object_set_member (rule, "route", json_node_copy (routes));
  if (token != NULL)
    json_object_set_string_member (rule, "token", token);
  return rule;
}

char *
fault_case_format_rules (const FaultCase *c, const char *token)
{
  /* Copies share their values with the matrix, whose counts of references know of no threads. */
  static GMutex lock;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  JsonObject *scenario = json_object_new ();
  JsonArray *rules = json_array_new ();

  if (json_object_has_member (c->request, "before"))
    json_array_add_object_element (
        rules, make_rule (json_object_get_object_member (c->request, "before"), NULL, NULL, token));
  json_array_add_object_element (
      rules, make_rule (c->fault, json_object_get_member (c->request, "routes"),
                        json_object_get_object_member (c->when, "strikes"), token));
  json_object_set_array_member (scenario, "rules", rules);
  json_node_take_object (root, scenario);
  return json_to_string (root, FALSE);
}

gboolean
fault_case_passes (const FaultCase *c)
{
  return g_str_equal (json_object_get_string_member (c->when, "name"), "once")
         && json_object_get_boolean_member_with_default (c->fault, "passes", FALSE)
         && !json_object_has_member (c->request, "fails");
}
