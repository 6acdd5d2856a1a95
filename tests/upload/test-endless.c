/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An answer that never changes: every answer of a table, given to one kind of request forever. The
 * upload ends in time, asks a bounded number of times, and never twice without a pause between. And
 * the same answers given once: if they are not Box's own words, the upload goes on.
 */
#include "upload-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"

#define SMALL 1000

/* Of the uploads; seconds. */
#define RETRY_TIMEOUT 1

/* How often one kind of request may be made in that time: three or four times, for two parts, and
 * for what is found on the way. */
#define FEW 30

/* A name has a hundred others. */
#define MANY 130

/* Less than the shortest pause there is, on the average of a cell: when a request is seen depends
 * on the machine's load. Microseconds. */
#define SHORTEST_PAUSE 10000

typedef struct
{
  const char *name;
  const char *action; /* of a rule */
  gboolean at_once;   /* libsoup itself asks once more, on another connection */
} Answer;

#define REPLY(status, rest)  "'do':'reply','status':" #status rest
#define JSON_CODE(code)      ",'json':{'type':'error','code':'" code "','message':'No'}"
#define HTML                 ",'headers':{'Content-Type':'text/html'},'body':'<html>No</html>'"
#define RETRY_AFTER(seconds) ",'headers':{'Retry-After':'" seconds "'}"
#define NO_FILE              "4711" /* becomes that of the file that has the name */
#define NAME_OF(type)                                                                              \
  ",'json':{'code':'item_name_in_use','context_info':{'conflicts':{'type':'" type                  \
  "','id':'" NO_FILE "','name':'a.bin','sha1':'da39a3ee5e6b4b0d3255bfef95601890afd80709'}}}"

static const Answer answers[] = {
  { "200-html", REPLY (200, HTML), FALSE },
  { "200-object", REPLY (200, ",'json':{}"), FALSE },
  { "200-error", REPLY (200, JSON_CODE ("internal_server_error")), FALSE },
  { "201-empty", REPLY (201, ""), FALSE },
  { "201-garbled", REPLY (201, ",'body':'{\\'id\\':'"), FALSE },
  { "204", REPLY (204, ""), FALSE },
  { "301", REPLY (301, ",'headers':{'Location':'http://portal.invalid/'}"), FALSE },
  { "302", REPLY (302, ",'headers':{'Location':'http://portal.invalid/'}"), FALSE },
  { "304", REPLY (304, ""), FALSE },
  { "400-empty", REPLY (400, ""), FALSE },
  { "400-html", REPLY (400, HTML), FALSE },
  { "400-bad-request", REPLY (400, JSON_CODE ("bad_request")), FALSE },
  { "400-name", REPLY (400, JSON_CODE ("item_name_invalid")), FALSE },
  { "400-digest", REPLY (400, JSON_CODE ("digest_mismatch")), FALSE },
  { "400-parts", REPLY (400, JSON_CODE ("parts_mismatch")), FALSE },
  { "401-empty", REPLY (401, ""), FALSE },
  { "401-box", REPLY (401, JSON_CODE ("unauthorized")), FALSE },
  { "403-empty", REPLY (403, ""), FALSE },
  { "403-box", REPLY (403, JSON_CODE ("forbidden")), FALSE },
  { "403-space", REPLY (403, JSON_CODE ("storage_limit_exceeded")), FALSE },
  { "403-later", REPLY (403, JSON_CODE ("forbidden") RETRY_AFTER ("1")), FALSE },
  { "404-html", REPLY (404, HTML), FALSE },
  { "404-box", REPLY (404, JSON_CODE ("not_found")), FALSE },
  { "405", REPLY (405, HTML), FALSE },
  { "407", REPLY (407, HTML), FALSE },
  { "408", REPLY (408, ""), FALSE },
  { "409-empty", REPLY (409, ""), FALSE },
  { "409-name-of-a-file", REPLY (409, NAME_OF ("file")), FALSE },
  { "409-name-of-a-folder", REPLY (409, NAME_OF ("folder")), FALSE },
  { "409-name", REPLY (409, JSON_CODE ("item_name_in_use")), FALSE },
  { "409-session", REPLY (409, JSON_CODE ("session_conflict")), FALSE },
  { "409-reserved", REPLY (409, JSON_CODE ("name_temporarily_reserved")), FALSE },
  { "410", REPLY (410, JSON_CODE ("session_expired")), FALSE },
  { "411", REPLY (411, HTML), FALSE },
  { "412-box", REPLY (412, JSON_CODE ("precondition_failed")), FALSE },
  { "412-empty", REPLY (412, ""), FALSE },
  { "413", REPLY (413, HTML), FALSE },
  { "416-overlap", REPLY (416, JSON_CODE ("range_overlaps_existing_part")), FALSE },
  { "416-range", REPLY (416, JSON_CODE ("invalid_range")), FALSE },
  { "416-empty", REPLY (416, ""), FALSE },
  { "421", REPLY (421, ""), FALSE },
  { "422", REPLY (422, HTML), FALSE },
  { "429", REPLY (429, ""), FALSE },
  { "429-at-once", REPLY (429, RETRY_AFTER ("0")), FALSE },
  { "429-in-an-hour", REPLY (429, RETRY_AFTER ("3600")), FALSE },
  { "451", REPLY (451, HTML), FALSE },
  { "500", REPLY (500, ""), FALSE },
  { "501", REPLY (501, HTML), FALSE },
  { "502", REPLY (502, HTML), FALSE },
  { "503-at-once", REPLY (503, RETRY_AFTER ("0")), FALSE },
  { "503-in-an-hour", REPLY (503, RETRY_AFTER ("3600")), FALSE },
  { "504", REPLY (504, HTML), FALSE },
  { "505", REPLY (505, HTML), FALSE },
  { "507", REPLY (507, HTML), FALSE },
  { "511", REPLY (511, HTML), FALSE },
  { "520", REPLY (520, HTML), FALSE },
  { "reset", "'do':'reset'", TRUE },
  { "reset-afterwards", "'do':'reset','at':'stored'", TRUE },
  { "closed", "'do':'close','at':'end'", TRUE },
  { "garbage", "'do':'garbage'", TRUE },
  { "header-cut", "'do':'close','at':'reply-head','bytes':20", TRUE },
  { "body-cut", "'do':'reset','at':'reply','bytes':3", TRUE },
};

