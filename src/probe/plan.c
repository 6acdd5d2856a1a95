/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a session's "plan" looks, how soon, and whether a commit takes what it finds. Parts of
 * the session itself, of another one that is open, of a file, and of the same file's earlier
 * version are asked for, in sessions of one size.
 */
#include "probe/experiments.h"

#include "base/retry.h"

/* Pauses between two questions. Seconds. */
static const guint pauses[] = { 0, 1, 2, 5, 10, 20, 30, 60, 120 };

/* The parts of @wanted that @session finds, asked again until it has them all, or for too long.
 * @after: (out): seconds until it had. */
static GPtrArray *
ask (BoxProbe *probe, const BoxSession *session, GPtrArray *wanted, guint *after, GError **error)
{
  g_autoptr (GPtrArray) hits = NULL;

  *after = 0;
  for (guint i = 0; i < G_N_ELEMENTS (pauses); i++)
    {
      if (*after + pauses[i] > probe->settings->longest_wait && i > 0)
        break;
      if (!box_call_sleep (pauses[i] * (gint64) G_USEC_PER_SEC, probe->cancellable, error))
        return NULL;
      *after += pauses[i];
      g_clear_pointer (&hits, g_ptr_array_unref);
      hits = box_client_plan (probe->settings->client, probe->transport, session, wanted,
                              probe->cancellable, error);
      if (hits == NULL || hits->len == wanted->len)
        break;
    }
  return g_steal_pointer (&hits);
}

/* Whether @session finds @wanted, as a line and a member of the profile. */
static gboolean
try_scope (BoxProbe *probe, const BoxSession *session, GPtrArray *wanted, const char *question,
           const char *member, GPtrArray **found, GError **error)
{
  guint after;
  g_autoptr (GPtrArray) hits = ask (probe, session, wanted, &after, error);

  if (hits == NULL)
    return FALSE;
  if (hits->len == wanted->len)
    box_probe_tell (probe, question, "found, after %u s", after);
  else
    box_probe_tell (probe, question, "%u of %u found, within %u s", hits->len, wanted->len, after);
  json_object_set_boolean_member (probe->profile, member, hits->len == wanted->len);
  if (hits->len == wanted->len && after > 0)
    json_object_set_int_member (
        probe->profile, "plan_delay",
        MAX (after, json_object_get_int_member_with_default (probe->profile, "plan_delay", 0)));
  *found = hits->len == wanted->len ? g_steal_pointer (&hits) : NULL;
  return TRUE;
}

/* Parts of a session that is open, in itself and in another one. */
static gboolean
try_open_sessions (BoxProbe *probe, GError **error)
{
  g_autoptr (BoxSession) first = box_scratch_create_session (
      probe->scratch, "first.bin", NULL, BOX_PROBE_SIZE, probe->cancellable, error);
  g_autoptr (BoxSession) other = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GPtrArray) wanted = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  g_autoptr (GPtrArray) own = NULL, others = NULL;
  BoxPart *part;

  if (first == NULL)
    return FALSE;
  bytes = box_probe_make_bytes (g_random_int (), first->part_size);
  part = box_probe_send_part (probe, probe->transport, first, 0, BOX_PROBE_SIZE, bytes, error);
  if (part == NULL)
    return FALSE;
  g_ptr_array_add (wanted, part);
  other = box_scratch_create_session (probe->scratch, "other.bin", NULL, BOX_PROBE_SIZE,
                                      probe->cancellable, error);
  return other != NULL
         && try_scope (probe, first, wanted, "plan: a part of the same session", "plan_session",
                       &own, error)
         && try_scope (probe, other, wanted, "plan: a part of another open session",
                       "plan_open_session", &others, error);
}

/* Commits what was found alone. */
static void
try_commit (BoxProbe *probe, const BoxSession *session, GPtrArray *hits)
{
  g_autoptr (BoxFile) file = NULL;
  g_autoptr (GError) reason = NULL;

  file = box_probe_commit (probe, session, hits, &probe->file->sha1, &reason);
  box_probe_note_answer (probe, "commit_of_hits", reason);
  json_object_set_boolean_member (probe->profile, "commit_takes_hits", file != NULL);
  if (file != NULL)
    box_probe_tell (probe, "plan: a commit of parts that it found", "taken");
  else
    {
      g_autofree char *answer = box_probe_describe (reason);

      box_probe_tell (probe, "plan: a commit of parts that it found", "refused: %s", answer);
    }
}

/* Parts of a file, for another file and for a version of it. */
static gboolean
try_file (BoxProbe *probe, GError **error)
{
  g_autoptr (BoxSession) version = NULL, copy = NULL;
  g_autoptr (GPtrArray) of_version = NULL, of_copy = NULL;

  copy = box_scratch_create_session (probe->scratch, "copy.bin", NULL, BOX_PROBE_SIZE,
                                     probe->cancellable, error);
  if (copy == NULL)
    return FALSE;
  if (!try_scope (probe, copy, probe->parts, "plan: parts of another file", "plan_other_file",
                  &of_copy, error))
    return FALSE;
  version = box_scratch_create_session (probe->scratch, NULL, probe->file->id, BOX_PROBE_SIZE,
                                        probe->cancellable, error);
  if (version == NULL
      || !try_scope (probe, version, probe->parts, "plan: parts of the same file", "plan_file",
                     &of_version, error))
    return FALSE;
  if (of_copy != NULL)
    try_commit (probe, copy, of_copy);
  else if (of_version != NULL)
    try_commit (probe, version, of_version);
  return TRUE;
}

static gboolean
has (BoxProbe *probe, const char *member)
{
  return json_object_get_boolean_member_with_default (probe->profile, member, FALSE);
}

/* The one word that ahead=true goes by. */
static void
conclude (BoxProbe *probe)
{
  BoxPlanScope scope = BOX_PLAN_SCOPE_NONE;

  if (!json_object_get_boolean_member_with_default (probe->profile, "commit_takes_hits", TRUE))
    scope = BOX_PLAN_SCOPE_NONE;
  else if (has (probe, "plan_open_session"))
    scope = BOX_PLAN_SCOPE_ACCOUNT;
  else if (has (probe, "plan_file"))
    scope = BOX_PLAN_SCOPE_FILE;
  else if (has (probe, "plan_session"))
    scope = BOX_PLAN_SCOPE_SESSION;
  json_object_set_string_member (probe->profile, "plan", box_plan_scope_to_string (scope));
  box_probe_tell (probe, "ahead=true",
                  scope == BOX_PLAN_SCOPE_ACCOUNT ? "is of use" : "is of no use with this account");
}

gboolean
box_probe_plan (BoxProbe *probe, GError **error)
{
  g_autoptr (BoxSession) session = box_scratch_create_session (
      probe->scratch, "plan.bin", NULL, BOX_PROBE_SIZE, probe->cancellable, error);

  if (session == NULL)
    return FALSE;
  json_object_set_boolean_member (probe->profile, "has_plan", session->plan_url != NULL);
  if (session->plan_url == NULL)
    {
      box_probe_tell (probe, "plan", "this account's sessions have none");
      conclude (probe);
      return TRUE;
    }
  box_scratch_abort (probe->scratch, session);
  if (!try_open_sessions (probe, error))
    return FALSE;
  if (probe->file != NULL && !try_file (probe, error))
    return FALSE;
  conclude (probe);
  return TRUE;
}
