/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What belongs to the whole process: its descriptors and threads, what its threads are in the
 * middle of, and the names of GObject types.
 */
#pragma once

#include "base/error.h"

#include <glib-object.h>

G_BEGIN_DECLS

/*
 * Free descriptors, memory and threads. GLib ends the whole process if it finds no descriptor for a
 * GMainContext or a GCancellable, or no thread for g_thread_new(). Ask here before any call that
 * makes GLib take one, so that only one recording fails, not all.
 */

/* Opens those of the descriptors 0, 1 and 2 that the program was started without, so that no
 * recording gets one of them: what is read from or written to them then fails with EBADF. For the
 * beginning of main(). */
void box_process_fill_standard_descriptors (void);

/* A recording needs this many free descriptors: for the workers of the process that serve it (a
 * connection, its event, a cancellable each), and a margin for the application. */
#define BOX_PROCESS_DESCRIPTORS_TO_BEGIN 64

/* A worker needs this many free descriptors: its context, a connection, the look-up of a name.
 */
#define BOX_PROCESS_DESCRIPTORS_OF_WORKER 16

/* Whether @n more descriptors can be opened now; else BOX_ERROR_SPACE. Another thread may take
 * them before the caller does: ask for a margin. @what names the purpose in the error. */
gboolean box_process_check_descriptors (guint n, const char *what, GError **error);

/* Whether @n more bytes of addresses can be mapped now; else BOX_ERROR_SPACE. For what ends the
 * process if it gets no memory, or uses it without a look: GLib, and GnuTLS where it reads
 * authorities. @what names the purpose in the error. */
gboolean box_process_check_memory (gsize n, const char *what, GError **error);

/* Whether @n threads can be started now; else BOX_ERROR_SPACE. For what waits without end for a
 * thread that it did not get, or ends the process: ask for a margin, as above. @what names the
 * purpose in the error. */
gboolean box_process_check_threads (guint n, const char *what, GError **error);

/* g_thread_try_new() with BOX_ERROR_SPACE if the system has no thread left. @what names the
 * thread's purpose in the error. GLib's own threads (below) are there before the first one. */
GThread *box_process_start_thread (const char *name, const char *what, GThreadFunc function,
                                   gpointer data, GError **error);

/* GLib has a thread for signals, tasks and file monitors, and one that starts others. It makes them
 * when it needs them first, and ends the process if it cannot. Makes them now, or sets
 * BOX_ERROR_SPACE. @what: as above. */
gboolean box_process_ensure_glib_threads (const char *what, GError **error);

/*
 * The events that a thread is in. A function that is called by an event of @owner cannot wait for
 * that event to return. @owner is only compared.
 */

/* Around the call of an event; calls may be nested. */
void box_process_enter_event (gconstpointer owner);
void box_process_leave_event (void);

/* How many events of @owner the calling thread is in. */
guint box_process_count_events (gconstpointer owner);

/*
 * GObject types of which a process may have several copies: the plugin has one, and a program that
 * is linked with the uploader itself, as the tests are, has another. A type's name belongs to the
 * whole process, so each copy takes a name of its own.
 */

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
