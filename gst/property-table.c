/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "properties.h"

#include "api/metadata.h"

#define AT(field) G_STRUCT_OFFSET (SinkValues, field)

const SinkProperty sink_property_table[] = {
  /**
   * GstBoxUploadSink:session:
   *
   * Since: 0.1
   */
  {
      .name = "session",
      .kind = SINK_KIND_STRING,
      .offset = AT (session),
      .blurb =
          "ID of an existing upload session, for example from \"boxupload create\". Set exactly "
          "one of session, location, file-name and file-id",
  },
  /**
   * GstBoxUploadSink:location:
   *
   * Since: 0.1
   */
  {
      .name = "location",
      .kind = SINK_KIND_STRING,
      .offset = AT (location),
      .blurb =
          "URI of a new file, box://FOLDER_ID/PATH: percent-encoded names of folders and, last, "
          "of the file (folder 0 is the root)",
  },
  /**
   * GstBoxUploadSink:folder-id:
   *
   * Since: 0.1
   */
  {
      .name = "folder-id",
      .kind = SINK_KIND_STRING,
      .offset = AT (folder_id),
      .text = "0",
      .blurb = "ID of the folder for file-name (0 is the root)",
  },
  /**
   * GstBoxUploadSink:folder-path:
   *
   * Since: 0.1
   */
  {
      .name = "folder-path",
      .kind = SINK_KIND_STRING,
      .offset = AT (folder_path),
      .blurb = "Path of the folder for file-name below folder-id, without escapes, for example "
               "Archive/2026",
  },
  /**
   * GstBoxUploadSink:create-folders:
   *
   * Since: 0.1
   */
  {
      .name = "create-folders",
      .kind = SINK_KIND_BOOLEAN,
      .offset = AT (create_folders),
      .fallback = TRUE,
      .blurb = "Whether missing folders of location and folder-path are made when the upload opens",
  },
  /**
   * GstBoxUploadSink:file-name:
   *
   * Since: 0.1
   */
  {
      .name = "file-name",
      .kind = SINK_KIND_STRING,
      .offset = AT (file_name),
      .blurb = "Name of a new file in folder-id, without escapes",
  },
  /**
   * GstBoxUploadSink:file-id:
   *
   * Since: 0.1
   */
  {
      .name = "file-id",
      .kind = SINK_KIND_STRING,
      .offset = AT (file_id),
      .blurb = "ID of a file that gets a new version",
  },
  /**
   * GstBoxUploadSink:total-size:
   *
   * Since: 0.1
   */
  {
      .name = "total-size",
      .kind = SINK_KIND_UINT64,
      .offset = AT (total_size),
      .blurb =
          "Exact size of the stream in bytes; a shorter or longer stream is an error. 0: the size "
          "saved by \"boxupload create\" for the session, or the size of a file source",
  },
  /**
   * GstBoxUploadSink:unknown-size:
   *
   * Since: 0.1
   */
  {
      .name = "unknown-size",
      .kind = SINK_KIND_ENUM,
      .offset = AT (unknown_size),
      .get_type = gst_box_upload_sink_unknown_size_get_type,
      .fallback = SINK_UNKNOWN_SIZE_SPOOL,
      .blurb = "Treatment of a stream whose size is not known when it begins",
  },
  /**
   * GstBoxUploadSink:reserve-size:
   *
   * Since: 0.1
   */
  {
      .name = "reserve-size",
      .kind = SINK_KIND_UINT64,
      .offset = AT (reserve_size),
      .blurb = "Size in bytes declared with unknown-size=reserve; a shorter stream is padded",
  },
  /**
   * GstBoxUploadSink:ahead:
   *
   * Since: 0.1
   */
  {
      .name = "ahead",
      .kind = SINK_KIND_BOOLEAN,
      .offset = AT (ahead),
      .blurb = "Whether parts leave while a stream of unknown size is recorded to the spool",
  },
  /**
   * GstBoxUploadSink:expected-size:
   *
   * Since: 0.1
   */
  {
      .name = "expected-size",
      .kind = SINK_KIND_UINT64,
      .offset = AT (expected_size),
      .blurb = "Approximate size in bytes of the recording, with ahead. 0: the size of the last "
               "one to the same folder, otherwise 1 GiB",
  },
  /**
   * GstBoxUploadSink:padding:
   *
   * Since: 0.1
   */
  {
      .name = "padding",
      .kind = SINK_KIND_ENUM,
      .offset = AT (padding),
      .get_type = gst_box_upload_sink_padding_get_type,
      .fallback = BOX_PADDING_AUTO,
      .blurb = "Filler after a stream that is shorter than reserve-size, or than the size saved by "
               "\"boxupload create\" for the session",
  },
  /**
   * GstBoxUploadSink:if-exists:
   *
   * Since: 0.1
   */
  {
      .name = "if-exists",
      .kind = SINK_KIND_ENUM,
      .offset = AT (if_exists),
      .get_type = gst_box_upload_sink_if_exists_get_type,
      .fallback = BOX_IF_EXISTS_ERROR,
      .blurb = "Action if the name already exists",
  },
  /**
   * GstBoxUploadSink:commit:
   *
   * Since: 0.1
   */
  {
      .name = "commit",
      .kind = SINK_KIND_BOOLEAN,
      .offset = AT (commit),
      .fallback = TRUE,
      .blurb = "Whether the file is committed at EOS. false: the session is filled, and the "
               "application commits it",
  },
  /**
   * GstBoxUploadSink:eos-mode:
   *
   * Since: 0.1
   */
  {
      .name = "eos-mode",
      .kind = SINK_KIND_ENUM,
      .offset = AT (eos_mode),
      .get_type = gst_box_upload_sink_eos_mode_get_type,
      .fallback = SINK_EOS_MODE_COMMIT,
      .blurb = "Meaning of EOS for the application",
  },
  /**
   * GstBoxUploadSink:errors-fatal:
   *
   * Since: 0.1
   */
  {
      .name = "errors-fatal",
      .kind = SINK_KIND_BOOLEAN,
      .offset = AT (errors_fatal),
      .fallback = TRUE,
      .blurb =
          "Whether a failed upload is an ERROR. false: a WARNING, so that a failed fragment does "
          "not end the recording of splitmuxsink",
  },
  /**
   * GstBoxUploadSink:spool-dir:
   *
   * Since: 0.1
   */
  {
      .name = "spool-dir",
      .kind = SINK_KIND_STRING,
      .offset = AT (spool_dir),
      .blurb =
          "Directory that keeps recordings until they are committed. Unset: memory if the size "
          "is known, otherwise $XDG_STATE_HOME/boxupload/spool",
  },
  /**
   * GstBoxUploadSink:max-spool:
   *
   * Since: 0.1
   */
  {
      .name = "max-spool",
      .kind = SINK_KIND_UINT64,
      .offset = AT (max_spool),
      .blurb = "Maximum size in bytes of all recordings in the spool together. 0: the size of the "
               "disk",
  },
  /**
   * GstBoxUploadSink:on-error:
   *
   * Since: 0.1
   */
  {
      .name = "on-error",
      .kind = SINK_KIND_ENUM,
      .offset = AT (on_error),
      .get_type = gst_box_upload_sink_on_error_get_type,
      .fallback = BOX_ON_ERROR_KEEP,
      .blurb = "Action on the upload session after a fatal error; a session given by the property "
               "session is never aborted",
  },
  /**
   * GstBoxUploadSink:parallel:
   *
   * Since: 0.1
   */
  {
      .name = "parallel",
      .kind = SINK_KIND_UINT,
      .offset = AT (parallel),
      .maximum = 16,
      .blurb =
          "Maximum number of parts in flight. 0: as many as make the upload fastest, up to 16, "
          "and up to 4 if their bytes are only in memory",
  },
  /**
   * GstBoxUploadSink:max-memory:
   *
   * Since: 0.1
   */
  {
      .name = "max-memory",
      .kind = SINK_KIND_UINT64,
      .offset = AT (max_memory),
      .blurb = "Maximum bytes of parts in memory, at least two parts; the stream waits when it is "
               "reached. 0: parallel + 1 parts, or 5",
  },
  /**
   * GstBoxUploadSink:upload-rate:
   *
   * Since: 0.1
   */
  {
      .name = "upload-rate",
      .kind = SINK_KIND_UINT64,
      .offset = AT (upload_rate),
      .playing = TRUE,
      .changed = SINK_CHANGED_UPLOAD_RATE,
      .blurb = "Maximum number of bytes sent per second. 0: no limit",
  },
  /**
   * GstBoxUploadSink:retry-timeout:
   *
   * Since: 0.1
   */
  {
      .name = "retry-timeout",
      .kind = SINK_KIND_UINT,
      .offset = AT (retry_timeout),
      .maximum = G_MAXUINT,
      .fallback = 600,
      .blurb = "Seconds of retries without progress before the upload fails; with a spool, counted "
               "from EOS. 0: until the session expires",
  },
  /**
   * GstBoxUploadSink:timeout:
   *
   * Since: 0.1
   */
  {
      .name = "timeout",
      .kind = SINK_KIND_UINT,
      .offset = AT (timeout),
      .minimum = 1,
      .maximum = 3600,
      .fallback = 60,
      .blurb =
          "Seconds without progress before a connection fails; retry-timeout limits the retries",
  },
  /**
   * GstBoxUploadSink:access-token:
   *
   * Since: 0.1
   */
  {
      .name = "access-token",
      .kind = SINK_KIND_SECRET,
      .offset = AT (access_token),
      .playing = TRUE,
      .changed = SINK_CHANGED_ACCESS_TOKEN,
      .blurb = "Access token, write-only, used from the next request on. Takes precedence over "
               "token-file, auth-config, $BOX_ACCESS_TOKEN, $BOX_TOKEN_FILE and $BOX_AUTH_CONFIG. "
               "Command lines are visible to other users: use token-file there",
  },
  /**
   * GstBoxUploadSink:token-file:
   *
   * Since: 0.1
   */
  {
      .name = "token-file",
      .kind = SINK_KIND_STRING,
      .offset = AT (token_file),
      .blurb = "File whose first line is an access token; read again when it changes and when the "
               "token is refused",
  },
  /**
   * GstBoxUploadSink:auth-config:
   *
   * Since: 0.1
   */
  {
      .name = "auth-config",
      .kind = SINK_KIND_STRING,
      .offset = AT (auth_config),
      .blurb = "JSON file to obtain and renew access tokens with: Box's app configuration (JWT), "
               "client credentials, or a refresh token",
  },
  /**
   * GstBoxUploadSink:as-user:
   *
   * Since: 0.1
   */
  {
      .name = "as-user",
      .kind = SINK_KIND_STRING,
      .offset = AT (as_user),
      .blurb = "ID of the user to act as (As-User header)",
  },
  /**
   * GstBoxUploadSink:digest-engine:
   *
   * Since: 0.1
   */
  {
      .name = "digest-engine",
      .kind = SINK_KIND_ENUM,
      .offset = AT (digest_engine),
      .get_type = gst_box_upload_sink_digest_engine_get_type,
      .fallback = BOX_DIGEST_ENGINE_GLIB,
      .blurb = "Library that computes the SHA-1 of the parts",
  },
  /**
   * GstBoxUploadSink:endpoint:
   *
   * Since: 0.1
   */
  {
      .name = "endpoint",
      .kind = SINK_KIND_STRING,
      .offset = AT (endpoint),
      .text = BOX_DEFAULT_ENDPOINT,
      .variable = "BOX_ENDPOINT",
      .blurb = "Base URL of the upload API: https, or http to a loopback address. Unset: "
               "$BOX_ENDPOINT, then Box",
  },
  /**
   * GstBoxUploadSink:api-endpoint:
   *
   * Since: 0.1
   */
  {
      .name = "api-endpoint",
      .kind = SINK_KIND_STRING,
      .offset = AT (api_endpoint),
      .text = BOX_DEFAULT_API_ENDPOINT,
      .variable = "BOX_API_ENDPOINT",
      .blurb = "Base URL of the other API calls; tokens come from /oauth2/token at its origin. "
               "Unset: $BOX_API_ENDPOINT, then the server of a loopback endpoint, then Box",
  },
  /**
   * GstBoxUploadSink:ca-file:
   *
   * Since: 0.1
   */
  {
      .name = "ca-file",
      .kind = SINK_KIND_STRING,
      .offset = AT (ca_file),
      .variable = "BOX_CA_FILE",
      .blurb = "PEM file of certificate authorities to trust in addition to the system's. Unset: "
               "$BOX_CA_FILE",
  },
  /**
   * GstBoxUploadSink:proxy:
   *
   * Since: 0.1
   */
  {
      .name = "proxy",
      .kind = SINK_KIND_PROXY,
      .offset = AT (proxy),
      .blurb =
          "URI of the proxy, readable without its password. Unset: the proxy of the environment",
  },
  /**
   * GstBoxUploadSink:description:
   *
   * Since: 0.1
   */
  {
      .name = "description",
      .kind = SINK_KIND_STRING,
      .offset = AT (description),
      .blurb = "Description of the file at Box",
  },
  /**
   * GstBoxUploadSink:content-created-at:
   *
   * Since: 0.1
   */
  {
      .name = "content-created-at",
      .kind = SINK_KIND_STRING,
      .offset = AT (content_created_at),
      .blurb =
          "Creation time of the content (RFC 3339, for example 2024-05-01T12:00:00Z). Unset: the "
          "wall clock at the first buffer",
  },
  /**
   * GstBoxUploadSink:content-modified-at:
   *
   * Since: 0.1
   */
  {
      .name = "content-modified-at",
      .kind = SINK_KIND_STRING,
      .offset = AT (content_modified_at),
      .blurb = "Modification time of the content (RFC 3339, for example 2024-05-01T12:00:00Z)",
  },
  /**
   * GstBoxUploadSink:metadata:
   *
   * Since: 0.1
   */
  {
      .name = "metadata",
      .kind = SINK_KIND_STRUCTURE,
      .offset = AT (metadata),
      .blurb = "Metadata of the file at Box, set after the commit: each field is a key",
  },
  /**
   * GstBoxUploadSink:metadata-template:
   *
   * Since: 0.1
   */
  {
      .name = "metadata-template",
      .kind = SINK_KIND_STRING,
      .offset = AT (metadata_template),
      .text = BOX_METADATA_DEFAULT_TEMPLATE,
      .blurb = "Template of metadata, SCOPE.TEMPLATE",
  },
};

const guint sink_property_table_size = G_N_ELEMENTS (sink_property_table);
