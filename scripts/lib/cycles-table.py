#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what a thousand lives of a sink took into a page, in the row of what watched them. Exits 1 if something was reported.

usage: cycles-table.py UNDER FIGURES.json LOG PAGE.md

UNDER: alone, tsan or valgrind, which wrote LOG. The rows of the others stay as they are.
"""
import json
import re
import sys

from page import between, replace

BEGIN, END = '<!-- cycles: written by scripts/soak -->', '<!-- cycles: end -->'
HEAD = ['| under | cycles | files at Box | stopped | memory in use, KiB, by thirds | descriptors | threads | reports |', '|---|---|---|---|---|---|---|---|']
NAMES = {'alone': 'nothing', 'tsan': 'ThreadSanitizer', 'valgrind': 'valgrind (memcheck)'}


def reports_of(under, log):
    """How many defects it reported; those of a process that did not get to its end count too."""
    if under == 'valgrind':
        summary = re.findall(r'ERROR SUMMARY: (\d+) errors', log)
        return int(summary[-1]) if summary else 1
    return log.count('WARNING: ThreadSanitizer') if under == 'tsan' else 0


def by_thirds(figures, name, unit):
    return ', '.join(f'{least / unit:.0f} to {most / unit:.0f}' for least, most in (third[name] for third in figures['thirds']))


def main():
    under, figures_path, log_path, page = sys.argv[1:]
    with open(figures_path, encoding='ascii') as file:
        figures = json.load(file)
    with open(log_path, encoding='utf-8', errors='replace') as file:
        reports = reports_of(under, file.read())
    row = [NAMES[under], figures['cycles'], figures['files'], figures['stopped'], by_thirds(figures, 'memory', 1024), by_thirds(figures, 'descriptors', 1),
           by_thirds(figures, 'threads', 1), reports]
    rows = {line.split('|')[1].strip(): line for line in between(page, BEGIN, END).splitlines()[len(HEAD):]}
    rows[NAMES[under]] = f'| {" | ".join(str(cell) for cell in row)} |'
    text = '\n'.join(HEAD + [rows[name] for name in NAMES.values() if name in rows])
    replace(page, BEGIN, END, text)
    print(text)
    return 1 if reports else 0


if __name__ == '__main__':
    sys.exit(main())
