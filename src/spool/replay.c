/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state that the lines of a journal add up to. Lines that pass their check may still be
 * hostile, so every value is checked as if it came from the network.
 */
#include "spool/journal-ahead.h"

#include "base/json.h"

#include <string.h>

/* Longest line that is read: a session is below 2 kB, an intent with the longest name and
 * description below 10 kB. */
#define LINE_MAX_LENGTH (1u << 16)

/* FALSE unless the member is a whole number from 0 on. */
static gboolean
get_size (JsonObject *object, const char *name, guint64 *value)
{
  return box_json_get_uint64 (object, name, 0, G_MAXINT64, value, NULL);
}

/* FALSE unless the member is one of @names. */
static gboolean
get_choice (JsonObject *object, const char *name, const char *const *names, gsize n_names,
            guint *value)
{
  const char *text = box_json_peek_string (object, name);

  for (gsize i = 0; i < n_names; i++)
    if (g_strcmp0 (text, names[i]) == 0)
      {
        *value = (guint) i;
        return TRUE;
      }
  return FALSE;
}

/* FALSE if the record makes no sense. @has: (out): whether there is a record. */
static gboolean
get_sha1 (JsonObject *object, gboolean *has, BoxSha1 *sha1)
{
  *has = json_object_has_member (object, "sha1");
  return !*has || box_sha1_from_hex (box_json_peek_string (object, "sha1"), sha1);
}

/* A file in the folder; with a path, below it. */
static BoxDestination *
parse_place (JsonObject *object, const char *folder, const char *name)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) path = NULL;
  gboolean create = TRUE;
  JsonArray *array;

  if (!box_json_find_array (object, "path", &array, NULL))
    return NULL;
  if (array == NULL)
    return box_destination_new_folder (folder, name, NULL);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (json_node_get_value_type (element) != G_TYPE_STRING)
        return NULL;
      g_strv_builder_add (names, json_node_get_string (element));
    }
  path = g_strv_builder_end (names);
  return box_json_get_boolean (object, "create-folders", &create)
             ? box_destination_new_in_path (folder, (const char *const *) path, create, name, NULL)
             : NULL;
}

static BoxDestination *
parse_destination (JsonObject *object)
{
  const char *session = box_json_peek_string (object, "session");
  const char *folder = box_json_peek_string (object, "folder");
  const char *name = box_json_peek_string (object, "name");
  const char *file = box_json_peek_string (object, "file");

  if (session != NULL && folder == NULL && name == NULL && file == NULL)
    return box_destination_new_session (session, NULL);
  if (session == NULL && folder != NULL && name != NULL && file == NULL)
    return parse_place (object, folder, name);
  if (session == NULL && folder == NULL && name == NULL && file != NULL)
    return box_destination_new_file (file, NULL);
  return NULL;
}

/* FALSE: it makes no sense. */
static gboolean
get_metadata (JsonObject *object, BoxMetadata **metadata)
{
  JsonObject *values;

  if (!box_json_find_object (object, "metadata", &values, NULL))
    return FALSE;
  if (values != NULL)
    *metadata = box_metadata_new (box_json_peek_string (object, "template"), values, NULL);
  return values == NULL || *metadata != NULL;
}

