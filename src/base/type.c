/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/type.h"

/* Where it lies tells one copy of this code from another. */
static const char this_copy;

GType
box_type_register (GType parent, const char *name, gsize class_size, GClassInitFunc class_init,
                   gsize instance_size, GInstanceInitFunc instance_init)
{
  g_autofree char *own_name =
      g_strdup_printf ("%s-%" G_GINTPTR_MODIFIER "x", name, (guintptr) &this_copy);

  return g_type_register_static_simple (parent, g_intern_string (own_name), (guint) class_size,
                                        class_init, (guint) instance_size, instance_init, 0);
}
