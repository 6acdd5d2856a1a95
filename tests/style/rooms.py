#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rooms of the source: which may include which, what they really include, and a picture of that.

usage: rooms.py SOURCE_DIR            the measures, as text
       rooms.py SOURCE_DIR --picture  docs/rooms.svg, on standard output

check-style.py holds the includes to the table below and the picture to the includes.
"""
import os
import re
import sys

# From the lowest to the highest: the rooms that a room may include, all of which stand above it here. Tests may include
# everything.
ROOMS = {
    'src/base': (),
    'src/http': ('src/base',),
    'src/auth': ('src/base', 'src/http'),
    'src/api': ('src/base', 'src/http', 'src/auth'),
    'src/probe': ('src/base', 'src/http', 'src/api'),
    'src/upload': ('src/base', 'src/http', 'src/api'),
    'src/spool': ('src/base', 'src/api'),
    'src/delivery': ('src/base', 'src/api', 'src/upload', 'src/spool'),
    'src/status': ('src/base', 'src/api', 'src/spool'),
    'src/cli': ('src/base', 'src/api', 'src/probe', 'src/upload', 'src/spool', 'src/delivery', 'src/status'),
    'gst': ('src/base', 'src/api', 'src/upload', 'src/spool', 'src/delivery'),
}

# What a room knows, in a few words.
SUBJECTS = {
    'src/base': 'errors, digests, files, time',
    'src/http': 'one request, one reply',
    'src/auth': 'tokens',
    'src/api': "Box's calls and objects",
    'src/probe': 'experiments with an account',
    'src/upload': 'parts, workers, the next step',
    'src/spool': 'recordings on disk',
    'src/delivery': 'one file on its way',
    'src/status': 'the daemon, seen',
    'src/cli': 'boxupload',
    'gst': 'boxuploadsink',
}

SMALL_FILE = 80  # lines


def sources_of(top, room):
    folder = os.path.join(top, room)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(('.c', '.h'))]


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def arrows(top):
    """room -> the set of other rooms that its files include."""
    found = {room: set() for room in ROOMS}
    for room in ROOMS:
        for path in sources_of(top, room):
            for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', read(path), re.MULTILINE):
                target = 'src/' + os.path.dirname(name)
                if target in ROOMS and target != room:
                    found[room].add(target)
    return found


def floors(found):
    """room -> 1 for a room that includes no other, else one more than the highest that it includes; 0 in a circle."""
    known = {}
    while True:
        ready = [room for room in found if room not in known and all(target in known for target in found[room])]
        if not ready:
            return {room: known.get(room, 0) for room in found}
        for room in ready:
            known[room] = 1 + max((known[target] for target in found[room]), default=0)


def drawn(found):
    """The arrows without those that a longer way implies."""
    def reach(room, seen):
        for target in found[room]:
            if target not in seen:
                seen.add(target)
                reach(target, seen)
        return seen

    return {room: {target for target in targets
                   if not any(target in reach(other, set()) for other in targets - {target})}
            for room, targets in found.items()}


def measures(top):
    found = arrows(top)
    floor = floors(found)
    order = list(ROOMS)
    upward = [(room, target) for room in found for target in found[room] if order.index(target) > order.index(room)]
    files = [path for room in ROOMS for path in sources_of(top, room)]
    lines = {path: read(path).count('\n') for path in files}
    small = [path for path in files if lines[path] < SMALL_FILE]
    return (f'{len(ROOMS)} rooms on {max(floor.values())} floors, {sum(map(len, found.values()))} arrows, '
            f'{len(upward)} upward, {sum(not level for level in floor.values())} rooms in a circle; '
            f'{len(files)} files, {len(small)} under {SMALL_FILE} lines, {sum(lines.values())} lines')


WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 220, 56, 40, 44, 20


def places(floor):
    """room -> (x, y) of the upper left corner of its box."""
    rows = [[room for room in floor if floor[room] == level] for level in range(max(floor.values()), 0, -1)]
    widest = max(map(len, rows))
    full = widest * WIDTH + (widest - 1) * ACROSS
    where = {}
    for number, row in enumerate(rows):
        used = len(row) * WIDTH + (len(row) - 1) * ACROSS
        for place, room in enumerate(row):
            where[room] = (MARGIN + (full - used) // 2 + place * (WIDTH + ACROSS), MARGIN + number * (HEIGHT + DOWN))
    return where, full + 2 * MARGIN, len(rows) * (HEIGHT + DOWN) - DOWN + 2 * MARGIN


def picture(top):
    found = arrows(top)
    where, width, height = places(floors(found))
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" role="img" aria-label="The rooms of the source and what they include">',
           '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
           '<path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>',
           f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for room, targets in drawn(found).items():
        for target in sorted(targets):
            (x1, y1), (x2, y2) = where[room], where[target]
            out.append(f'<line x1="{x1 + WIDTH // 2}" y1="{y1 + HEIGHT}" x2="{x2 + WIDTH // 2}" y2="{y2}" stroke="#555" '
                       'marker-end="url(#tip)"/>')
    for room, (x, y) in where.items():
        out += [f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#eef3fa" stroke="#345"/>',
                f'<text x="{x + WIDTH // 2}" y="{y + 24}" text-anchor="middle" font-weight="bold">{room}/</text>',
                f'<text x="{x + WIDTH // 2}" y="{y + 43}" text-anchor="middle" font-size="12">{SUBJECTS[room]}</text>']
    return '\n'.join(out + ['</svg>', ''])


if __name__ == '__main__':
    print(picture(sys.argv[1]) if '--picture' in sys.argv else measures(sys.argv[1]), end='' if '--picture' in sys.argv else '\n')
