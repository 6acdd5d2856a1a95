/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plugin "boxupload".
 */
#include "gstboxuploadsink.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  return GST_ELEMENT_REGISTER (boxuploadsink, plugin);
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, boxupload,
                   "Streams recordings into Box upload sessions", plugin_init, BOX_VERSION, "LGPL",
                   PACKAGE, "https://www.box.com/")
