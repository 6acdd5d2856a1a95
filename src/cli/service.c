/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/outside.h"

#include "cli/output.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>
#include <unistd.h>

/* For a service manager that does not read its socket. Seconds. */
#define SEND_LIMIT 5

struct _CliService
{
  GSocket *socket; /* NULL: nobody listens */
  char *status;    /* nullable: the last one */
  guint watchdog;  /* source; 0: nobody waits for it */
};

static GSocketAddress *
parse_address (const char *name)
{
  if (*name == '@')
    return g_unix_socket_address_new_with_type (name + 1, -1, G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  return g_unix_socket_address_new (name);
}

/* NULL: nobody listens, or @name cannot be used. */
static GSocket *
connect_to (const char *name)
{
  g_autoptr (GSocketAddress) address = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) error = NULL;

  if (name == NULL || *name == '\0')
    return NULL;
  address = parse_address (name);
  socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_DEFAULT,
                         &error);
  if (socket != NULL)
    {
      g_socket_set_timeout (socket, SEND_LIMIT);
      if (g_socket_connect (socket, address, NULL, &error))
        return g_steal_pointer (&socket);
    }
  cli_complain ("cannot reach the service manager at NOTIFY_SOCKET=%s: %s", name, error->message);
  return NULL;
}

/* Nothing can be done about a message that is lost: a service manager that misses it acts. */
static void
tell (CliService *service, const char *text)
{
  if (service->socket != NULL)
    g_socket_send (service->socket, text, strlen (text), NULL, NULL);
}

static gboolean
feed_watchdog (gpointer user_data)
{
  tell (user_data, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

/* The milliseconds within which it must be fed; 0: it need not be. */
static guint
get_watchdog_interval (void)
{
  const char *limit = g_getenv ("WATCHDOG_USEC");
  const char *pid = g_getenv ("WATCHDOG_PID");
  guint64 usec, wanted;

  if (limit == NULL || !g_ascii_string_to_unsigned (limit, 10, 1, G_MAXINT64, &usec, NULL))
    return 0;
  if (pid != NULL
      && (!g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT64, &wanted, NULL)
          || wanted != (guint64) getpid ()))
    return 0;
  return (guint) CLAMP (usec / 1000, 1, G_MAXUINT);
}

CliService *
cli_service_new (void)
{
  CliService *service = g_new0 (CliService, 1);
  guint interval = get_watchdog_interval ();

  service->socket = connect_to (g_getenv ("NOTIFY_SOCKET"));
  if (service->socket != NULL && interval > 0)
    service->watchdog = g_timeout_add (MAX (interval / 2, 1), feed_watchdog, service);
  return service;
}

void
cli_service_free (CliService *service)
{
  if (service == NULL)
    return;
  g_clear_handle_id (&service->watchdog, g_source_remove);
  g_clear_object (&service->socket);
  g_free (service->status);
  g_free (service);
}

void
cli_service_tell_ready (CliService *service)
{
  tell (service, "READY=1");
}

void
cli_service_tell_stopping (CliService *service)
{
  tell (service, "STOPPING=1");
}

void
cli_service_tell_status (CliService *service, const char *format, ...)
{
  g_autofree char *status = NULL;
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  status = g_strdup_vprintf (format, args);
  va_end (args);
  if (g_strcmp0 (status, service->status) == 0)
    return;
  /* A line ends an assignment. */
  text = g_strconcat ("STATUS=", g_strdelimit (status, "\n", ' '), NULL);
  tell (service, text);
  g_free (service->status);
  service->status = g_steal_pointer (&status);
}
