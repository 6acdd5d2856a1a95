/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "properties.h"

/* splitmuxsink's sink-properties carries values as strings, which GObject would not take for an
 * enum. */
static void
string_to_enum (const GValue *string, GValue *value)
{
  if (!gst_value_deserialize (value, g_value_get_string (string)))
    g_warning ("\"%s\" is no value of %s: see gst-inspect-1.0 boxuploadsink",
               g_value_get_string (string), G_VALUE_TYPE_NAME (value));
}

static GType
register_enum (const char *name, const GEnumValue *values)
{
  GType type = g_enum_register_static (name, values);

  g_value_register_transform_func (G_TYPE_STRING, type, string_to_enum);
  return type;
}

/**
 * GstBoxUploadSinkIfExists:
 * @BOX_IF_EXISTS_ERROR: fail, and make no file
 * @BOX_IF_EXISTS_VERSION: the file that is there gets a new version
 * @BOX_IF_EXISTS_RENAME: the new file becomes "name (1).ext", "name (2).ext", …
 *
 * What happens if the name is taken.
 *
 * Since: 0.1
 */
GType
gst_box_upload_sink_if_exists_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { BOX_IF_EXISTS_ERROR, "Fail without a new file", "error" },
    { BOX_IF_EXISTS_VERSION, "Upload a new version of the existing file", "version" },
    { BOX_IF_EXISTS_RENAME, "Rename the new file to \"name (1).ext\", \"name (2).ext\", …",
      "rename" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_enum ("GstBoxUploadSinkIfExists", values));
  return type;
}

/**
 * GstBoxUploadSinkOnError:
 * @BOX_ON_ERROR_KEEP: the session stays open until it expires: the upload can be continued
 * @BOX_ON_ERROR_ABORT: the session is aborted, its parts are deleted
 *
 * What happens to the upload session on a fatal error.
 *
 * Since: 0.1
 */
GType
gst_box_upload_sink_on_error_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { BOX_ON_ERROR_KEEP, "Keep the session, so that the upload can be continued", "keep" },
    { BOX_ON_ERROR_ABORT, "Abort the session; its parts are deleted", "abort" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_enum ("GstBoxUploadSinkOnError", values));
  return type;
}

/**
 * GstBoxUploadSinkDigestEngine:
 * @BOX_DIGEST_ENGINE_GLIB: GLib's GChecksum
 * @BOX_DIGEST_ENGINE_GNUTLS: GnuTLS, which uses the processor's SHA instructions
 *
 * What computes the SHA-1 of the parts.
 *
 * Since: 0.1
 */
GType
gst_box_upload_sink_digest_engine_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { BOX_DIGEST_ENGINE_GLIB, "GLib (GChecksum)", "glib" },
    { BOX_DIGEST_ENGINE_GNUTLS, "GnuTLS (uses the processor's SHA instructions)", "gnutls" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_enum ("GstBoxUploadSinkDigestEngine", values));
  return type;
}

/**
 * GstBoxUploadSinkPadding:
 * @BOX_PADDING_AUTO: by the media type of the caps
 * @BOX_PADDING_NONE: a stream shorter than the reserve is an error
 * @BOX_PADDING_ZERO: zeros
 * @BOX_PADDING_MPEGTS: null packets
 * @BOX_PADDING_MP4: one `free` box
 * @BOX_PADDING_MATROSKA: one Void element
 *
 * What fills the rest of a reserve after the end of the stream.
 *
 * Since: 0.1
 */
GType
gst_box_upload_sink_padding_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { BOX_PADDING_AUTO, "Chosen by the caps", "auto" },
    { BOX_PADDING_NONE, "No padding: a stream shorter than the reserve is an error", "none" },
    { BOX_PADDING_ZERO, "Zeros", "zero" },
    { BOX_PADDING_MPEGTS, "MPEG-TS null packets", "mpegts" },
    { BOX_PADDING_MP4, "One MP4 'free' box", "mp4" },
    { BOX_PADDING_MATROSKA, "One Matroska/WebM Void element", "matroska" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_enum ("GstBoxUploadSinkPadding", values));
  return type;
}

/**
 * GstBoxUploadSinkUnknownSize:
 * @SINK_UNKNOWN_SIZE_SPOOL: record to the spool, upload at EOS
 * @SINK_UNKNOWN_SIZE_LIVE: upload in one request while recording
 * @SINK_UNKNOWN_SIZE_RESERVE: declare reserve-size, upload while recording, pad at
 *   EOS
 * @SINK_UNKNOWN_SIZE_ERROR: fail
 *
 * What happens to a stream whose size is not known.
 *
 * Since: 0.1
 */
GType
gst_box_upload_sink_unknown_size_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { SINK_UNKNOWN_SIZE_SPOOL, "Record to the spool and upload at EOS", "spool" },
    { SINK_UNKNOWN_SIZE_LIVE, "Upload in one request while recording; the spool is the net",
      "live" },
    { SINK_UNKNOWN_SIZE_RESERVE, "Declare reserve-size, upload while recording and pad at EOS",
      "reserve" },
    { SINK_UNKNOWN_SIZE_ERROR, "Fail", "error" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_enum ("GstBoxUploadSinkUnknownSize", values));
  return type;
}

/**
 * GstBoxUploadSinkEosMode:
 * @SINK_EOS_MODE_COMMIT: EOS is posted when the file is committed
 * @SINK_EOS_MODE_SPOOL: EOS is posted when the recording is durably in the spool;
 *   `boxupload watch` uploads it
 *
 * What EOS promises.
 *
 * Since: 0.1
 */
GType
gst_box_upload_sink_eos_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { SINK_EOS_MODE_COMMIT, "The file is committed at Box", "commit" },
    { SINK_EOS_MODE_SPOOL, "The recording is safe in the spool, and \"boxupload watch\" uploads it",
      "spool" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, register_enum ("GstBoxUploadSinkEosMode", values));
  return type;
}
