/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole files: preflight, direct upload, download.
 */
#include "emulator/base/json.h"
#include "emulator/http/multipart.h"
#include "emulator/routes/routes.h"

#include "base/digest.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE      262144
#define ATTRIBUTES_LIMIT 65536

/* --- preflight ---------------------------------------------------------------------------------
 */

/* Where to send the file: the query is Box's own, and of no consequence here. */
static void
reply_upload_url (EmuCall *call, const char *file_id)
{
  JsonObject *object = json_object_new ();
  g_autofree char *origin = emu_call_get_upload_origin (call);
  g_autofree char *item = file_id != NULL ? g_strconcat (file_id, "/", NULL) : g_strdup ("");
  g_autofree char *url =
      g_strdup_printf ("%s/api/2.0/files/%scontent?upload_session_id=%08x%08x%08x%08x", origin,
                       item, g_random_int (), g_random_int (), g_random_int (), g_random_int ());

  json_object_set_string_member (object, "upload_url", url);
  json_object_set_null_member (object, "upload_token");
  if (file_id != NULL)
    json_object_set_null_member (object, "download_url");
  emu_call_reply_json (call, 200, object);
}

static void
preflight (EmuCall *call, const char *file_id)
{
  g_auto (EmuProblem) problem = { 0 };
  const char *folder = emu_json_string (emu_json_object (call->json, "parent"), "id");
  EmuPut put = { .folder_id = file_id == NULL ? folder : NULL,
                 .file_id = file_id,
                 .name = emu_json_string (call->json, "name"),
                 .size = MAX (emu_json_int (call->json, "size", 0), 0) };

  if (file_id == NULL && (folder == NULL || put.name == NULL))
    emu_call_refuse (call, 400, "bad_request", "name and parent are required");
  else if (!emu_store_check (call->world->store, &put, &problem)
           || (file_id == NULL && !emu_call_check_scope (call, folder, &problem)))
    emu_call_reply_problem (call, &problem);
  else
    reply_upload_url (call, file_id);
}

void
emu_route_preflight (EmuCall *call)
{
  preflight (call, NULL);
}

void
emu_route_preflight_version (EmuCall *call)
{
  preflight (call, call->id);
}

/* --- direct upload -----------------------------------------------------------------------------
 */

/* A multipart upload that is being received. */
typedef struct
{
  EmuCall *call;
  EmuMultipart *multipart;
  gboolean version; /* needs no attributes */
  JsonObject *attributes;
  char *path; /* of the bytes, until they are stored */
  int fd;
  gboolean has_file;
  guint64 size;
  char *sha1; /* hex */
} Upload;

static void
upload_clear (Upload *upload)
{
  g_clear_pointer (&upload->multipart, emu_multipart_free);
  g_clear_pointer (&upload->attributes, json_object_unref);
  if (upload->fd >= 0)
    close (upload->fd);
  if (upload->path != NULL)
    g_unlink (upload->path);
  g_free (upload->path);
  g_free (upload->sha1);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Upload, upload_clear)

static gssize
read_call (gpointer call, gpointer data, gsize size)
{
  return emu_call_read (call, data, size);
}

static gboolean
receive_attributes (Upload *upload, EmuProblem *problem)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[4096];
  gssize n;

  while ((n = emu_multipart_read (upload->multipart, buffer, sizeof buffer)) > 0)
    if (text->len < ATTRIBUTES_LIMIT)
      g_string_append_len (text, buffer, n);
  g_clear_pointer (&upload->attributes, json_object_unref);
  upload->attributes = emu_json_parse (text->str, text->len);
  return upload->attributes != NULL
         || emu_problem_set (problem, 400, "bad_request", "attributes is not a JSON object");
}

static gboolean
write_all (int fd, const char *data, gsize size)
{
  while (size > 0)
    {
      gssize n = write (fd, data, size);

      if (n < 0)
        return FALSE;
      data += n;
      size -= n;
    }
  return TRUE;
}

