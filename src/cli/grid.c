/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/grid.h"

#include "api/client.h"

/* Whether @part is one of the session's; only the last may be shorter. */
static gboolean
is_on_grid (const BoxSession *session, const BoxPart *part)
{
  guint64 index = part->offset / session->part_size;

  if (part->offset % session->part_size != 0 || index >= session->total_parts)
    return FALSE;
  if (index + 1 == session->total_parts)
    return part->size >= 1 && part->size <= session->part_size;
  return part->size == session->part_size;
}

CliGrid *
cli_grid_new (const BoxSession *session, GPtrArray *parts)
{
  CliGrid *grid = g_new0 (CliGrid, 1);

  grid->n = session->total_parts;
  grid->n_listed = MIN (grid->n, BOX_LISTED_PARTS_MAX);
  grid->stored = g_new0 (gboolean, session->total_parts);
  for (guint i = 0; i < parts->len; i++)
    {
      const BoxPart *part = g_ptr_array_index (parts, i);
      guint64 index = part->offset / session->part_size;

      if (!is_on_grid (session, part) || grid->stored[index])
        continue;
      grid->stored[index] = TRUE;
      grid->n_stored++;
      grid->bytes += part->size;
    }
  return grid;
}

void
cli_grid_free (CliGrid *grid)
{
  if (grid == NULL)
    return;
  g_free (grid->stored);
  g_free (grid);
}

char *
cli_grid_format_missing (const CliGrid *grid, guint max_ranges)
{
  GString *text = g_string_new (NULL);
  guint ranges = 0;

  for (guint i = 0; i < grid->n_listed; i++)
    {
      guint first = i;

      if (grid->stored[i])
        continue;
      while (i + 1 < grid->n_listed && !grid->stored[i + 1])
        i++;
      if (ranges++ > 0)
        g_string_append (text, ", ");
      if (ranges > max_ranges)
        {
          g_string_append (text, "…");
          break;
        }
      g_string_append_printf (text, "%u", first + 1);
      if (i > first)
        g_string_append_printf (text, "-%u", i + 1);
    }
  return g_string_free (text, FALSE);
}

static const char *
draw_cell (const CliGrid *grid, guint first, guint n, gboolean utf8)
{
  guint stored = 0;

  if (first >= grid->n_listed)
    return "?";
  for (guint i = first; i < first + n; i++)
    stored += grid->stored[i] ? 1 : 0;
  if (stored == n)
    return utf8 ? "█" : "#";
  if (stored == 0)
    return utf8 ? "░" : ".";
  return utf8 ? "▒" : "+";
}

char *
cli_grid_draw (const CliGrid *grid, guint columns, guint rows, gboolean utf8)
{
  GString *map = g_string_new (NULL);
  guint cells = MAX (columns, 1) * MAX (rows, 1);
  guint step = (grid->n - 1) / cells + 1;
  guint drawn = 0;

  for (guint i = 0; i < grid->n; i += step)
    {
      if (drawn > 0 && drawn % MAX (columns, 1) == 0)
        g_string_append_c (map, '\n');
      g_string_append (map, draw_cell (grid, i, MIN (step, grid->n - i), utf8));
      drawn++;
    }
  return g_string_free (map, FALSE);
}