/* Box's own words, or a wait of an hour, or what only matters at the start: not passing trouble. */
static const char *const believed[] = {
  "200-object",
  "200-error",
  "400-bad-request",
  "400-name",
  "400-digest",
  "400-parts",
  "401-box",
  "403-box",
  "403-space",
  "404-box",
  "407",
  "409-name-of-a-file",
  "409-name",
  "409-name-of-a-folder",
  "409-session",
  "410",
  "412-box",
  "416-overlap",
  "416-range",
  "429-in-an-hour",
  "503-in-an-hour",
  NULL,
};

typedef struct
{
  const char *name;
  const char *route;   /* of the request that is answered */
  const char *context; /* rules that lead there; nullable */
  guint64 size;
  enum
  {
    TO_SESSION,
    TO_FOLDER,
    TO_FILE,
  } to;
  BoxIfExists if_exists;
} Kind;

#define LARGE 20000000

static const Kind kinds[] = {
  { "looking-up-a-session", "get_session", NULL, 2 * PART, TO_SESSION, BOX_IF_EXISTS_ERROR },
  { "creating-a-session", "create_session", NULL, LARGE, TO_FOLDER, BOX_IF_EXISTS_ERROR },
  { "creating-a-session-or-renaming", "create_session", NULL, LARGE, TO_FOLDER,
    BOX_IF_EXISTS_RENAME },
  { "creating-a-session-or-a-version", "create_session", NULL, LARGE, TO_FOLDER,
    BOX_IF_EXISTS_VERSION },
  { "creating-a-versions-session", "create_version_session", NULL, LARGE, TO_FILE,
    BOX_IF_EXISTS_ERROR },
  { "creating-the-session-of-a-taken-name", "create_version_session", NULL, LARGE, TO_FOLDER,
    BOX_IF_EXISTS_VERSION },
  { "asking-for-a-name", "preflight", NULL, SMALL, TO_FOLDER, BOX_IF_EXISTS_RENAME },
  { "asking-for-a-version", "preflight_version", NULL, SMALL, TO_FOLDER, BOX_IF_EXISTS_VERSION },
  { "looking-at-the-file-before", "get_file", NULL, SMALL, TO_FILE, BOX_IF_EXISTS_ERROR },
  { "listing", "list_parts", NULL, 2 * PART, TO_SESSION, BOX_IF_EXISTS_ERROR },
  { "sending-a-part", "upload_part", NULL, 2 * PART, TO_SESSION, BOX_IF_EXISTS_ERROR },
  { "listing-after-a-lost-answer", "list_parts",
    "{'route':'upload_part','do':'reset','at':'stored'}", 2 * PART, TO_SESSION,
    BOX_IF_EXISTS_ERROR },
  { "committing", "commit", NULL, 2 * PART, TO_SESSION, BOX_IF_EXISTS_ERROR },
  { "looking-for-the-file", "preflight", "{'route':'commit','do':'reply','status':500}", 2 * PART,
    TO_SESSION, BOX_IF_EXISTS_ERROR },
  { "sending-a-small-file", "upload_file", NULL, SMALL, TO_FOLDER, BOX_IF_EXISTS_RENAME },
  { "sending-a-small-version", "upload_version", NULL, SMALL, TO_FILE, BOX_IF_EXISTS_ERROR },
  { "looking-at-a-small-version", "get_file",
    "{'route':'upload_version','do':'reply','status':500}", SMALL, TO_FILE, BOX_IF_EXISTS_ERROR },
};