static gboolean
apply_intent (BoxJournalState *state, JsonObject *object)
{
  g_autoptr (BoxRecordingIntent) intent = g_new0 (BoxRecordingIntent, 1);
  guint64 version, created;
  guint sizing, padding, if_exists;

  if (state->intent != NULL || !get_size (object, "version", &version))
    return FALSE;
  if (version != BOX_JOURNAL_VERSION && version != BOX_JOURNAL_VERSION_PATH)
    {
      state->foreign_version = version;
      return TRUE;
    }
  intent->destination = parse_destination (object);
  if (intent->destination == NULL || !get_size (object, "size", &intent->size)
      || !get_size (object, "created", &created)
      || !get_choice (object, "sizing", box_journal_sizing_names,
                      G_N_ELEMENTS (box_journal_sizing_names), &sizing)
      || !get_choice (object, "padding", box_journal_padding_names,
                      G_N_ELEMENTS (box_journal_padding_names), &padding)
      || padding == BOX_PADDING_AUTO
      || !get_choice (object, "if-exists", box_journal_if_exists_names,
                      G_N_ELEMENTS (box_journal_if_exists_names), &if_exists)
      || !box_json_get_boolean (object, "commit", &intent->commit)
      || !get_metadata (object, &intent->metadata))
    return FALSE;
  intent->sizing = (BoxSizing) sizing;
  intent->padding = (BoxPaddingKind) padding;
  intent->if_exists = (BoxIfExists) if_exists;
  intent->created = (gint64) created;
  intent->description = g_strdup (box_json_peek_string (object, "description"));
  intent->content_created_at = g_strdup (box_json_peek_string (object, "content-created-at"));
  intent->content_modified_at = g_strdup (box_json_peek_string (object, "content-modified-at"));
  state->intent = g_steal_pointer (&intent);
  return TRUE;
}

/* Its parts may still be found by their SHA-512. */
static void
forget_session (BoxJournalState *state)
{
  g_clear_pointer (&state->session, box_session_free);
  state->session_size = 0;
  g_ptr_array_extend_and_steal (state->elsewhere, state->parts);
  state->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
}

BoxSession *
box_journal_read_session (JsonObject *object, guint64 *size)
{
  JsonNode *node = json_object_get_member (object, "session");
  g_autoptr (BoxSession) session = NULL;

  if (node == NULL || !get_size (object, "size", size))
    return NULL;
  session = box_session_parse (node, NULL);
  if (session == NULL || !box_session_fits (session, *size))
    return NULL;
  return g_steal_pointer (&session);
}

static gboolean
apply_folder (BoxJournalState *state, JsonObject *object)
{
  const char *id = box_json_peek_string (object, "id");
  g_autoptr (BoxDestination) checked = NULL;

  if (id != NULL)
    checked = box_destination_new_folder (id, "a", NULL);
  if (checked == NULL)
    return FALSE;
  g_free (state->folder_id);
  state->folder_id = g_strdup (id);
  return TRUE;
}

static gboolean
apply_session (BoxJournalState *state, JsonObject *object)
{
  g_autoptr (BoxSession) session = NULL;
  guint64 size;

  forget_session (state);
  session = box_journal_read_session (object, &size);
  if (session == NULL)
    return FALSE;
  state->session = g_steal_pointer (&session);
  state->session_size = size;
  return TRUE;
}

