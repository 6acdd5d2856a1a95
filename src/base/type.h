/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GObject types of which a process may have several copies: the plugin has one, and a program that
 * is linked with the uploader itself, as the tests are, has another. A type's name belongs to the
 * whole process, so each copy takes a name of its own.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* As g_type_register_static_simple(), under a name that begins with @name. */
GType
box_type_register (GType parent, const char *name, gsize class_size, GClassInitFunc class_init,
                   gsize instance_size, GInstanceInitFunc instance_init);

/* As G_DEFINE_TYPE_WITH_CODE. */
#define BOX_DEFINE_TYPE(TypeName, type_name, TYPE_PARENT, CODE)                                    \
  static void type_name##_init (TypeName *self);                                                   \
  static void type_name##_class_init (TypeName##Class *klass);                                     \
  static gpointer type_name##_parent_class = NULL;                                                 \
                                                                                                   \
  static void type_name##_class_intern_init (gpointer klass)                                       \
  {                                                                                                \
    type_name##_parent_class = g_type_class_peek_parent (klass);                                   \
    type_name##_class_init (klass);                                                                \
  }                                                                                                \
                                                                                                   \
  GType type_name##_get_type (void)                                                                \
  {                                                                                                \
    static gsize type = 0;                                                                         \
    if (g_once_init_enter (&type))                                                                 \
      {                                                                                            \
        GType g_define_type_id = box_type_register (                                               \
            TYPE_PARENT, #TypeName, sizeof (TypeName##Class),                                      \
            (GClassInitFunc) (void (*) (void)) type_name##_class_intern_init, sizeof (TypeName),   \
            (GInstanceInitFunc) (void (*) (void)) type_name##_init);                               \
        CODE;                                                                                      \
        g_once_init_leave (&type, g_define_type_id);                                               \
      }                                                                                            \
    return type;                                                                                   \
  }

G_END_DECLS
