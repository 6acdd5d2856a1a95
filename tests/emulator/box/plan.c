/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plan of a session: which parts are there already, by their SHA-512. Nobody knows yet how far
 * Box looks for them, so that is an option (EmuPlanRules). The bytes of a hit are copied into the
 * session at once, so that their source may go.
 */
#include "emulator/box/sessions-state.h"

#include "base/digest.h"
#include "emulator/base/json.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE 262144

/* A part that a client asks for. */
typedef struct
{
  gint64 offset;
  gint64 size;
  const char *sha512;
} Wanted;

static gboolean
parse_wanted (JsonNode *node, Wanted *wanted, EmuProblem *problem)
{
  JsonObject *entry = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  wanted->offset = emu_json_int (entry, "offset", -1);
  wanted->size = emu_json_int (entry, "size", -1);
  wanted->sha512 = emu_json_string (entry, "sha512");
  return (wanted->offset >= 0 && wanted->size > 0 && wanted->sha512 != NULL
          && strlen (wanted->sha512) == 2 * BOX_SHA512_SIZE
          && strspn (wanted->sha512, "0123456789abcdefABCDEF") == 2 * BOX_SHA512_SIZE)
         || emu_problem_set (problem, 400, "bad_request",
                             "A part needs \"offset\", \"size\" and \"sha512\" (hex)");
}

/* Where the bytes of a stored part are. */
static int
open_part (EmuSession *session, guint index, gint64 *offset)
{
  g_autofree char *apart = emu_session_get_part_path (session, index);
  gboolean in_data = !session->parts[index].apart;

  *offset = in_data ? (gint64) (index * session->part_size) : 0;
  return open (in_data ? session->data_path : apart, O_RDONLY | O_CLOEXEC);
}

/* Gives the bytes of a stored part to @take. */
static gboolean
read_part (EmuSession *session, guint index,
           gboolean (*take) (gconstpointer data, gsize size, gpointer user_data),
           gpointer user_data)
{
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gint64 left = (gint64) emu_session_get_part_length (session, index), offset;
  int fd = open_part (session, index, &offset);
  gboolean ok = fd >= 0;

  while (ok && left > 0)
    {
      gssize n = pread (fd, buffer, (gsize) MIN (left, BUFFER_SIZE), offset);

      ok = n > 0 && take (buffer, (gsize) n, user_data);
      offset += n;
      left -= n;
    }
  if (fd >= 0)
    close (fd);
  return ok;
}

static gboolean
hash_piece (gconstpointer data, gsize size, gpointer digest)
{
  box_digest_update (digest, data, size);
  return TRUE;
}

/* Hex; owned by the part. NULL: it cannot be read. */
static const char *
get_sha512 (EmuSession *session, guint index)
{
  EmuPart *part = &session->parts[index];
  g_autoptr (BoxDigest) digest = NULL;
  BoxSha512 sha512;

  if (part->sha512 != NULL)
    return part->sha512;
  digest = box_digest_new_sha512 ();
  if (!read_part (session, index, hash_piece, digest))
    return NULL;
  box_digest_finish_sha512 (digest, &sha512);
  part->sha512 = box_sha512_to_hex (&sha512);
  return part->sha512;
}

/* Whether the rules let @session have parts of @source. */
static gboolean
is_in_scope (EmuPlanRules *rules, EmuSession *session, EmuSession *source)
{
  switch (rules->scope)
    {
    case BOX_EMULATOR_PLAN_ABSENT:
    case BOX_EMULATOR_PLAN_NONE:
      return FALSE;
    case BOX_EMULATOR_PLAN_SESSION:
      return source == session;
    case BOX_EMULATOR_PLAN_FILE:
      return source == session
             || (session->file_id != NULL && source->state == EMU_SESSION_COMMITTED
                 && g_strcmp0 (source->made_id, session->file_id) == 0);
    default:
      return g_str_equal (source->owner, session->owner);
    }
}

static gboolean
is_old_enough (EmuSessions *sessions, const EmuPart *part)
{
  const EmuPlanRules *rules = &sessions->plan;

  return rules->scope != BOX_EMULATOR_PLAN_LATE
         || part->stored + (gint64) rules->delay * G_USEC_PER_SEC
                <= emu_clock_now (sessions->clock);
}

/* The part with these bytes; FALSE: it is not there, or the rules do not let it be found. One that
 * is stored is there, although the request that sent it may not have ended yet. */
static gboolean
find_in_locked (EmuSessions *sessions, EmuSession *source, const Wanted *wanted, guint *index)
{
  for (guint i = 0; i < source->n_parts; i++)
    {
      const EmuPart *part = &source->parts[i];

      if (part->id[0] == '\0' || !is_old_enough (sessions, part)
          || (gint64) emu_session_get_part_length (source, i) != wanted->size)
        continue;
      if (g_ascii_strcasecmp (get_sha512 (source, i), wanted->sha512) == 0)
        {
          *index = i;
          return TRUE;
        }
    }
  return FALSE;
}