/* One upload with an answer of its own. */
typedef struct
{
  const Kind *kind;
  const Answer *answer;
  char *token;
  char *file_id; /* of what has the name; nullable */
  gboolean once; /* the answer is given once */
  BoxClient *client;
  BoxUpload *upload;
  gint opened; /* atomic */
} Cell;

/* An upload that was opened after all waits for bytes, and gets none. */
static void
on_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  Cell *cell = user_data;

  if (cell->kind->size == LARGE)
    {
      g_atomic_int_set (&cell->opened, TRUE);
      box_upload_interrupt (cell->upload, TRUE);
    }
}

static void
add_rules (BoxEmulator *emulator, const char *rules)
{
  g_autoptr (GString) scenario = g_string_new (NULL);
  GError *error = NULL;

  g_string_printf (scenario, "{'rules':[%s]}", rules);
  g_string_replace (scenario, "\\'", "\001", 0);
  g_string_replace (scenario, "'", "\"", 0);
  g_string_replace (scenario, "\001", "\\\"", 0);
  if (!box_emulator_load_scenario (emulator, scenario->str, &error))
    g_error ("%s: %s", scenario->str, error->message);
}

static BoxDestination *
make_destination (Cell *cell, BoxEmulator *emulator, BoxDestination **target)
{
  g_autofree char *name = g_strconcat (cell->answer->name, ".bin", NULL), *id = NULL;

  switch (cell->kind->to)
    {
    case TO_SESSION:
      id = box_emulator_add_session (emulator, "0", name, NULL, cell->kind->size);
      *target = box_destination_new_folder ("0", name, NULL);
      return box_destination_new_session (id, NULL);
    case TO_FILE:
      cell->file_id = box_emulator_add_file (emulator, "0", name, "old", 3);
      return box_destination_new_file (cell->file_id, NULL);
    default:
      if (cell->kind->if_exists == BOX_IF_EXISTS_VERSION)
        cell->file_id = box_emulator_add_file (emulator, "0", name, "old", 3);
      return box_destination_new_folder ("0", name, NULL);
    }
}

static void
begin_cell (Cell *cell, BoxEmulator *emulator)
{
  BoxClientSettings client = { .access_token = cell->token, .timeout = 10 };
  g_autoptr (BoxDestination) target = NULL;
  g_autoptr (BoxDestination) destination = make_destination (cell, emulator, &target);
  g_autofree guint8 *bytes = NULL;
  g_autoptr (GString) rule = g_string_new (NULL);
  BoxUploadEvents events = { .session_opened = on_opened };
  BoxUploadSettings settings = {
    .destination = destination,
    .session_target = target,
    .size = cell->kind->size,
    .if_exists = cell->kind->if_exists,
    .commit = TRUE,
    .parallel = 1,
    .retry_timeout = cell->once ? 60 : RETRY_TIMEOUT,
  };
  GError *error = NULL;

  g_string_printf (rule, "{'route':'%s','token':'%s',%s%s}", cell->kind->route, cell->token,
                   cell->answer->action, cell->once ? ",'times':1" : "");
  if (cell->file_id != NULL)
    g_string_replace (rule, NO_FILE, cell->file_id, 0);
  add_rules (emulator, rule->str);
  settings.client = cell->client = kit_client_new (emulator, FALSE, &client);
  cell->upload = box_upload_new (&settings, &events, cell, NULL, &error);
  g_assert_no_error (error);
  box_upload_start (cell->upload);
  /* An upload without a session gets no bytes. */
  if (cell->kind->size < LARGE)
    {
      bytes = g_malloc (cell->kind->size);
      kit_pattern_fill (0, bytes, cell->kind->size);
      if (box_upload_write (cell->upload, bytes, cell->kind->size) == cell->kind->size)
        box_upload_finish (cell->upload);
    }
}

static gboolean
is_for (const Cell *cell, const BoxEmulatorRequest *request)
{
  return g_strcmp0 (request->token, cell->token) == 0;
}