static gboolean
receive_content (Upload *upload, EmuProblem *problem)
{
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  g_autofree char *buffer = g_malloc (BUFFER_SIZE);
  gboolean written = TRUE;
  BoxSha1 sha1;
  gssize n;

  upload->path =
      g_strdup_printf ("%s/content/incoming-%u", upload->call->world->dir, upload->call->number);
  upload->fd = open (upload->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  while ((n = emu_multipart_read (upload->multipart, buffer, BUFFER_SIZE)) > 0)
    {
      box_digest_update (digest, buffer, n);
      written = written && write_all (upload->fd, buffer, n);
      upload->size += n;
    }
  if (!written)
    return emu_problem_set (problem, 500, "internal_server_error", "The disk refused the file");
  box_digest_finish (digest, &sha1);
  upload->sha1 = box_sha1_to_hex (&sha1);
  if (n < 0)
    return emu_problem_set_upload (problem, 400, "bad_request", "Stream ended unexpectedly");
  upload->has_file = TRUE;
  return TRUE;
}

static gboolean
receive_part (Upload *upload, SoupMessageHeaders *headers, EmuProblem *problem)
{
  g_autoptr (GHashTable) params = NULL;
  g_autofree char *disposition = NULL;
  const char *name = NULL;

  if (soup_message_headers_get_content_disposition (headers, &disposition, &params))
    name = g_hash_table_lookup (params, "name");
  if (g_strcmp0 (name, "attributes") == 0 && upload->has_file)
    return emu_problem_set (problem, 400, "metadata_after_file_contents",
                            "The attributes must come before the file");
  if (g_strcmp0 (name, "attributes") == 0)
    return receive_attributes (upload, problem);
  if (upload->has_file || name == NULL || params == NULL)
    return TRUE;
  if (upload->attributes == NULL && !upload->version)
    return emu_problem_set (problem, 400, "metadata_after_file_contents",
                            "The attributes must come before the file");
  return receive_content (upload, problem);
}

static gboolean
receive (Upload *upload, EmuProblem *problem)
{
  g_autoptr (SoupMessageHeaders) headers =
      soup_message_headers_new (SOUP_MESSAGE_HEADERS_MULTIPART);
  const char *expected = emu_call_get_header (upload->call, "Content-MD5");

  upload->multipart = emu_multipart_new (emu_call_get_header (upload->call, "Content-Type"),
                                         read_call, upload->call);
  if (upload->multipart == NULL)
    return emu_problem_set (problem, 400, "bad_request", "The body is not multipart/form-data");
  while (emu_multipart_next (upload->multipart, headers))
    if (!receive_part (upload, headers, problem))
      return FALSE;
  if (!emu_multipart_is_complete (upload->multipart))
    return emu_problem_set_upload (problem, 400, "bad_request", "Stream ended unexpectedly");
  if (!upload->has_file)
    return emu_problem_set (problem, 400, "bad_request", "The file is missing");
  if (expected != NULL && g_ascii_strcasecmp (expected, upload->sha1) != 0)
    return emu_problem_set (problem, 400, "bad_digest",
                            "The specified content-md5 did not match what we received");
  return TRUE;
}

/* Reads what is left of the body, so that rules about its end strike before anything is stored. */
static gboolean
finish_body (EmuCall *call)
{
  char buffer[4096];
  gssize n;

  while ((n = emu_call_read (call, buffer, sizeof buffer)) > 0)
    continue;
  return n == 0;
}

static void
store (Upload *upload, const char *file_id)
{
  EmuCall *call = upload->call;
  g_auto (EmuProblem) problem = { 0 };
  const char *folder = emu_json_string (emu_json_object (upload->attributes, "parent"), "id");
  EmuPut put = { .folder_id = file_id == NULL ? folder : NULL,
                 .file_id = file_id,
                 .name = emu_json_string (upload->attributes, "name"),
                 .if_match = emu_call_get_header (call, "If-Match"),
                 .content = upload->path,
                 .size = upload->size,
                 .sha1 = upload->sha1,
                 .attributes = upload->attributes };
  JsonObject *file = NULL;

  if (file_id == NULL && folder == NULL)
    emu_problem_set (&problem, 400, "bad_request", "parent is missing");
  else if (file_id != NULL || emu_call_check_scope (call, folder, &problem))
    file = emu_store_put (call->world->store, &put, &problem);
  if (file != NULL)
    emu_call_reply_file (call, file);
  else
    emu_call_reply_problem (call, &problem);
}

static void
upload_whole (EmuCall *call, const char *file_id)
{
  g_auto (Upload) incoming = { .call = call, .version = file_id != NULL, .fd = -1 };
  g_auto (EmuProblem) problem = { 0 };
  gboolean ok = receive (&incoming, &problem);

  if (call->verdict == EMU_VERDICT_LOST && call->keeps_pieces && incoming.sha1 != NULL)
    store (&incoming, file_id);
  if (call->verdict != EMU_VERDICT_NONE || !finish_body (call))
    return;
  if (ok)
    store (&incoming, file_id);
  else
    emu_call_reply_problem (call, &problem);
}

void
emu_route_upload_file (EmuCall *call)
{
  upload_whole (call, NULL);
}

void
emu_route_upload_version (EmuCall *call)
{
  upload_whole (call, call->id);
}

/* --- download ----------------------------------------------------------------------------------
 */

/* Narrows the reply to the request's Range, if there is one that can be met. */
static gboolean
apply_range (EmuCall *call, guint64 size)
{
  SoupRange *ranges;
  goffset last;
  int n;
  gboolean ok;

  if (emu_call_get_header (call, "Range") == NULL
      || !soup_message_headers_get_ranges (call->headers, size, &ranges, &n))
    return TRUE;
  last = MIN (ranges[0].end, (goffset) size - 1);
  ok = ranges[0].start >= 0 && ranges[0].start <= last;
  if (ok && n == 1)
    {
      call->status = 206;
      call->file_offset = ranges[0].start;
      call->file_length = last - ranges[0].start + 1;
      soup_message_headers_set_content_range (call->reply_headers, ranges[0].start, last, size);
    }
  soup_message_headers_free_ranges (call->headers, ranges);
  return ok;
}

/* The secret that makes a download address valid without a token. */
static char *
make_ticket (EmuCall *call, const char *file, const char *version)
{
  g_autofree char *text = g_strdup_printf ("%s/%s", file, version);

  return g_compute_hmac_for_string (G_CHECKSUM_SHA256, (const guchar *) call->world->key,
                                    strlen (call->world->key), text, -1);
}

/* As Box: a redirect to another place that needs no token. */
void
emu_route_download (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  const char *wanted = emu_call_get_query (call, "version");
  g_autofree char *path = NULL, *version = NULL, *origin = NULL, *ticket = NULL, *url = NULL;

  if (!emu_call_check_full (call))
    return;
  path = emu_store_get_content (call->world->store, call->id, wanted, &problem);
  if (path == NULL)
    {
      emu_call_reply_problem (call, &problem);
      return;
    }
  version = g_path_get_basename (path);
  origin = emu_call_get_origin (call);
  ticket = make_ticket (call, call->id, version);
  url = g_strdup_printf ("%s/download/%s?version=%s&ticket=%s", origin, call->id, version, ticket);
  emu_call_reply (call, 302);
  soup_message_headers_replace (call->reply_headers, "Location", url);
}

void
emu_route_content (EmuCall *call)
{
  g_auto (EmuProblem) problem = { 0 };
  const char *version = emu_call_get_query (call, "version");
  g_autofree char *ticket = make_ticket (call, call->id, version != NULL ? version : "");
  g_autofree char *path = NULL;
  struct stat status;

  if (g_strcmp0 (ticket, emu_call_get_query (call, "ticket")) != 0)
    {
      emu_call_refuse (call, 403, "forbidden", "This is no address for a download");
      return;
    }
  path = emu_store_get_content (call->world->store, call->id, version, &problem);
  if (path == NULL || stat (path, &status) != 0)
    {
      emu_call_refuse (call, 404, "not_found", "Not Found");
      return;
    }
  emu_call_reply (call, 200);
  call->reply_file = g_steal_pointer (&path);
  call->file_offset = 0;
  call->file_length = status.st_size;
  soup_message_headers_replace (call->reply_headers, "Content-Type", "application/octet-stream");
  soup_message_headers_replace (call->reply_headers, "Accept-Ranges", "bytes");
  if (!apply_range (call, status.st_size))
    emu_call_refuse (call, 416, "invalid_range", "The range cannot be satisfied");
}
