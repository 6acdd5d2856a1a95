/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SinkConfig: the checked values of the properties, as an upload needs them: the destination of
 * the file, the client, and the note of a session. Made without the network. Immutable.
 *
 * SinkSize: the size of the stream, and its source: the property, the note of a session, or
 * upstream.
 */
#pragma once

#include "api/metadata.h"
#include "properties.h"
#include "spool/note.h"
#include "spool/spool.h"
#include "upload/upload.h"

G_BEGIN_DECLS

typedef struct
{
  SinkValues values;
  BoxDestination *destination;
  BoxClient *client;
  BoxMetadata *metadata; /* nullable */
  char *account_file;    /* what is known of its account */
  BoxNote *note;         /* of a session that "boxupload create" made, else NULL */
} SinkConfig;

/* BOX_ERROR_SETTINGS names the wrong property, other codes the wrong file. */
SinkConfig *sink_config_new (SinkProperties *properties, GError **error);
void sink_config_free (SinkConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SinkConfig, sink_config_free)

/* The destination that location, or file-name with its folder, says. BOX_ERROR_SETTINGS. */
BoxDestination *sink_config_new_destination (const SinkValues *values, GError **error);

/* The settings of an upload of @size bytes; what they point to is owned by @config. */
BoxUploadSettings sink_config_get_upload (const SinkConfig *config, guint64 size);

/* The destination for people: a box:// URI, "session ID" or "file ID". Free with g_free(). */
char *sink_config_describe_destination (const SinkConfig *config);

/* Whether the settings ask for a spool, even if the size is known. */
gboolean sink_config_wants_spool (const SinkConfig *config);

/* Opens the spool. BOX_ERROR_STORAGE. */
BoxSpool *sink_config_open_spool (const SinkConfig *config, GError **error);

/* Whether an upload of @size bytes uses a session, rather than one request for the whole file. */
gboolean sink_config_uses_session (const SinkConfig *config, guint64 size);

/* The property metadata, a GstStructure, as what Box takes. @structure: its fields are the keys:
 * strings, numbers, booleans and times (as strings), and lists of strings; its name does not count.
 * @name: (nullable): the template. BOX_ERROR_SETTINGS. */
BoxMetadata *sink_metadata_new (const GstStructure *structure, const char *name, GError **error);

typedef enum
{
  SINK_SIZE_UNKNOWN,
  SINK_SIZE_EXACT,   /* a shorter stream is an error */
  SINK_SIZE_RESERVE, /* a shorter stream is padded */
} SinkSizeKind;

typedef struct
{
  SinkSizeKind kind;
  guint64 bytes;        /* UNKNOWN: 0 */
  gboolean from_source; /* upstream said so */
  gboolean in_doubt;    /* it did before a flush, and is to be asked again */
} SinkSize;

/* The size known before the stream begins: total-size, else the note. */
SinkSize sink_size_from_config (const SinkConfig *config);

/* The size reported by the source upstream of @pad, once the first buffer has arrived. If the
 * settings name another way (unknown-size, a spool), this takes precedence: if the source's answer
 * were wrong, the upload would fail. */
SinkSize sink_size_from_upstream (const SinkConfig *config, GstPad *pad, const GstSegment *segment);

/* The reserve that unknown-size=reserve declares. BOX_ERROR_SETTINGS if streams of @media_type
 * (nullable) cannot be padded. */
gboolean sink_size_reserve (SinkSize *size, const SinkValues *values, const char *media_type,
                            GError **error);

/* The kind of padding that would fill the reserve; NONE: there is no reserve, or nothing is known
 * that fills streams of @media_type (nullable). */
BoxPaddingKind
sink_size_get_padding (const SinkSize *size, BoxPaddingKind wanted, const char *media_type);

/* The padding that makes a file of @size from @stream_size bytes: its kind, and its bytes in @gap.
 * 0: no padding, also if the stream is shorter than an exact size or too long (the upload then
 * fails by itself). BOX_ERROR_SIZE: a reserve cannot be filled; the error names the way out.
 * @media_type is that of the caps, or NULL. */
gboolean
sink_size_get_gap (const SinkSize *size, guint64 stream_size, BoxPaddingKind wanted,
                   const char *media_type, BoxPaddingKind *kind, guint64 *gap, GError **error);

/*
 * upstream.c: the size of a stream, as its source knows it.
 *
 * Nearly every element passes a DURATION query on to the source, even if it changes the bytes:
 * parsers, encoders, decompressors. The answer is therefore trusted only from a source that reads
 * everything that it measures, and only through elements that pass bytes through unchanged.
 */

/* The bytes that will arrive at @pad, once its first buffer has. 0: not known. @segment: of @pad.
 */
guint64 sink_upstream_get_size (GstPad *pad, const GstSegment *segment);

G_END_DECLS
