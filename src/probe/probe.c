/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "probe/experiments.h"

#include "base/retry.h"

#define PROFILE_VERSION 1

/* Questions about a commit that Box is still working on, and the seconds between them. */
#define MAX_COMMITS  60
#define COMMIT_PAUSE 2

typedef struct
{
  const char *question;
  gboolean (*run) (BoxProbe *probe, GError **error);
  gboolean slow; /* left out by "quick" */
} Experiment;

static const Experiment experiments[] = {
  { "the size of parts", box_probe_part_sizes, FALSE },
  { "wrong parts", box_probe_wrong_parts, FALSE },
  { "commits", box_probe_commits, FALSE },
  { "the plan", box_probe_plan, FALSE },
  { "a token for uploads only", box_probe_rights, FALSE },
  { "requests that rest", box_probe_rests, TRUE },
  { "parts in parallel", box_probe_speed, TRUE },
};

void
box_probe_tell (BoxProbe *probe, const char *question, const char *format, ...)
{
  g_autofree char *answer = NULL;
  va_list arguments;

  va_start (arguments, format);
  answer = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  probe->events->found (question, answer, probe->user_data);
}

char *
box_probe_describe (const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);

  if (details->http_status == 0)
    return g_strdup (error->message);
  return g_strdup_printf ("HTTP %u %s", details->http_status,
                          details->box_code != NULL ? details->box_code : "without a code");
}

void
box_probe_note_answer (BoxProbe *probe, const char *name, const GError *error)
{
  const BoxErrorDetails *details = box_error_get_details (error);
  JsonObject *answers, *answer = json_object_new ();

  if (!json_object_has_member (probe->profile, "answers"))
    json_object_set_object_member (probe->profile, "answers", json_object_new ());
  answers = json_object_get_object_member (probe->profile, "answers");
  json_object_set_boolean_member (answer, "taken", error == NULL);
  if (details->http_status != 0)
    json_object_set_int_member (answer, "status", details->http_status);
  if (details->box_code != NULL)
    json_object_set_string_member (answer, "code", details->box_code);
  json_object_set_object_member (answers, name, answer);
}

GBytes *
box_probe_make_bytes (guint32 seed, gsize size)
{
  g_autoptr (GRand) dice = g_rand_new_with_seed (seed);
  gsize n = size / sizeof (guint32) + 1;
  guint32 *words = g_new (guint32, n);

  for (gsize i = 0; i < n; i++)
    words[i] = g_rand_int (dice);
  return g_bytes_new_take (words, size);
}

static void
sum_bytes (GBytes *bytes, BoxSha1 *sha1, BoxSha512 *sha512)
{
  g_autoptr (BoxDigest) short_digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);
  g_autoptr (BoxDigest) long_digest = box_digest_new_sha512 ();
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  box_digest_update (short_digest, data, size);
  box_digest_finish (short_digest, sha1);
  box_digest_update (long_digest, data, size);
  box_digest_finish_sha512 (long_digest, sha512);
}

BoxPart *
box_probe_send_part (BoxProbe *probe, BoxTransport *transport, const BoxSession *session,
                     guint64 offset, guint64 total, GBytes *bytes, GError **error)
{
  BoxSha1 sha1;
  BoxSha512 sha512;
  BoxBody body;
  BoxPart *part;

  sum_bytes (bytes, &sha1, &sha512);
  box_body_init_bytes (&body, bytes);
  part = box_client_upload_part (probe->settings->client, transport, session, offset, total, &sha1,
                                 &body, probe->cancellable, error);
  if (part != NULL)
    {
      part->sha512 = sha512;
      part->has_sha512 = TRUE;
    }
  return part;
}

GPtrArray *
box_probe_fill (BoxProbe *probe, const BoxSession *session, guint64 size, BoxSha1 *sha1,
                GError **error)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func ((GDestroyNotify) box_part_free);
  g_autoptr (BoxDigest) digest = box_digest_new (BOX_DIGEST_ENGINE_GNUTLS);

  for (guint64 offset = 0; offset < size; offset += session->part_size)
    {
      gsize length = (gsize) MIN (session->part_size, size - offset);
      g_autoptr (GBytes) bytes = box_probe_make_bytes (g_random_int (), length);
      BoxPart *part =
          box_probe_send_part (probe, probe->transport, session, offset, size, bytes, error);

      if (part == NULL)
        return NULL;
      g_ptr_array_add (parts, part);
      box_digest_update (digest, g_bytes_get_data (bytes, NULL), length);
    }
  box_digest_finish (digest, sha1);
  return g_steal_pointer (&parts);
}

