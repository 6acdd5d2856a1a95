/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "emulator/routes/late.h"

#include "emulator/base/json.h"

typedef struct
{
  EmuCall *call;
  const EmuRule *rule; /* owned by the scenario */
  guint left;          /* requests to come */
  gint64 due;          /* monotonic time, µs */
} Late;

struct _EmuLateCalls
{
  GMutex lock;
  GCond changed;

  /* with lock */
  GPtrArray *waiting; /* of Late, in order of arrival */
  GThread *clock;     /* does what has a time; NULL: nothing ever had */
  gboolean stopped;
  guint n_done;
};

static void
late_free (Late *late)
{
  emu_call_free (late->call);
  g_free (late);
}

EmuLateCalls *
emu_late_calls_new (void)
{
  EmuLateCalls *late = g_new0 (EmuLateCalls, 1);

  g_mutex_init (&late->lock);
  g_cond_init (&late->changed);
  late->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify) late_free);
  return late;
}

void
emu_late_calls_free (EmuLateCalls *late)
{
  GThread *clock;

  g_mutex_lock (&late->lock);
  late->stopped = TRUE;
  clock = g_steal_pointer (&late->clock);
  g_cond_broadcast (&late->changed);
  g_mutex_unlock (&late->lock);
  if (clock != NULL)
    g_thread_join (clock);
  g_ptr_array_unref (late->waiting);
  g_mutex_clear (&late->lock);
  g_cond_clear (&late->changed);
  g_free (late);
}

/* --- doing -------------------------------------------------------------------------------------
 */

/* Without the lock. Takes @one. */
static void
carry_out (EmuLateCalls *late, Late *one)
{
  EmuCall *call = one->call;

  if (emu_call_authorise (call))
    call->route->handler (call);
  emu_request_log_set_late (call->world->log, call->number, call->status);
  late_free (one);
  g_mutex_lock (&late->lock);
  late->n_done++;
  g_cond_broadcast (&late->changed);
  g_mutex_unlock (&late->lock);
}

/* Takes @all, an array that does not free its elements. */
static void
carry_out_all (EmuLateCalls *late, GPtrArray *all)
{
  for (guint i = 0; i < all->len; i++)
    carry_out (late, g_ptr_array_index (all, i));
  g_ptr_array_unref (all);
}

typedef gboolean (*IsDue) (Late *one, gconstpointer what);

/* Moves those of @late that are due into the result. */
static GPtrArray *
take_due_locked (EmuLateCalls *late, IsDue is_due, gconstpointer what)
{
  GPtrArray *taken = g_ptr_array_new ();

  for (guint i = 0; i < late->waiting->len;)
    if (is_due (g_ptr_array_index (late->waiting, i), what))
      g_ptr_array_add (taken, g_ptr_array_steal_index (late->waiting, i));
    else
      i++;
  return taken;
}

static void
do_due (EmuLateCalls *late, IsDue is_due, gconstpointer what)
{
  GPtrArray *taken;

  g_mutex_lock (&late->lock);
  taken = take_due_locked (late, is_due, what);
  g_mutex_unlock (&late->lock);
  carry_out_all (late, taken);
}

/* --- time --------------------------------------------------------------------------------------
 */

static gboolean
is_past (Late *one, gconstpointer now)
{
  return one->rule->later == EMU_LATER_TIME && one->due <= *(const gint64 *) now;
}

static gint64
get_next_due_locked (EmuLateCalls *late)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < late->waiting->len; i++)
    {
      const Late *one = g_ptr_array_index (late->waiting, i);

      if (one->rule->later == EMU_LATER_TIME)
        next = MIN (next, one->due);
    }
  return next;
}

static gpointer
watch_clock (gpointer data)
{
  EmuLateCalls *late = data;

  g_mutex_lock (&late->lock);
  while (!late->stopped)
    {
      gint64 now = g_get_monotonic_time ();
      GPtrArray *due = take_due_locked (late, is_past, &now);

      if (due->len == 0)
        g_cond_wait_until (&late->changed, &late->lock, get_next_due_locked (late));
      g_mutex_unlock (&late->lock);
      carry_out_all (late, due);
      g_mutex_lock (&late->lock);
    }
  g_mutex_unlock (&late->lock);
  return NULL;
}

