/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The headers that say when: the first line is Retry-After, the second one Date. What is waited is
 * bounded, whatever they say.
 */
#include "fuzz.h"

#include "base/retry.h"
#include "http/message.h"

#include <libsoup/soup.h>
#include <string.h>

static void
check_delay (gint seconds)
{
  BoxErrorDetails details = { .http_status = 503, .retry_after = seconds };
  g_autoptr (GError) error = box_error_new_with_details (BOX_ERROR_TRANSIENT, &details, "busy");

  for (guint attempt = 1; attempt < 40; attempt++)
    {
      gint64 delay = box_retry_delay (attempt, error, attempt * 2654435761u);

      g_assert_cmpint (delay, >, 0);
      g_assert_cmpint (delay, <=, BOX_RETRY_AFTER_MAX * G_USEC_PER_SEC);
      g_assert_true (seconds <= 0 || delay >= MIN (seconds, BOX_RETRY_AFTER_MAX) * G_USEC_PER_SEC);
    }
}

static void
check_reply (const char *retry_after, const char *date)
{
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);
  g_autoptr (GBytes) body = g_bytes_new (NULL, 0);
  g_autoptr (BoxReply) reply = NULL;

  soup_message_headers_append (headers, "Retry-After", retry_after);
  if (date != NULL)
    soup_message_headers_append (headers, "Date", date);
  reply = box_reply_new (503, headers, body);
  g_assert_cmpint (reply->retry_after, >=, -1);
  soup_message_headers_unref (headers);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GDateTime) date = NULL;
  gint seconds;

  if (lines[0] == NULL)
    return 0;
  date = lines[1] != NULL ? soup_date_time_new_from_http_string (lines[1]) : NULL;
  seconds = box_reply_parse_retry_after (lines[0], date);
  g_assert_cmpint (seconds, >=, -1);
  check_delay (seconds);
  /* No header that libsoup has read has such a byte. */
  if (strchr (text, '\r') == NULL)
    check_reply (lines[0], lines[1]);
  return 0;
}
