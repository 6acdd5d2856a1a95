/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

SinkSize
sink_size_from_config (const SinkConfig *config)
{
  SinkSize size = { .kind = SINK_SIZE_UNKNOWN };

  if (config->values.total_size > 0)
    {
      size.kind = SINK_SIZE_EXACT;
      size.bytes = config->values.total_size;
    }
  else if (config->note != NULL)
    {
      size.kind = SINK_SIZE_RESERVE;
      size.bytes = config->note->size;
    }
  return size;
}

SinkSize
sink_size_from_upstream (const SinkConfig *config, GstPad *pad, const GstSegment *segment)
{
  gboolean has_way =
      config->values.unknown_size_is_set && config->values.unknown_size != SINK_UNKNOWN_SIZE_ERROR;
  SinkSize size = { .kind = SINK_SIZE_UNKNOWN };

  if (has_way || sink_config_wants_spool (config))
    return size;
  size.bytes = sink_upstream_get_size (pad, segment);
  size.from_source = size.bytes > 0;
  if (size.from_source)
    size.kind = SINK_SIZE_EXACT;
  return size;
}

BoxPaddingKind
sink_size_get_padding (const SinkSize *size, BoxPaddingKind wanted, const char *media_type)
{
  if (size->kind != SINK_SIZE_RESERVE)
    return BOX_PADDING_NONE;
  return wanted != BOX_PADDING_AUTO ? wanted : box_padding_for_media_type (media_type);
}

gboolean
sink_size_reserve (SinkSize *size, const SinkValues *values, const char *media_type, GError **error)
{
  if (values->padding == BOX_PADDING_NONE
      || (values->padding == BOX_PADDING_AUTO
          && box_padding_for_media_type (media_type) == BOX_PADDING_NONE))
    {
      g_set_error (
          error, BOX_ERROR, BOX_ERROR_SETTINGS,
          "A reserve cannot be filled up %s%s: use unknown-size=spool, or set the property "
          "padding",
          values->padding == BOX_PADDING_NONE ? "with padding=none" : "in streams of ",
          values->padding == BOX_PADDING_NONE ? ""
          : media_type != NULL                ? media_type
                                              : "an unknown type");
      return FALSE;
    }
  size->kind = SINK_SIZE_RESERVE;
  size->bytes = values->reserve_size;
  return TRUE;
}

gboolean
sink_size_get_gap (const SinkSize *size, guint64 stream_size, BoxPaddingKind wanted,
                   const char *media_type, BoxPaddingKind *kind, guint64 *gap, GError **error)
{
  *kind = BOX_PADDING_NONE;
  *gap = 0;
  if (size->kind != SINK_SIZE_RESERVE || stream_size >= size->bytes)
    return TRUE;

  *gap = size->bytes - stream_size;
  *kind = sink_size_get_padding (size, wanted, media_type);
  if (*kind == BOX_PADDING_NONE)
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
                   "The stream ended at %" G_GUINT64_FORMAT " of the %" G_GUINT64_FORMAT
                   " bytes that "
                   "were reserved, and %s: set the property padding, or declare the exact size",
                   stream_size, size->bytes,
                   wanted == BOX_PADDING_NONE ? "the property padding is none"
                                              : "nothing is known that could fill this format");
      return FALSE;
    }
  if (*gap < box_padding_min_size (*kind))
    {
      g_set_error (error, BOX_ERROR, BOX_ERROR_SIZE,
                   "The stream ended %" G_GUINT64_FORMAT " bytes short of the reserve; padding "
                   "of this kind takes %" G_GUINT64_FORMAT " at least",
                   *gap, box_padding_min_size (*kind));
      return FALSE;
    }
  return TRUE;
}