/* --- what others report ------------------------------------------------------------------------
 */

static void
append_header (const char *name, const char *value, gpointer headers)
{
  soup_message_headers_append (headers, name, value);
}

/* The request alone, without its connection and its rules. */
static EmuCall *
detach (EmuCall *call)
{
  EmuCall *copy = emu_call_new (call->world, NULL);

  copy->number = call->number;
  copy->tls = call->tls;
  copy->route = call->route;
  copy->method = g_strdup (call->method);
  copy->path = g_strdup (call->path);
  soup_message_headers_foreach (call->headers, append_header, copy->headers);
  copy->version = call->version;
  copy->id = g_strdup (call->id);
  copy->tail = g_strdup (call->tail);
  copy->query = g_hash_table_ref (call->query);
  copy->token = g_strdup (call->token);
  copy->offset = call->offset;
  copy->body = g_byte_array_ref (call->body);
  if (call->body->len > 0)
    copy->json = emu_json_parse ((const char *) call->body->data, call->body->len);
  return copy;
}

void
emu_late_calls_add (EmuLateCalls *late, EmuCall *call, const EmuRule *rule)
{
  EmuScenario *scenario = call->world->scenario;
  g_autoptr (GCancellable) hold = NULL;
  Late *one = g_new0 (Late, 1);

  one->call = detach (call);
  one->rule = rule;
  one->left = rule->later_n;
  one->due = g_get_monotonic_time () + rule->later_n * (gint64) G_TIME_SPAN_MILLISECOND;
  if (rule->later == EMU_LATER_RELEASED)
    hold = emu_scenario_get_hold (scenario, rule->later_name);
  g_mutex_lock (&late->lock);
  if (!g_cancellable_is_cancelled (hold))
    g_ptr_array_add (late->waiting, g_steal_pointer (&one));
  if (rule->later == EMU_LATER_TIME && late->clock == NULL)
    late->clock = g_thread_new ("emu-late", watch_clock, late);
  g_cond_broadcast (&late->changed);
  g_mutex_unlock (&late->lock);
  if (one != NULL)
    carry_out (late, one);
  if (rule->later == EMU_LATER_RELEASED)
    emu_scenario_note_held (scenario, rule->later_name);
}

static gboolean
has_name (Late *one, gconstpointer name)
{
  return one->rule->later == EMU_LATER_RELEASED && g_str_equal (one->rule->later_name, name);
}

void
emu_late_calls_release (EmuLateCalls *late, const char *name)
{
  do_due (late, has_name, name);
}

typedef struct
{
  guint number;
  const char *route; /* NULL: the late request's own end */
} Event;

/* Counts, too. */
static gboolean
is_awaited (Late *one, gconstpointer data)
{
  const Event *event = data;

  if (one->rule->later != EMU_LATER_REQUESTS)
    return FALSE;
  if (event->route == NULL)
    return one->left == 0 && one->call->number == event->number;
  if (one->left == 0 || event->number <= one->call->number
      || (one->rule->later_route != NULL && !g_str_equal (one->rule->later_route, event->route)))
    return FALSE;
  return --one->left == 0;
}

void
emu_late_calls_note_handled (EmuLateCalls *late, guint number, const char *route)
{
  Event event = { number, route };

  do_due (late, is_awaited, &event);
}

void
emu_late_calls_note_ended (EmuLateCalls *late, guint number)
{
  Event event = { number, NULL };

  do_due (late, is_awaited, &event);
}

gboolean
emu_late_calls_wait (EmuLateCalls *late, guint n, guint timeout_ms)
{
  gint64 until = g_get_monotonic_time () + timeout_ms * (gint64) G_TIME_SPAN_MILLISECOND;
  gboolean in_time = TRUE;

  g_mutex_lock (&late->lock);
  while (in_time && late->n_done < n)
    in_time = g_cond_wait_until (&late->changed, &late->lock, until);
  g_mutex_unlock (&late->lock);
  return in_time;
}
