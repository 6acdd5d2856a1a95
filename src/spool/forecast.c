/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spool/forecast.h"

#include "base/watermark.h"

struct _BoxForecast
{
  char *path; /* immutable */

  /* with the_lock */
  guint users;
  BoxRates rates;
};

static GMutex the_lock;
static GPtrArray *forecasts; /* with the_lock; NULL: nobody has one */

static BoxForecast *
find_locked (const char *path)
{
  for (guint i = 0; forecasts != NULL && i < forecasts->len; i++)
    {
      BoxForecast *forecast = g_ptr_array_index (forecasts, i);

      if (g_str_equal (forecast->path, path))
        return forecast;
    }
  return NULL;
}

BoxForecast *
box_forecast_take (const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&the_lock);
  BoxForecast *forecast = find_locked (path);

  if (forecast == NULL)
    {
      forecast = g_new0 (BoxForecast, 1);
      forecast->path = g_strdup (path);
      if (forecasts == NULL)
        forecasts = g_ptr_array_new ();
      g_ptr_array_add (forecasts, forecast);
    }
  forecast->users++;
  return forecast;
}

void
box_forecast_give_back (BoxForecast *forecast)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&the_lock);

  if (--forecast->users > 0)
    return;
  g_ptr_array_remove_fast (forecasts, forecast);
  if (forecasts->len == 0)
    g_clear_pointer (&forecasts, g_ptr_array_unref);
  g_free (forecast->path);
  g_free (forecast);
}

void
box_forecast_note (BoxForecast *forecast, guint64 filled, guint64 drained, guint64 released)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&the_lock);

  forecast->rates.filled += filled;
  forecast->rates.drained += drained;
  forecast->rates.released += released;
}

gint64
box_forecast_look (BoxForecast *forecast, guint64 room, gint64 now)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&the_lock);

  box_rates_look (&forecast->rates, now);
  return box_rates_get_full_in (&forecast->rates, room);
}
