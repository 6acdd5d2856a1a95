#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the figures of a soak into a page, between the marks that name the script, and draws them.

usage: soak-table.py FIGURES.csv PAGE.md PLOT.svg
"""
import csv
import sys

from page import replace

BEGIN, END = '<!-- written by scripts/soak -->', '<!-- end of scripts/soak -->'
FIGURES = {'rss_kib': ('memory, MiB', 1024), 'descriptors': ('descriptors', 1), 'threads': ('threads', 1), 'spool_kib': ('spool, MiB', 1024)}
WIDTH, HEIGHT, LEFT, RIGHT = 760, 110, 120, 20


def row_of(name, rows):
    title, unit = FIGURES[name]
    third = len(rows) // 3
    parts = [rows[:third], rows[third:2 * third], rows[2 * third:]]
    cells = [f'{min(part) / unit:.0f} to {max(part) / unit:.0f}' for part in ([float(row[name]) for row in part] for part in parts)]
    return f'| {title} | {" | ".join(cells)} |'


def curve(number, name, rows):
    """One figure over the time, in a band of its own, from 0 to its greatest value."""
    title, unit = FIGURES[name]
    values, times = [float(row[name]) / unit for row in rows], [float(row['seconds']) for row in rows]
    top, bottom = number * HEIGHT + 30, (number + 1) * HEIGHT + 10
    points = ' '.join(f'{LEFT + time / times[-1] * (WIDTH - LEFT - RIGHT):.1f},{bottom - value / (max(values) or 1) * (bottom - top):.1f}'
                      for time, value in zip(times, values))
    return [f'<text x="{LEFT - 10}" y="{top + 20}" text-anchor="end">{title}</text>',
            f'<text x="{LEFT - 10}" y="{top + 4}" text-anchor="end" fill="#606870">{max(values):.0f}</text>',
            f'<path d="M{LEFT} {bottom}H{WIDTH - RIGHT}M{LEFT} {top}V{bottom}" stroke="#b0b8c0" fill="none"/>',
            f'<polyline points="{points}" stroke="#2a78b8" stroke-width="1.5" fill="none"/>']


def main():
    figures, page, plot = sys.argv[1:]
    with open(figures, encoding='ascii') as file:
        rows = list(csv.DictReader(file))
    lasted, pieces = float(rows[-1]['seconds']), rows[-1]['pieces']
    lines = [f'{lasted:.0f} s, {pieces} pieces uploaded until then.', '', '| | first third | second | last |', '|---|---|---|---|']
    lines += [row_of(name, rows) for name in FIGURES]
    replace(page, BEGIN, END, '\n'.join(lines))
    height = len(FIGURES) * HEIGHT + 40
    with open(plot, 'w', encoding='utf-8') as file:
        file.write('\n'.join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
            f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text x="10" y="18" font-weight="bold">20 endless recordings under faults, {lasted:.0f} s</text>',
            *(line for number, name in enumerate(FIGURES) for line in curve(number, name, rows)), '</svg>', '']))
    print('\n'.join(lines))


if __name__ == '__main__':
    main()