static gint
compare_offset (gconstpointer a, gconstpointer b)
{
  const BoxPart *left = *(BoxPart *const *) a, *right = *(BoxPart *const *) b;

  return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* Whether @part is exactly one part of the session's grid. */
static gboolean
is_on_grid (const BoxJournalState *state, const BoxPart *part)
{
  if (part->offset >= state->session_size || part->offset % state->session->part_size != 0)
    return FALSE;
  return part->size == MIN (state->session->part_size, state->session_size - part->offset);
}

/* FALSE where there is one that makes no sense. */
static gboolean
get_sha512 (JsonObject *object, BoxPart *part)
{
  part->has_sha512 = json_object_has_member (object, "sha512");
  return !part->has_sha512
         || box_sha512_from_hex (box_json_peek_string (object, "sha512"), &part->sha512);
}

BoxPart *
box_journal_read_part (JsonObject *object, const char *session_id)
{
  g_autoptr (BoxPart) part = g_new0 (BoxPart, 1);
  const char *id = box_json_peek_string (object, "id");

  if (g_strcmp0 (box_json_peek_string (object, "session"), session_id) != 0 || id == NULL
      || *id == '\0' || !get_size (object, "offset", &part->offset)
      || !get_size (object, "size", &part->size) || !get_sha1 (object, &part->has_sha1, &part->sha1)
      || !get_sha512 (object, part))
    return NULL;
  part->id = g_strdup (id);
  return g_steal_pointer (&part);
}

static gboolean
apply_part (BoxJournalState *state, JsonObject *object)
{
  g_autoptr (BoxPart) part = NULL;

  if (state->session == NULL)
    return FALSE;
  part = box_journal_read_part (object, state->session->id);
  if (part == NULL || !is_on_grid (state, part))
    return FALSE;
  g_ptr_array_add (state->parts, g_steal_pointer (&part));
  return TRUE;
}

static gboolean
ends_equal (const BoxRecordingEnd *a, const BoxRecordingEnd *b)
{
  return a->size == b->size && a->total == b->total && a->padding == b->padding
         && a->has_sha1 == b->has_sha1 && (!a->has_sha1 || box_sha1_equal (&a->sha1, &b->sha1));
}

/* Whether the padding that @end names can fill what it says. */
static gboolean
end_makes_sense (const BoxRecordingEnd *end)
{
  if (end->total < end->size || end->padding == BOX_PADDING_AUTO)
    return FALSE;
  if (end->total == end->size)
    return TRUE;
  return end->padding != BOX_PADDING_NONE
         && end->total - end->size >= box_padding_min_size (end->padding);
}

static gboolean
apply_end (BoxJournalState *state, JsonObject *object)
{
  BoxRecordingEnd end = { 0 };
  guint padding;

  if (!get_size (object, "size", &end.size) || !get_size (object, "total", &end.total)
      || !get_choice (object, "padding", box_journal_padding_names,
                      G_N_ELEMENTS (box_journal_padding_names), &padding)
      || !get_sha1 (object, &end.has_sha1, &end.sha1))
    return FALSE;
  end.padding = (BoxPaddingKind) padding;
  if (!end_makes_sense (&end))
    return FALSE;
  if (state->ended && !ends_equal (&state->end, &end))
    {
      /* Two ends: neither is to be believed. */
      state->ended = FALSE;
      return FALSE;
    }
  state->end = end;
  state->ended = TRUE;
  return TRUE;
}

static gboolean
apply_committed (BoxJournalState *state, JsonObject *object)
{
  g_autoptr (BoxFile) file = g_new0 (BoxFile, 1);
  const char *id = box_json_peek_string (object, "id");

  if (id == NULL || *id == '\0' || !get_sha1 (object, &file->has_sha1, &file->sha1))
    return FALSE;
  file->id = g_strdup (id);
  file->version_id = g_strdup (box_json_peek_string (object, "version"));
  file->name = g_strdup (box_json_peek_string (object, "name"));
  file->etag = g_strdup (box_json_peek_string (object, "etag"));
  file->has_size = get_size (object, "size", &file->size);
  g_clear_pointer (&state->file, box_file_free);
  state->file = g_steal_pointer (&file);
  return TRUE;
}

static gboolean
apply_committing (BoxJournalState *state, JsonObject *object)
{
  state->commit_begun = TRUE;
  return TRUE;
}

static gboolean
apply_live (BoxJournalState *state, JsonObject *object)
{
  BoxDestination *target = parse_destination (object);

  state->commit_begun = TRUE;
  g_clear_pointer (&state->live, box_destination_free);
  state->live = target;
  return target != NULL;
}

static gboolean
apply_kept (BoxJournalState *state, JsonObject *object)
{
  state->kept = state->file != NULL;
  return state->kept;
}

static gboolean
apply_settled (BoxJournalState *state, JsonObject *object)
{
  state->settled = state->file != NULL;
  return state->settled;
}

static gboolean
apply_redirected (BoxJournalState *state, JsonObject *object)
{
  g_autoptr (BoxDestination) destination = parse_destination (object);
  BoxRecordingIntent *intent = state->intent;
  gboolean given;
  guint if_exists;

  if (intent == NULL || destination == NULL || destination->kind == BOX_DESTINATION_SESSION
      || !get_choice (object, "if-exists", box_journal_if_exists_names,
                      G_N_ELEMENTS (box_journal_if_exists_names), &if_exists))
    return FALSE;
  /* The application that was to commit a session knows nothing of another one. */
  given = intent->destination->kind == BOX_DESTINATION_SESSION;
  intent->commit |= given;
  if (state->commit_begun && state->folder_id != NULL)
    g_ptr_array_add (state->earlier,
                     box_destination_new_resolved (intent->destination, state->folder_id));
  else if (state->commit_begun)
    g_ptr_array_add (state->earlier, g_steal_pointer (&intent->destination));
  g_clear_pointer (&state->folder_id, g_free);
  g_clear_pointer (&intent->destination, box_destination_free);
  intent->destination = g_steal_pointer (&destination);
  intent->if_exists = (BoxIfExists) if_exists;
  if (state->live != NULL)
    g_ptr_array_add (state->earlier, g_steal_pointer (&state->live));
  state->commit_begun = FALSE;
  if (state->session != NULL && !given)
    g_ptr_array_add (state->left, g_steal_pointer (&state->session));
  forget_session (state);
  return TRUE;
}

static gboolean
apply_failed (BoxJournalState *state, JsonObject *object)
{
  const char *message = box_json_peek_string (object, "message");
  guint64 time;

  if (message == NULL || !get_size (object, "time", &time))
    return FALSE;
  g_free (state->failure);
  state->failure = g_strdup (message);
  state->failed_at = (gint64) time;
  return TRUE;
}

/* FALSE if the record makes no sense. Records that a later version may have added are skipped. */
static gboolean
apply_record (BoxJournalState *state, JsonObject *object)
{
  static const struct
  {
    const char *kind;
    gboolean (*apply) (BoxJournalState *state, JsonObject *object);
  } records[] = {
    { "recording", apply_intent },
    { "folder", apply_folder },
    { "session", apply_session },
    { "part", apply_part },
    { "end", apply_end },
    { "live", apply_live },
    { "committing", apply_committing },
    { "committed", apply_committed },
    { "kept", apply_kept },
    { "settled", apply_settled },
    { "redirected", apply_redirected },
    { "failed", apply_failed },
    { "seed", box_journal_apply_seed },
    { "ahead", box_journal_apply_ahead },
    { "rewritten", box_journal_apply_rewritten },
    { "seed-aborted", box_journal_apply_seed_aborted },
  };
  const char *kind = box_json_peek_string (object, "record");

  for (gsize i = 0; i < G_N_ELEMENTS (records); i++)
    if (g_strcmp0 (kind, records[i].kind) == 0)
      return records[i].apply (state, object);
  return kind != NULL;
}

static gboolean
has_valid_check (const char *line, gsize length)
{
  const char *check = line + length - CHECK_LENGTH;
  char digits[CHECK_DIGITS + 1];

  if (length <= CHECK_LENGTH || memcmp (check, CHECK_PREFIX, sizeof CHECK_PREFIX - 1) != 0
      || memcmp (line + length - (sizeof CHECK_SUFFIX - 1), CHECK_SUFFIX, sizeof CHECK_SUFFIX - 1)
             != 0)
    return FALSE;
  box_journal_check_of (line, length - CHECK_LENGTH, digits);
  return memcmp (check + sizeof CHECK_PREFIX - 1, digits, CHECK_DIGITS) == 0;
}

/* NULL if @line (without its newline) is not whole and valid. */
static JsonNode *
parse_line (const char *line, gsize length)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (length > LINE_MAX_LENGTH || !has_valid_check (line, length))
    return NULL;
  bytes = g_bytes_new_static (line, length);
  node = box_json_parse (bytes, NULL);
  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? g_steal_pointer (&node) : NULL;
}

