#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the results of scripts/faults into a page, between the marks that name the script.

usage: faults-table.py RESULTS.jsonl LOG PAGE.md
"""
import json
import re
import sys

BEGIN, END = '<!-- written by scripts/faults -->', '<!-- end of scripts/faults -->'
COLUMNS = ('cells', 'right', 'resumed', 'refused', 'not_met', 'wrong')


def read_rows(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file]


def format_table(rows, wrong):
    total = {'way': '**all**', **{column: sum(row[column] for row in rows) for column in COLUMNS}}
    lines = ['| way | cells | file there | there after resume | error, no spool | fault not met | wrong |', '|---|---|---|---|---|---|---|']
    for row in [*rows, total]:
        lines.append(f'| {row["way"]} | ' + ' | '.join(str(row[column]) for column in COLUMNS) + ' |')
    lines += ['', f'{total["cells"] - total["not_met"]} faults were met, {total["wrong"]} cells ended wrong.']
    lines += [f'- {problem}' for problem in wrong]
    return '\n'.join(lines)


def main():
    results, log, page = sys.argv[1:]
    with open(log, encoding='utf-8', errors='replace') as file:
        wrong = [match.group(1).strip() for match in re.finditer(r'WRONG (.*)', file.read())]
    with open(page, encoding='utf-8') as file:
        before, _, rest = file.read().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f'{page} has no place for the table')
    table = format_table(read_rows(results), wrong)
    with open(page, 'w', encoding='utf-8') as file:
        file.write(f'{before}{BEGIN}\n{table}\n{END}{after}')
    print(table)


if __name__ == '__main__':
    main()
