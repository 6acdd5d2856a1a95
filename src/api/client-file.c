/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BoxClient's calls about files: preflight, direct upload, look-up; and about the user. */
#include "api/calls.h"

#include "base/json.h"
#include "http/message.h"

#include <string.h>

#define FILE_FIELDS "id,name,size,sha1,etag,file_version"

static void
add_member (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

/* The members name and parent, which say where a new file goes. */
static void
add_destination (JsonBuilder *builder, const BoxDestination *destination)
{
  if (destination->kind != BOX_DESTINATION_FOLDER)
    return;
  add_member (builder, "name", destination->name);
  json_builder_set_member_name (builder, "parent");
  json_builder_begin_object (builder);
  add_member (builder, "id", destination->folder_id);
  json_builder_end_object (builder);
}

static char *
content_url (const char *endpoint, const BoxDestination *destination)
{
  if (destination->kind == BOX_DESTINATION_FILE)
    return g_strdup_printf ("%s/files/%s/content", endpoint, destination->file_id);
  return g_strdup_printf ("%s/files/content", endpoint);
}

/* A login page's "200 OK" is no permission. */
static gboolean
check_is_json (const BoxReply *reply, const char *attempt, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) node = box_json_parse (reply->body, &reason);

  if (node != NULL)
    return TRUE;
  g_propagate_error (
      error, box_api_error_from_nonsense (reply, FALSE, attempt, g_steal_pointer (&reason)));
  return FALSE;
}

gboolean
box_client_preflight (BoxClient *client, BoxTransport *transport, const BoxDestination *destination,
                      guint64 size, GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "ask Box whether it takes this upload";
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autofree char *url = content_url (client->api_endpoint, destination);
  g_autoptr (JsonNode) body = NULL;
  g_autoptr (BoxReply) reply = NULL;

  if (!box_client_check_size (size, error))
    return FALSE;
  json_builder_begin_object (builder);
  add_destination (builder, destination);
  if (size > 0)
    {
      json_builder_set_member_name (builder, "size");
      json_builder_add_int_value (builder, (gint64) size);
    }
  json_builder_end_object (builder);
  body = json_builder_get_root (builder);

  reply =
      box_client_send_json (client, transport, &(BoxClientCall){ .method = "OPTIONS", .url = url },
                            body, cancellable, error);
  if (reply == NULL)
    return FALSE;
  if (reply->status == 204)
    return TRUE;
  if (reply->status == 200)
    return check_is_json (reply, attempt, error);
  g_propagate_error (error, box_api_error_from_preflight (reply, attempt));
  return FALSE;
}

static char *
build_upload_attributes (const BoxDestination *destination, const BoxAttributes *attributes)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  add_destination (builder, destination);
  if (attributes != NULL)
    box_client_build_attributes (builder, attributes);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

BoxFile *
box_client_upload_file (BoxClient *client, BoxTransport *transport,
                        const BoxDestination *destination, const BoxSha1 *sha1, const BoxBody *body,
                        const BoxAttributes *attributes, const char *if_match,
                        GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "upload the file";
  g_autofree char *json = build_upload_attributes (destination, attributes);
  g_autoptr (BoxMultipart) multipart = box_multipart_new (json, body);
  g_autofree char *url = content_url (client->endpoint, destination);
  g_autofree char *hex = box_sha1_to_hex (sha1);
  /* Box wants a SHA-1 under this name. */
  const char *headers[] = { "content-md5", hex, if_match != NULL ? "If-Match" : NULL, if_match,
                            NULL };
  g_autoptr (BoxReply) reply = NULL;

  reply = box_client_send (client, transport,
                           &(BoxClientCall){
                               .method = "POST",
                               .url = url,
                               .headers = headers,
                               .content_type = box_multipart_get_content_type (multipart),
                               .body = box_multipart_get_body (multipart),
                           },
                           cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 201 && reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
      return NULL;
    }
  return box_client_verify_file (client, transport, reply, sha1, body->size, attempt, cancellable,
                                 error);
}

/* The body with its end; what the content's source says of that. */
typedef struct
{
  const BoxLiveSource *source;
  BoxBodySource watched;
  gboolean ended;
} LiveBody;

static BoxSourceState
take_live (gpointer user_data, guint64 offset, guint8 *buffer, gsize *length, gint64 *rest,
           GError **error)
{
  LiveBody *self = user_data;
  const BoxBody *body = self->source->body;
  BoxSourceState state = body->source->take (body->user_data, offset, buffer, length, rest, error);

  self->ended = state == BOX_SOURCE_ENDED;
  return state;
}

static void
count_live (gpointer user_data, guint64 position)
{
  const BoxBody *body = ((LiveBody *) user_data)->source->body;

  if (body->progress != NULL)
    body->progress (body->user_data, position);
}