/* Sorts the parts and drops repeated ones; the last of them is kept. */
static void
tidy_parts (GPtrArray *parts)
{
  guint kept = 0;

  g_ptr_array_sort (parts, compare_offset);
  for (guint i = 0; i < parts->len; i++)
    {
      BoxPart *part = parts->pdata[i];
      gboolean repeated =
          i + 1 < parts->len && part->offset == ((BoxPart *) parts->pdata[i + 1])->offset;

      if (repeated)
        box_part_free (part);
      else
        parts->pdata[kept++] = part;
    }
  while (parts->len > kept)
    g_ptr_array_steal_index (parts, parts->len - 1);
}

BoxJournalState *
box_journal_replay (const char *data, gsize length)
{
  BoxJournalState *state = g_new0 (BoxJournalState, 1);
  gsize start = 0;

  state->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  state->elsewhere = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  state->ahead = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  state->earlier = g_ptr_array_new_with_free_func ((GDestroyNotify) box_destination_free);
  state->left = g_ptr_array_new_with_free_func ((GDestroyNotify) box_session_free);
  while (start < length && state->foreign_version == 0)
    {
      const char *newline = memchr (data + start, '\n', length - start);
      gsize end = newline != NULL ? (gsize) (newline - data) : length;
      g_autoptr (JsonNode) node = NULL;

      /* Without a newline the line was being written when the power went: it never counted. */
      if (newline == NULL)
        {
          state->torn = TRUE;
          break;
        }
      node = parse_line (data + start, end - start);
      if (node == NULL || !apply_record (state, json_node_get_object (node)))
        state->damaged = TRUE;
      start = end + 1;
      state->valid_length = start;
    }
  box_journal_settle_ahead (state);
  tidy_parts (state->parts);
  tidy_parts (state->elsewhere);
  return state;
}

