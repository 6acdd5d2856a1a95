/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/http/handshake.h"

typedef struct
{
  GTask *task;
  GTaskThreadFunc function;
} Run;

static gpointer
run_task (gpointer data)
{
  g_autofree Run *run = data;
  g_autoptr (GTask) task = run->task;

  run->function (task, g_task_get_source_object (task), g_task_get_task_data (task),
                 g_task_get_cancellable (task));
  return NULL;
}

/* Takes the place of GLib's, for libraries as well: the linker exports it, because GLib has one. */
void
g_task_run_in_thread (GTask *task, GTaskThreadFunc function)
{
  Run *run = g_new (Run, 1);
  GThread *thread;

  *run = (Run){ g_object_ref (task), function };
  thread = g_thread_try_new ("task", run_task, run, NULL);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    run_task (run);
}

GIOStream *
emu_tls_server_new (GIOStream *stream, GTlsCertificate *certificate)
{
  return g_initable_new (g_tls_backend_get_server_connection_type (g_tls_backend_get_default ()),
                         NULL, NULL, "base-io-stream", stream, "certificate", certificate,
                         "database", NULL, NULL);
}

gboolean
emu_handshake (GTlsConnection *connection, GCancellable *cancellable)
{
  return g_tls_connection_handshake (connection, cancellable, NULL);
}
