/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "http/exchange.h"

#include "base/error.h"

#include <libsoup/soup.h>

static const char *
describe_stage (BoxStage stage)
{
  switch (stage)
    {
    case BOX_STAGE_RESOLVING:
      return "looking up the host";
    case BOX_STAGE_CONNECTING:
      return "connecting";
    case BOX_STAGE_TUNNELLING:
      return "asking the proxy for a tunnel";
    case BOX_STAGE_HANDSHAKING:
      return "setting up TLS";
    case BOX_STAGE_SENDING:
      return "sending the request";
    case BOX_STAGE_WAITING:
      return "waiting for the reply";
    case BOX_STAGE_READING:
    default:
      return "reading the reply";
    }
}

/* NULL: the usual one of the scheme. Free the result. */
static char *
describe_port (GUri *uri)
{
  gint usual = g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80;
  gint port = g_uri_get_port (uri);

  return port >= 0 && port != usual ? g_strdup_printf (" to port %d", port) : NULL;
}

/* GIO's messages about a SOCKS proxy. */
static gboolean
is_proxy_setting (const GError *reason)
{
  return g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PROXY_NEED_AUTH)
         || g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PROXY_AUTH_FAILED)
         || g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PROXY_NOT_ALLOWED);
}

GError *
box_failure_describe_verdict (const BoxFailure *self, BoxPatienceVerdict verdict,
                              const BoxPatience *patience)
{
  BoxErrorDetails details = {
    .retry_after = -1,
    .unsure = self->started,
    .slow = box_patience_has_moved (patience),
  };
  /* Bytes that the kernel has are still being sent. */
  BoxStage stage = patience->phase == BOX_PHASE_SENDING ? BOX_STAGE_SENDING : self->stage;

  if (patience->phase == BOX_PHASE_REPLY && stage == BOX_STAGE_SENDING)
    stage = BOX_STAGE_READING;
  return box_error_new_with_details (
      BOX_ERROR_TRANSIENT, &details,
      verdict == BOX_PATIENCE_SILENCE ? "no progress for %u s while %s (%s)"
                                      : "gave up after %u s while %s (%s)",
      box_patience_limit (patience, verdict), describe_stage (stage), g_uri_get_host (self->uri));
}

GError *
box_failure_describe (const BoxFailure *self, const GError *reason)
{
  const char *host = g_uri_get_host (self->uri);
  BoxErrorDetails details = { .retry_after = -1, .unsure = self->started };
  g_autofree char *port = self->stage == BOX_STAGE_CONNECTING ? describe_port (self->uri) : NULL;

  if (reason->domain == BOX_ERROR)
    return g_error_copy (reason);
  if (self->certificate_problems != 0)
    return box_error_new_with_details (
        BOX_ERROR_TRUST, &details, "the certificate of %s is not trusted: %s%s", host,
        self->certificate_words,
        self->certificate_problems & G_TLS_CERTIFICATE_UNKNOWN_CA
            ? "; if it is your own authority's, give that one's certificate as ca-file"
            : "");
  if (reason->domain == SOUP_SESSION_ERROR
      && (reason->code == SOUP_SESSION_ERROR_PARSING
          || reason->code == SOUP_SESSION_ERROR_ENCODING))
    return box_error_new_with_details (BOX_ERROR_TRANSIENT, &details,
                                       "%s answered with something that is not HTTP", host);
  if (is_proxy_setting (reason))
    return box_error_new_with_details (BOX_ERROR_SETTINGS, &details,
                                       "the proxy refused the connection to %s; check the user and "
                                       "password in the proxy's URI (%s)",
                                       host, reason->message);
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return box_error_new_with_details (BOX_ERROR_TRANSIENT, &details,
                                       "no progress for %u s while %s (%s)", self->timeout,
                                       describe_stage (self->stage), host);
  return box_error_new_with_details (BOX_ERROR_TRANSIENT, &details, "%s failed while %s%s: %s",
                                     host, describe_stage (self->stage), port != NULL ? port : "",
                                     reason->message);
}