gboolean
box_journal_is_unsettled (const BoxJournalState *state)
{
  return state->file != NULL && !state->settled && state->intent != NULL
         && state->intent->metadata != NULL;
}

gboolean
box_journal_needs_data (const BoxJournalState *state)
{
  return state->file == NULL && !(state->ended && state->end.size == 0);
}

static gpointer
copy_part (gconstpointer part, gpointer user_data)
{
  return box_part_copy (part);
}

static gpointer
copy_session (gconstpointer session, gpointer user_data)
{
  return box_session_copy (session);
}

static gpointer
copy_destination (gconstpointer destination, gpointer user_data)
{
  return box_destination_copy (destination);
}

BoxJournalState *
box_journal_state_copy (const BoxJournalState *state)
{
  BoxJournalState *copy = g_memdup2 (state, sizeof *state);

  copy->intent = box_recording_intent_copy (state->intent);
  copy->folder_id = g_strdup (state->folder_id);
  copy->session = state->session != NULL ? box_session_copy (state->session) : NULL;
  copy->parts = g_ptr_array_copy (state->parts, (GCopyFunc) copy_part, NULL);
  copy->elsewhere = g_ptr_array_copy (state->elsewhere, (GCopyFunc) copy_part, NULL);
  copy->ahead = g_ptr_array_copy (state->ahead, (GCopyFunc) copy_part, NULL);
  copy->seed = state->seed != NULL ? box_session_copy (state->seed) : NULL;
  copy->earlier = g_ptr_array_copy (state->earlier, (GCopyFunc) copy_destination, NULL);
  copy->left = g_ptr_array_copy (state->left, (GCopyFunc) copy_session, NULL);
  copy->live = state->live != NULL ? box_destination_copy (state->live) : NULL;
  copy->file = state->file != NULL ? box_file_copy (state->file) : NULL;
  copy->failure = g_strdup (state->failure);
  return copy;
}

void
box_journal_state_free (BoxJournalState *state)
{
  if (state == NULL)
    return;
  box_recording_intent_free (state->intent);
  g_free (state->folder_id);
  g_clear_pointer (&state->session, box_session_free);
  g_ptr_array_unref (state->parts);
  g_ptr_array_unref (state->elsewhere);
  g_ptr_array_unref (state->ahead);
  g_clear_pointer (&state->seed, box_session_free);
  g_ptr_array_unref (state->earlier);
  g_ptr_array_unref (state->left);
  g_clear_pointer (&state->live, box_destination_free);
  g_clear_pointer (&state->file, box_file_free);
  g_free (state->failure);
  g_free (state);
}