/* Counts what @cell asked, and looks at the pauses between the requests of its kind. */
static void
check_requests (const Cell *cell, BoxEmulator *emulator)
{
  g_autoptr (GPtrArray) all = box_emulator_get_requests (emulator, cell->kind->route);
  const BoxEmulatorRequest *first = NULL, *last = NULL;
  guint limit = cell->kind->if_exists == BOX_IF_EXISTS_RENAME ? MANY : FEW, n = 0;

  for (guint i = 0; i < all->len; i++)
    {
      const BoxEmulatorRequest *request = g_ptr_array_index (all, i);

      if (!is_for (cell, request))
        continue;
      first = first != NULL ? first : request;
      last = request;
      n++;
    }
  if (n == 0 || n > limit)
    g_error ("%s, %s: %u requests", cell->kind->name, cell->answer->name, n);
  if (n > 2 && !cell->answer->at_once && last->began - first->began < (n - 1) * SHORTEST_PAUSE)
    g_error ("%s, %s: %u requests in %d us", cell->kind->name, cell->answer->name, n,
             (int) (last->began - first->began));
}

static void
end_cell (Cell *cell, BoxEmulator *emulator)
{
  g_autoptr (GError) error = NULL;
  BoxWait wait = box_upload_wait_done (cell->upload, KIT_PATIENCE_US);

  error = box_upload_get_error (cell->upload);
  if (wait != BOX_WAIT_READY && wait != BOX_WAIT_FAILED && !g_atomic_int_get (&cell->opened))
    g_error ("%s, %s: does not end", cell->kind->name, cell->answer->name);
  g_test_message ("%s: %s", cell->answer->name, error != NULL ? error->message : "done");
  if (!cell->once)
    check_requests (cell, emulator);
  else if (error != NULL)
    g_error ("%s, %s: %s", cell->kind->name, cell->answer->name, error->message);
}

/* Each of the @n uploads made one file, or one version of the one that was there. */
static void
assert_made_once (const Cell *cells, guint n, BoxEmulator *emulator)
{
  if (cells[0].kind->size == LARGE)
    return;
  g_assert_cmpuint (box_emulator_count_files (emulator), ==, n);
  for (guint i = 0; i < n; i++)
    if (cells[i].file_id != NULL)
      {
        g_autoptr (BoxEmulatorFile) file = box_emulator_get_file (emulator, cells[i].file_id);

        if (file->n_versions != 2)
          g_error ("%s, %s: %u versions", cells[i].kind->name, cells[i].answer->name,
                   file->n_versions);
      }
}

static void
run_cells (const Kind *kind, gboolean once)
{
  BoxEmulatorOptions options = { .part_size = PART, .min_size = 1 };
  g_autoptr (BoxEmulator) emulator = kit_emulator_new (&options);
  Cell cells[G_N_ELEMENTS (answers)];
  guint n = 0;

  if (kind->context != NULL)
    add_rules (emulator, kind->context);
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      if (once && g_strv_contains (believed, answers[i].name))
        continue;
      cells[n] = (Cell){
        .kind = kind, .answer = &answers[i], .token = g_strdup_printf ("token-%u", i), .once = once
      };
      begin_cell (&cells[n++], emulator);
    }
  for (guint i = 0; i < n; i++)
    end_cell (&cells[i], emulator);
  if (once)
    assert_made_once (cells, n, emulator);
  for (guint i = 0; i < n; i++)
    {
      box_upload_cancel (cells[i].upload);
      box_upload_unref (cells[i].upload);
      box_client_unref (cells[i].client);
      g_free (cells[i].token);
      g_free (cells[i].file_id);
    }
}

static void
test_for_ever (gconstpointer data)
{
  run_cells (data, FALSE);
}

static void
test_once (gconstpointer data)
{
  run_cells (data, TRUE);
}

/* The success had no body: the next try finds the session as a conflict, and takes it. */
static void
test_a_session_made_without_a_word_is_used (void)
{
  static const Answer silent = { "silent", "'do':'reply','at':'stored','status':201", FALSE };
  BoxEmulatorOptions options = { .part_size = PART, .min_size = 1, .session_conflicts = TRUE };
  g_autoptr (BoxEmulator) emulator = kit_emulator_new (&options);
  Cell cell = { .kind = &kinds[1], .answer = &silent, .token = (char *) "a-token", .once = TRUE };
  g_autoptr (GPtrArray) ids = NULL;

  g_assert_cmpstr (kinds[1].route, ==, "create_session");
  begin_cell (&cell, emulator);
  end_cell (&cell, emulator);
  ids = box_emulator_get_session_ids (emulator);
  g_assert_cmpuint (ids->len, ==, 1);
  box_upload_cancel (cell.upload);
  box_upload_unref (cell.upload);
  box_client_unref (cell.client);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strconcat ("/endless/", kinds[i].name, NULL);
      g_autofree char *once = g_strconcat ("/once/", kinds[i].name, NULL);

      g_test_add_data_func (path, &kinds[i], test_for_ever);
      if (kinds[i].context == NULL)
        g_test_add_data_func (once, &kinds[i], test_once);
    }
  g_test_add_func ("/once/a-session-made-without-a-word-is-used",
                   test_a_session_made_without_a_word_is_used);
  return g_test_run ();
}
