/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upload-fixture.h"

#include "kit/emulator.h"
#include "kit/pattern.h"
#include "kit/watchdog.h"

#include <string.h>

static void
on_opened (const BoxSession *session, guint64 size, gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->opened++;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_part (const BoxPart *part, guint attempts, gboolean adopted, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_true (adopted == (attempts == 0));
  g_mutex_lock (&f->mutex);
  f->parts++;
  f->adopted += adopted ? 1 : 0;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_retrying (const char *request, guint64 offset, guint attempt, gint64 delay, const GError *reason,
             gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->retries++;
  g_free (f->last_retry);
  f->last_retry = g_strdup (request);
  g_free (f->last_reason);
  f->last_reason = g_strdup (reason->message);
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_outage (const GError *reason, gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->outages += reason != NULL;
  f->recoveries += reason == NULL;
  g_cond_broadcast (&f->cond);
  g_mutex_unlock (&f->mutex);
}

static void
on_committing (gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->committing++;
  g_mutex_unlock (&f->mutex);
}

static void
on_completed (const BoxFile *file, gpointer user_data)
{
  Fixture *f = user_data;

  g_mutex_lock (&f->mutex);
  f->completed++;
  g_mutex_unlock (&f->mutex);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  Fixture *f = user_data;

  g_assert_nonnull (error);
  g_mutex_lock (&f->mutex);
  f->failed++;
  g_mutex_unlock (&f->mutex);
}

static const BoxUploadEvents events = {
  .session_opened = on_opened,
  .part_done = on_part,
  .retrying = on_retrying,
  .outage = on_outage,
  .committing = on_committing,
  .completed = on_completed,
  .failed = on_failed,
};

static char *
on_token_wanted (gpointer user_data)
{
  return g_strdup ("another-token");
}

void
set_up (Fixture *f, gconstpointer data)
{
  BoxEmulatorOptions options = { .part_size = PART, .min_size = 1 };

  set_up_with (f, &options);
}

void
set_up_with (Fixture *f, const BoxEmulatorOptions *options)
{
  BoxClientSettings settings = { .access_token = "a-token", .timeout = 5 };

  g_mutex_init (&f->mutex);
  g_cond_init (&f->cond);
  kit_watchdog_start ();
  f->emulator = kit_emulator_new (options);
  f->client = kit_client_new (f->emulator, FALSE, &settings);
  box_credentials_set_request (box_client_get_credentials (f->client), on_token_wanted, NULL, NULL);
}

void
tear_down (Fixture *f, gconstpointer data)
{
  if (f->upload != NULL)
    {
      box_upload_cancel (f->upload);
      box_upload_unref (f->upload);
    }
  box_client_unref (f->client);
  box_emulator_free (f->emulator);
  g_free (f->last_retry);
  g_free (f->last_reason);
  g_mutex_clear (&f->mutex);
  g_cond_clear (&f->cond);
  kit_watchdog_stop ();
}

BoxUploadSettings
settings_for (Fixture *f, const BoxDestination *destination, guint64 size)
{
  return (BoxUploadSettings){
    .client = f->client,
    .destination = destination,
    .size = size,
    .commit = TRUE,
    .parallel = 3,
    .retry_timeout = 60,
  };
}

void
begin (Fixture *f, const BoxUploadSettings *settings)
{
  GError *error = NULL;

  f->upload = box_upload_new (settings, &events, f, NULL, &error);
  g_assert_no_error (error);
  box_upload_start (f->upload);
}

BoxDestination *
new_session (Fixture *f, const char *name, guint64 size, char **id)
{
  g_autofree char *session = box_emulator_add_session (f->emulator, "0", name, NULL, size);
  BoxDestination *destination;

  g_assert_nonnull (session);
  destination = box_destination_new_session (session, NULL);
  g_assert_nonnull (destination);
  if (id != NULL)
    *id = g_steal_pointer (&session);
  return destination;
}

gboolean
produce (Fixture *f, guint64 offset, guint64 end)
{
  guint8 buffer[10000];

  while (offset < end)
    {
      gsize n = (gsize) MIN (sizeof buffer, end - offset), done = 0;

      kit_pattern_fill (offset, buffer, n);
      while (done < n)
        {
          done += box_upload_write (f->upload, buffer + done, n - done);
          if (done < n && box_upload_wait_room (f->upload) == BOX_WAIT_FAILED)
            return FALSE;
        }
      offset += n;
    }
  return TRUE;
}

void
assert_stored (Fixture *f, const char *name, guint64 size)
{
  g_autofree char *sha1 = kit_pattern_sha1 (size, 0);

  kit_assert_stored (f->emulator, "0", name, size, sha1);
}

void
assert_done (Fixture *f)
{
  BoxWait wait = box_upload_wait_done (f->upload, KIT_PATIENCE_US);

  if (wait != BOX_WAIT_READY)
    {
      g_autoptr (GError) error = box_upload_get_error (f->upload);

      g_error ("wait %d: %s", (int) wait, error != NULL ? error->message : "no error");
    }
  g_assert_cmpuint (f->completed, ==, 1);
  g_assert_cmpuint (f->failed, ==, 0);
}

void
assert_failed (Fixture *f, BoxErrorCode code)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (box_upload_wait_done (f->upload, KIT_PATIENCE_US), ==, BOX_WAIT_FAILED);
  error = box_upload_get_error (f->upload);
  g_assert_error (error, BOX_ERROR, (gint) code);
  g_assert_cmpuint (f->failed, ==, 1);
  g_assert_cmpuint (f->completed, ==, 0);
  g_assert_cmpuint (box_emulator_count_status (f->emulator, "commit", 201), ==, 0);
}

void
assert_sent_once (Fixture *f, const char *id)
{
  kit_assert_sent_once (f->emulator, id);
}

void
upload_small (Fixture *f, guint64 size)
{
  g_autoptr (BoxDestination) destination = box_destination_new_folder ("0", "s.bin", NULL);
  BoxUploadSettings settings = settings_for (f, destination, size);

  begin (f, &settings);
  g_assert_true (produce (f, 0, size));
  box_upload_finish (f->upload);
  assert_done (f);
  assert_stored (f, "s.bin", size);
  g_assert_cmpuint (box_emulator_count (f->emulator, "upload_file"), ==, 1);
  g_assert_cmpuint (box_emulator_count (f->emulator, "create_session"), ==, 0);
}

void
load (Fixture *f, const char *rules)
{
  g_autoptr (GString) scenario = g_string_new (NULL);

  g_string_printf (scenario, "{'rules':[%s]}", rules);
  g_string_replace (scenario, "'", "\"", 0);
  kit_load_rules (f->emulator, scenario->str);
}

void
run_to_the_end (Fixture *f, const BoxUploadSettings *settings)
{
  begin (f, settings);
  produce (f, 0, settings->size);
  box_upload_finish (f->upload);
}

void
add_version (Fixture *f, const char *file_id, const char *text)
{
  g_assert_true (box_emulator_add_version (f->emulator, file_id, text, strlen (text)));
}