BoxFile *
box_probe_commit (BoxProbe *probe, const BoxSession *session, GPtrArray *parts, const BoxSha1 *sha1,
                  GError **error)
{
  BoxFile *file = NULL;
  gint retry_after;

  for (guint i = 0; i < MAX_COMMITS; i++)
    {
      if (!box_client_commit (probe->settings->client, probe->transport, session, parts, sha1, NULL,
                              NULL, &file, &retry_after, probe->cancellable, error))
        return NULL;
      if (file != NULL)
        return file;
      retry_after = CLAMP (retry_after, 1, COMMIT_PAUSE * 10);
      if (!box_call_sleep (retry_after * (gint64) G_USEC_PER_SEC, probe->cancellable, error))
        return NULL;
    }
  g_set_error_literal (error, BOX_ERROR, BOX_ERROR_TRANSIENT, "Box is still working on the commit");
  return NULL;
}

/* Nothing that follows can work. */
static gboolean
is_final (BoxProbe *probe, const GError *error)
{
  return g_cancellable_is_cancelled (probe->cancellable)
         || g_error_matches (error, BOX_ERROR, BOX_ERROR_CREDENTIALS)
         || g_error_matches (error, BOX_ERROR, BOX_ERROR_TRUST);
}

static gboolean
run_experiments (BoxProbe *probe, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (experiments); i++)
    {
      const Experiment *experiment = &experiments[i];
      g_autoptr (GError) reason = NULL;

      if (experiment->slow && probe->settings->quick)
        continue;
      probe->events->trying (experiment->question, probe->user_data);
      if (experiment->run (probe, &reason))
        continue;
      if (is_final (probe, reason))
        {
          g_propagate_error (error, g_steal_pointer (&reason));
          return FALSE;
        }
      box_probe_tell (probe, experiment->question, "not found out: %s", reason->message);
    }
  return TRUE;
}

static JsonObject *
new_profile (void)
{
  JsonObject *profile = json_object_new ();

  json_object_set_int_member (profile, "version", PROFILE_VERSION);
  json_object_set_int_member (profile, "time", g_get_real_time () / G_USEC_PER_SEC);
  return profile;
}

gboolean
box_probe_run (const BoxProbeSettings *settings, const BoxProbeEvents *events, gpointer user_data,
               GCancellable *cancellable, JsonObject **profile, GError **error)
{
  g_autoptr (BoxTransport) transport = box_transport_new ();
  BoxProbe probe = {
    .settings = settings,
    .events = events,
    .user_data = user_data,
    .cancellable = cancellable,
    .transport = transport,
  };
  gboolean done;

  probe.scratch =
      box_scratch_new (settings->client, transport, settings->folder_id, cancellable, error);
  if (probe.scratch == NULL)
    return FALSE;
  probe.profile = new_profile ();
  done = run_experiments (&probe, error);
  events->trying ("to remove what was made", user_data);
  if (!box_scratch_clear (probe.scratch))
    box_probe_tell (&probe, "cleaning up", "something stays in folder %s; the next run removes it",
                    box_scratch_get_folder (probe.scratch));
  box_scratch_free (probe.scratch);
  g_clear_pointer (&probe.file, box_file_free);
  g_clear_pointer (&probe.parts, g_ptr_array_unref);
  *profile = probe.profile;
  if (!done)
    g_clear_pointer (profile, json_object_unref);
  return done;
}

BoxPlanScope
box_probe_get_plan (JsonObject *profile)
{
  const char *name = json_object_get_string_member_with_default (profile, "plan", "unknown");

  for (guint i = BOX_PLAN_SCOPE_NONE; i <= BOX_PLAN_SCOPE_ACCOUNT; i++)
    if (g_str_equal (name, box_plan_scope_to_string ((BoxPlanScope) i)))
      return (BoxPlanScope) i;
  return BOX_PLAN_SCOPE_UNKNOWN;
}