/* Of a successful @reply. One that came before the body's end is about something else. */
static BoxFile *
verify_live (BoxClient *client, BoxTransport *transport, const BoxReply *reply,
             const LiveBody *body, const char *attempt, char **wrong, GCancellable *cancellable,
             GError **error)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, NULL);
  g_autoptr (BoxFile) stored = node != NULL ? box_file_parse (node, NULL) : NULL;
  g_autoptr (GError) failure = NULL;
  BoxFile *file = NULL;
  BoxSha1 sha1;
  guint64 size;

  if (body->ended)
    {
      body->source->sum (body->source->user_data, &size, &sha1);
      file = box_client_verify_file (client, transport, reply, &sha1, size, attempt, cancellable,
                                     &failure);
    }
  else if (stored != NULL)
    g_set_error (&failure, BOX_ERROR, BOX_ERROR_INTEGRITY,
                 "Box took the file (id %s) for complete before it was", stored->id);
  else
    failure = box_api_error_from_nonsense (
        reply, TRUE, attempt,
        g_error_new_literal (BOX_ERROR, BOX_ERROR_PROTOCOL, "the file was not complete yet"));
  if (stored != NULL && g_error_matches (failure, BOX_ERROR, BOX_ERROR_INTEGRITY))
    *wrong = g_strdup (stored->id);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return file;
}

BoxFile *
box_client_upload_live (BoxClient *client, BoxTransport *transport,
                        const BoxDestination *destination, const BoxLiveSource *source,
                        const BoxAttributes *attributes, const char *if_match, char **wrong,
                        GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "upload the file while it was recorded";
  LiveBody live = { .source = source,
                    .watched = { .fd = source->body->source->fd, .take = take_live } };
  BoxBody content = { .size = BOX_BODY_UNKNOWN_SIZE,
                      .source = &live.watched,
                      .progress = count_live,
                      .user_data = &live,
                      .pace = source->body->pace };
  g_autofree char *json = build_upload_attributes (destination, attributes);
  g_autoptr (BoxMultipart) multipart = box_multipart_new (json, &content);
  g_autofree char *url = content_url (client->endpoint, destination);
  const char *headers[] = { if_match != NULL ? "If-Match" : NULL, if_match, NULL };
  g_autoptr (BoxReply) reply = NULL;

  reply = box_client_send (client, transport,
                           &(BoxClientCall){
                               .method = "POST",
                               .url = url,
                               .headers = headers,
                               .content_type = box_multipart_get_content_type (multipart),
                               .body = box_multipart_get_body (multipart),
                               .once = TRUE,
                           },
                           cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status == 201 || reply->status == 200)
    return verify_live (client, transport, reply, &live, attempt, wrong, cancellable, error);
  g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
  return NULL;
}

BoxFile *
box_client_get_file (BoxClient *client, BoxTransport *transport, const char *file_id,
                     GCancellable *cancellable, GError **error)
{
  static const char attempt[] = "look up the file";
  g_autoptr (BoxDestination) checked = box_destination_new_file (file_id, error);
  g_autofree char *url = NULL;
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) reason = NULL;
  BoxFile *file;

  if (checked == NULL)
    return NULL;
  url = g_strdup_printf ("%s/files/%s?fields=" FILE_FIELDS, client->api_endpoint, file_id);
  reply = box_client_send (client, transport, &(BoxClientCall){ .method = "GET", .url = url },
                           cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
      return NULL;
    }
  node = box_json_parse (reply->body, &reason);
  file = node != NULL ? box_file_parse (node, &reason) : NULL;
  if (file != NULL && !g_str_equal (file->id, file_id))
    {
      g_set_error (&reason, BOX_ERROR, BOX_ERROR_PROTOCOL, "the reply is about file %s", file->id);
      g_clear_pointer (&file, box_file_free);
    }
  if (file == NULL)
    g_propagate_error (
        error, box_api_error_from_nonsense (reply, FALSE, attempt, g_steal_pointer (&reason)));
  return file;
}

static gboolean
check_file (const BoxFile *file, const BoxSha1 *sha1, guint64 size, GError **error)
{
  g_autofree char *expected = NULL;
  g_autofree char *stored = NULL;

  if (file->has_size && file->size != size)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY,
                   "the file at Box (id %s) is not what was sent: %" G_GUINT64_FORMAT
                   " bytes, not %" G_GUINT64_FORMAT "; upload it anew",
                   file->id, file->size, size);
      return FALSE;
    }
  if (box_sha1_equal (&file->sha1, sha1))
    return TRUE;
  expected = box_sha1_to_hex (sha1);
  stored = box_sha1_to_hex (&file->sha1);
  g_set_error (error, BOX_ERROR, BOX_ERROR_INTEGRITY,
               "the file at Box (id %s) is not what was sent: SHA-1 %s, not %s; upload it anew",
               file->id, stored, expected);
  return FALSE;
}

