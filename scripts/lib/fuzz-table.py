#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what libFuzzer did into a page, between the marks that name the script.

usage: fuzz-table.py DIR PAGE.md CORPUS NAME...

The rows of NAME... are written anew, those of other targets stay as they are: an hour each for all of them takes half a day, which
need not be one. A row without a directory in CORPUS goes.
DIR has NAME.log, libFuzzer's output with -print_final_stats=1 and -print_coverage=1, NAME/, the inputs that are kept, and
NAME.crash-… and the like, those that failed.
"""
import glob
import os
import re
import sys

from page import between, replace

BEGIN, END = '<!-- written by scripts/fuzz -->', '<!-- end of scripts/fuzz -->'


def row_of(directory, name):
    with open(f'{directory}/{name}.log', encoding='utf-8', errors='replace') as file:
        log = file.read()
    executions = re.findall(r'stat::number_of_executed_units:\s*(\d+)', log)
    edges = [int(each) for each in re.findall(r' cov: (\d+)', log)]
    seconds = re.findall(r'Done \d+ runs in (\d+) second', log)
    # "COVERED_FUNC: hits: 12 edges: 7/9 name file:line" for functions that were entered.
    functions = re.findall(r'^COVERED_FUNC: .* (?:\S*/)?((?:src|tests)/\S+?):\d+', log, re.MULTILINE)
    ours = sum(each.startswith('src/') for each in functions)
    failures = len(glob.glob(f'{directory}/{name}.*-*'))
    kept = len(os.listdir(f'{directory}/{name}'))
    return [name, seconds[-1] if seconds else '-', executions[-1] if executions else '-', str(max(edges, default=0)), str(ours),
            str(kept), str(failures)]


def rows_of(page):
    """name: the line of the table that the page has."""
    return {match[1]: match[0] for match in re.finditer(r'^\| ([a-z-]+) \| .*\|$', between(page, BEGIN, END), re.MULTILINE)
            if match[1] != 'target'}


def main():
    directory, page, corpus, *names = sys.argv[1:]
    rows = {name: row for name, row in rows_of(page).items() if os.path.isdir(f'{corpus}/{name}')}
    rows.update((name, f'| {" | ".join(row_of(directory, name))} |') for name in names)
    lines = ['| target | seconds | executions | edges reached | functions of src/ reached | inputs kept | failures |',
             '|---|---|---|---|---|---|---|']
    lines += [row for _, row in sorted(rows.items())]
    table = '\n'.join(lines)
    replace(page, BEGIN, END, table)
    print(table)


if __name__ == '__main__':
    main()
