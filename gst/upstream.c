/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <sys/stat.h>
#include <unistd.h>

/* Elements between the source and us: more is a loop. */
#define MAX_DEPTH 64

/* How often an fdsrc that reads meanwhile is looked at, and the pause between two looks in us. */
#define MAX_LOOKS  20
#define LOOK_PAUSE 1000

/* An element that can be believed while these properties have their defaults. */
typedef struct
{
  const char *factory;
  const char *properties[4];
} Known;

static const Known pass_through[] = {
  { "capsfilter" },
  { "identity", { "drop-probability", "drop-buffer-flags", "eos-after" } },
  { "multiqueue" },
  { "queue", { "leaky", "flush-on-eos" } },
  { "queue2", { "temp-template" } }, /* with a file it loses the end of the stream (1.22) */
  { "tee" },
  { "typefind" },
};

static const Known sources[] = {
  { "fdsrc", { "num-buffers" } },
  { "filesrc", { "num-buffers" } },
  { "giosrc", { "num-buffers", "is-growing" } },
  { "souphttpsrc", { "num-buffers", "compress", "extra-headers", "method" } },
};

static gboolean
has_default (GstElement *element, const char *name)
{
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);
  g_auto (GValue) value = G_VALUE_INIT;

  if (pspec == NULL)
    return TRUE;
  g_value_init (&value, pspec->value_type);
  g_object_get_property (G_OBJECT (element), name, &value);
  return g_param_value_defaults (pspec, &value);
}

static gboolean
is_one_of (GstElement *element, const Known *known, gsize n)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  gboolean found = FALSE;

  for (gsize i = 0; factory != NULL && i < n && !found; i++)
    {
      found = g_str_equal (GST_OBJECT_NAME (factory), known[i].factory);
      for (gsize j = 0; found && j < G_N_ELEMENTS (known[i].properties); j++)
        if (known[i].properties[j] != NULL && !has_default (element, known[i].properties[j]))
          return FALSE;
    }
  return found;
}

/* The sink pad of @element from which @src has its bytes, if there is one such pad only. */
static GstPad *
find_sink_pad (GstPad *src)
{
  g_autoptr (GstIterator) links = gst_pad_iterate_internal_links (src);
  g_auto (GValue) first = G_VALUE_INIT, second = G_VALUE_INIT;

  if (links == NULL || gst_iterator_next (links, &first) != GST_ITERATOR_OK
      || gst_iterator_next (links, &second) != GST_ITERATOR_DONE)
    return NULL;
  return g_value_dup_object (&first);
}

/* From @src to the pad that feeds the same bytes to its element or into its bin: *@element is NULL
 * or, if @src belongs to an element that is not known to pass bytes through, that element. */
static GstPad *
step_up (GstPad *src, GstElement **element)
{
  g_autoptr (GstElement) parent = NULL;
  g_autoptr (GstPad) sink = NULL;

  if (GST_IS_GHOST_PAD (src))
    return gst_ghost_pad_get_target (GST_GHOST_PAD (src));
  if (GST_IS_PROXY_PAD (src))
    sink = GST_PAD (gst_proxy_pad_get_internal (GST_PROXY_PAD (src)));
  else
    {
      parent = gst_pad_get_parent_element (src);
      if (parent != NULL && is_one_of (parent, pass_through, G_N_ELEMENTS (pass_through)))
        sink = find_sink_pad (src);
      else
        *element = g_steal_pointer (&parent);
    }
  return sink != NULL ? gst_pad_get_peer (sink) : NULL;
}

/* The element whose bytes arrive at @pad; NULL: not known. */
static GstElement *
find_source (GstPad *pad)
{
  GstPad *src = gst_pad_get_peer (pad);
  GstElement *element = NULL;

  for (guint i = 0; i < MAX_DEPTH && src != NULL; i++)
    {
      GstPad *next = step_up (src, &element);

      gst_object_unref (src);
      src = next;
    }
  gst_clear_object (&src);
  return element;
}

/* Whether all that @fdsrc read so far is counted in its position, and nothing before it was left
 * out. The position is asked for first: a file from elsewhere is always further than that. */
static gboolean
is_at_its_position (GstElement *fdsrc, int fd)
{
  gint64 position;

  return gst_element_query_position (fdsrc, GST_FORMAT_BYTES, &position)
         && lseek (fd, 0, SEEK_CUR) == position;
}

/* Whether an fdsrc began at the first byte: it has read as many as the file is advanced. It may
 * read on meanwhile, and then the file is ahead of what it counted: it is looked at again. */
static gboolean
is_read_whole (GstElement *fdsrc)
{
  gboolean is_whole;
  struct stat status;
  int fd;

  g_object_get (fdsrc, "fd", &fd, NULL);
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    return FALSE;
  is_whole = is_at_its_position (fdsrc, fd);
  for (guint looks = 1; !is_whole && looks < MAX_LOOKS; looks++)
    {
      g_usleep (LOOK_PAUSE);
      is_whole = is_at_its_position (fdsrc, fd);
    }
  return is_whole;
}

guint64
sink_upstream_get_size (GstPad *pad, const GstSegment *segment)
{
  g_autoptr (GstElement) source = find_source (pad);
  gint64 bytes = 0;

  if (source == NULL || !is_one_of (source, sources, G_N_ELEMENTS (sources)))
    return 0;
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (source), "fd") != NULL
      && !is_read_whole (source))
    return 0;
  if (!gst_element_query_duration (source, GST_FORMAT_BYTES, &bytes) || bytes <= 0)
    return 0;
  /* A seek leaves something out. */
  if (segment->format != GST_FORMAT_BYTES || segment->rate != 1.0 || segment->start != 0
      || (segment->stop != G_MAXUINT64 && segment->stop != (guint64) bytes))
    return 0;
  return (guint64) bytes;
}
