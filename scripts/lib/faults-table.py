#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the results of scripts/faults into a page, each matrix between its own marks.

usage: faults-table.py RESULTS.jsonl NETWORK.json PAGE.md

RESULTS has a line for each cell: {"matrix", "cell", "outcome", "problem"}. A matrix of which there is no result keeps its table.
"""
import collections
import json
import sys

from page import replace

# What the outcomes of each matrix are called, in the order of its columns.
MATRICES = {
    'network': ('cells', {'right': 'file there', 'resumed': 'there after resume', 'refused': 'error, no spool',
                          'not met': 'fault not met', 'wrong': 'wrong'}),
    'calls': ('calls failed', {'right': 'survived', 'failed': 'error, nothing lost', 'wrong': 'wrong'}),
    'cuts': ('cuts', {'right': 'every synced byte there', 'wrong': 'wrong'}),
}


def read_results(path):
    """matrix → cell → its last line: a cell that was played again counts once"""
    results = collections.defaultdict(dict)
    with open(path, encoding='utf-8') as file:
        for line in file:
            try:
                result = json.loads(line)
            except json.JSONDecodeError:
                continue  # the run was ended in the middle of it
            results[result['matrix']][result['cell']] = result
    return results


def format_table(matrix, results, excepted):
    noun, outcomes = MATRICES[matrix]
    ways = collections.defaultdict(collections.Counter)
    for result in results:
        ways[result['cell'].split('/')[0]][result['outcome']] += 1
    ways['**all**'] = sum(ways.values(), collections.Counter())
    lines = [f'| way | {noun} | ' + ' | '.join(outcomes.values()) + ' |', '|---' * (len(outcomes) + 2) + '|']
    for way, counts in ways.items():
        lines.append(f'| {way} | {counts.total()} | ' + ' | '.join(str(counts[outcome]) for outcome in outcomes) + ' |')
    lines.append('')
    wrong = [result for result in results if result['outcome'] == 'wrong']
    if wrong:
        lines += ['Wrong:', '']
        lines += [f'- `{result["cell"]}`: {" ".join(result["problem"].split())[:300]}' for result in wrong]
    if excepted:
        lines += ['Not played:', ''] + [f'- `{row["cells"]}`: {row["because"]}' for row in excepted]
    return '\n'.join(lines).rstrip('\n')


def main():
    results_path, network, path = sys.argv[1:]
    with open(network, encoding='utf-8') as file:
        excepted = json.load(file)['except']
    for matrix, results in read_results(results_path).items():
        table = format_table(matrix, results.values(), excepted if matrix == 'network' else [])
        replace(path, f'<!-- {matrix}: written by scripts/faults -->', f'<!-- {matrix}: end -->', table)
        print(table, end='\n\n')


if __name__ == '__main__':
    main()