BoxFile *
box_client_verify_file (BoxClient *client, BoxTransport *transport, const BoxReply *reply,
                        const BoxSha1 *sha1, guint64 size, const char *attempt,
                        GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) node = box_json_parse (reply->body, &reason);
  g_autoptr (BoxFile) file = node != NULL ? box_file_parse (node, &reason) : NULL;

  if (file != NULL && !file->has_sha1)
    {
      g_autoptr (BoxFile) stored =
          box_client_get_file (client, transport, file->id, cancellable, &reason);

      if (stored != NULL && !stored->has_sha1)
        g_set_error_literal (&reason, BOX_ERROR, BOX_ERROR_PROTOCOL, "the file has no \"sha1\"");
      box_file_free (file);
      file = stored != NULL && stored->has_sha1 ? g_steal_pointer (&stored) : NULL;
    }
  if (file == NULL)
    {
      if (g_error_matches (reason, BOX_ERROR, BOX_ERROR_CANCELLED))
        g_propagate_error (error, g_steal_pointer (&reason));
      else
        g_propagate_error (
            error, box_api_error_from_nonsense (reply, TRUE, attempt, g_steal_pointer (&reason)));
      return NULL;
    }
  return check_file (file, sha1, size, error) ? g_steal_pointer (&file) : NULL;
}

static BoxFile *
file_from_version (const BoxFile *file, const BoxVersion *version)
{
  BoxFile *made = g_new0 (BoxFile, 1);

  made->id = g_strdup (file->id);
  made->name = g_strdup (file->name);
  made->version_id = g_strdup (version->id);
  made->has_size = version->has_size;
  made->size = version->size;
  made->has_sha1 = TRUE;
  made->sha1 = version->sha1;
  return made;
}

JsonNode *
box_client_get_json (BoxClient *client, BoxTransport *transport, const char *url,
                     const char *attempt, GCancellable *cancellable, GError **error)
{
  g_autoptr (BoxReply) reply = box_client_send (
      client, transport, &(BoxClientCall){ .method = "GET", .url = url }, cancellable, error);
  g_autoptr (GError) reason = NULL;
  JsonNode *node;

  if (reply == NULL)
    return NULL;
  if (reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
      return NULL;
    }
  node = box_json_parse (reply->body, &reason);
  if (node == NULL)
    g_propagate_error (
        error, box_api_error_from_nonsense (reply, FALSE, attempt, g_steal_pointer (&reason)));
  return node;
}

BoxFile *
box_client_find_version (BoxClient *client, BoxTransport *transport, const BoxFile *file,
                         const BoxVersionQuery *query, GCancellable *cancellable, GError **error)
{
  /* More than any account keeps. */
  g_autofree char *url = g_strdup_printf ("%s/files/%s/versions?fields=id,sha1,size,created_at"
                                          "&limit=1000",
                                          client->api_endpoint, file->id);
  g_autoptr (JsonNode) node =
      box_client_get_json (client, transport, url, "list the file's versions", cancellable, error);
  g_autoptr (GPtrArray) versions = node != NULL ? box_version_parse_list (node, error) : NULL;
  const BoxVersion *found = versions != NULL ? box_version_find (versions, query) : NULL;

  return found != NULL ? file_from_version (file, found) : NULL;
}

BoxFile *
box_client_find_renamed (BoxClient *client, BoxTransport *transport, const char *folder_id,
                         const BoxVersionQuery *query, GCancellable *cancellable, GError **error)
{
  g_autofree char *url =
      g_strdup_printf ("%s/folders/%s/items?fields=" FILE_FIELDS ",type,created_at&sort=date"
                       "&direction=DESC&limit=1000",
                       client->api_endpoint, folder_id);
  g_autoptr (JsonNode) node =
      box_client_get_json (client, transport, url, "list the folder", cancellable, error);

  return node != NULL ? box_file_find_renamed (node, query) : NULL;
}

/* ---- the user ---- */

void
box_user_free (BoxUser *user)
{
  if (user == NULL)
    return;
  g_free (user->id);
  g_free (user->name);
  g_free (user->login);
  g_free (user);
}

static BoxUser *
parse_user (const BoxReply *reply, GError **error)
{
  g_autoptr (JsonNode) node = box_json_parse (reply->body, error);
  g_autoptr (BoxUser) user = g_new0 (BoxUser, 1);
  JsonObject *object = node != NULL ? box_json_object (node, "the user", error) : NULL;

  if (object == NULL || !box_json_get_string (object, "id", 64, &user->id, error)
      || !box_json_find_string (object, "name", 1024, &user->name, error)
      || !box_json_find_string (object, "login", 1024, &user->login, error))
    return NULL;
  return g_steal_pointer (&user);
}

BoxUser *
box_client_get_user (BoxClient *client, BoxTransport *transport, GCancellable *cancellable,
                     GError **error)
{
  static const char attempt[] = "ask who the credentials belong to";
  g_autofree char *url = g_strconcat (client->api_endpoint, "/users/me", NULL);
  g_autoptr (BoxReply) reply = NULL;
  g_autoptr (GError) reason = NULL;
  BoxUser *user;

  reply = box_client_send (client, transport, &(BoxClientCall){ .method = "GET", .url = url },
                           cancellable, error);
  if (reply == NULL)
    return NULL;
  if (reply->status != 200)
    {
      g_propagate_error (error, box_api_error_from_reply (reply, BOX_SUBJECT_ITEM, attempt));
      return NULL;
    }
  user = parse_user (reply, &reason);
  if (user == NULL)
    g_propagate_error (
        error, box_api_error_from_nonsense (reply, FALSE, attempt, g_steal_pointer (&reason)));
  return user;
}
