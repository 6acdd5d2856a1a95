# SPDX-License-Identifier: LGPL-2.1-or-later
"""Horizontal bars with their spread, as SVG."""
from html import escape

WIDTH, LABEL, RIGHT, ROW, TOP = 760, 250, 90, 26, 34


def bars(title, unit, rows):
    """rows: (label, Series, ours). The whisker goes from the least to the greatest value."""
    scale = (WIDTH - LABEL - RIGHT) / max(series.high for _, series, _ in rows)
    height = TOP + ROW * len(rows) + 10
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             f'<text x="10" y="20" font-weight="bold">{escape(title)} ({escape(unit)})</text>']
    for number, (label, series, ours) in enumerate(rows):
        y = TOP + ROW * number
        middle = y + ROW / 2 - 2
        low, high = LABEL + series.low * scale, LABEL + series.high * scale
        parts += [f'<text x="{LABEL - 8}" y="{middle + 5:.0f}" text-anchor="end">{escape(label)}</text>',
                  f'<rect x="{LABEL}" y="{y + 2}" width="{series.median * scale:.1f}" height="{ROW - 8}" '
                  f'fill="{"#2a78b8" if ours else "#b0b8c0"}"/>',
                  f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}" stroke="#202020"/>',
                  f'<text x="{max(high, LABEL + series.median * scale) + 8:.1f}" y="{middle + 5:.0f}">{figure(series.median)}</text>']
    return '\n'.join(parts + ['</svg>', ''])


def figure(value):
    return f'{value:.0f}' if value >= 100 else f'{value:.3g}'