static EmuSession *
find_source_locked (EmuSessions *sessions, EmuSession *session, const Wanted *wanted, guint *index)
{
  GHashTableIter iter;
  gpointer value;

  if (sessions->plan.n_asked <= sessions->plan.late_requests)
    return NULL;
  g_hash_table_iter_init (&iter, sessions->by_id);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (is_in_scope (&sessions->plan, session, value)
        && find_in_locked (sessions, value, wanted, index))
      return value;
  return NULL;
}

typedef struct
{
  int fd;
  gint64 offset;
} Target;

static gboolean
write_piece (gconstpointer data, gsize size, gpointer user_data)
{
  Target *target = user_data;
  gboolean ok = pwrite (target->fd, data, size, target->offset) == (gssize) size;

  target->offset += (gint64) size;
  return ok;
}

/* @session gets the bytes. */
static gboolean
bring_in (EmuSession *session, guint index, EmuSession *source, guint from)
{
  Target target = { .fd = open (session->data_path, O_WRONLY | O_CLOEXEC),
                    .offset = (gint64) (index * session->part_size) };
  gboolean ok = target.fd >= 0 && read_part (source, from, write_piece, &target);

  if (target.fd >= 0)
    close (target.fd);
  return ok;
}

/* The id of a part of @session that has these bytes, for a commit; NULL: a miss. */
static const char *
hit_locked (EmuSessions *sessions, EmuSession *session, const Wanted *wanted)
{
  static char invented[9];
  guint64 index = (guint64) wanted->offset / session->part_size;
  EmuSession *source;
  EmuPart *part;
  guint from;

  if (wanted->offset % session->part_size != 0 || index >= session->n_parts
      || wanted->size != (gint64) emu_session_get_part_length (session, (guint) index))
    return NULL;
  source = find_source_locked (sessions, session, wanted, &from);
  part = &session->parts[index];
  if (source == NULL || part->busy)
    return NULL;
  if (source == session && from == index)
    return part->id;
  if (sessions->plan.scope == BOX_EMULATOR_PLAN_LYING)
    {
      g_snprintf (invented, sizeof invented, "%08X", g_random_int ());
      return invented;
    }
  if (sessions->plan.scope != BOX_EMULATOR_PLAN_WRONG
      && !bring_in (session, (guint) index, source, from))
    return NULL;
  if (part->hit[0] == '\0')
    g_snprintf (part->hit, sizeof part->hit, "%08X", g_random_int ());
  return part->hit;
}

static void
add_entry (JsonArray *entries, const Wanted *wanted, const char *id)
{
  JsonObject *object = json_object_new ();

  json_object_set_int_member (object, "offset", wanted->offset);
  json_object_set_int_member (object, "size", wanted->size);
  json_object_set_string_member (object, "sha512", wanted->sha512);
  if (id != NULL)
    json_object_set_string_member (object, "part_id", id);
  json_array_add_object_element (entries, object);
}

/* FALSE: @problem. */
static gboolean
answer_locked (EmuSessions *sessions, EmuSession *session, JsonArray *parts, JsonArray *hits,
               JsonArray *misses, EmuProblem *problem)
{
  if (sessions->plan.scope == BOX_EMULATOR_PLAN_ABSENT)
    return emu_problem_set (problem, 404, "not_found", "Not Found");
  if (!emu_sessions_check_locked (sessions, session, problem))
    return FALSE;
  sessions->plan.n_asked++;
  for (guint i = 0; i < json_array_get_length (parts); i++)
    {
      Wanted wanted;
      const char *id;

      if (!parse_wanted (json_array_get_element (parts, i), &wanted, problem))
        return FALSE;
      id = hit_locked (sessions, session, &wanted);
      add_entry (id != NULL ? hits : misses, &wanted, id);
    }
  return TRUE;
}

JsonObject *
emu_sessions_plan (EmuSessions *sessions, EmuSession *session, JsonArray *parts,
                   EmuProblem *problem)
{
  g_autoptr (JsonArray) hits = json_array_new ();
  g_autoptr (JsonArray) misses = json_array_new ();
  JsonObject *object;
  gboolean ok;

  if (parts == NULL || json_array_get_length (parts) == 0)
    {
      emu_problem_set (problem, 400, "bad_request", "At least one part is required");
      return NULL;
    }
  g_mutex_lock (&sessions->lock);
  ok = answer_locked (sessions, session, parts, hits, misses, problem);
  g_mutex_unlock (&sessions->lock);
  if (!ok)
    return NULL;
  object = json_object_new ();
  json_object_set_string_member (object, "upload_session_id", session->id);
  json_object_set_array_member (object, "hits", g_steal_pointer (&hits));
  json_object_set_array_member (object, "misses", g_steal_pointer (&misses));
  return object;
}

void
emu_sessions_set_part_size (EmuSessions *sessions, guint64 part_size)
{
  g_mutex_lock (&sessions->lock);
  sessions->rules.part_size = part_size;
  g_mutex_unlock (&sessions->lock);
}

void
emu_sessions_set_plan (EmuSessions *sessions, BoxEmulatorPlan scope, guint delay,
                       guint late_requests)
{
  g_mutex_lock (&sessions->lock);
  sessions->plan = (EmuPlanRules){
    .scope = scope,
    .delay = delay,
    .late_requests = late_requests,
  };
  g_mutex_unlock (&sessions->lock);
}
