#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the tables of the documentation have what the code has, no more and no less, as a TAP test: properties with types and defaults,
enum values, signals, messages with fields, error codes, statistics, environment variables, exit codes, JSON, metrics, journal records.
Properties, signals and messages also say in the source since which release they are there.

usage: check-reference.py SOURCE_DIR PLUGIN_DIR
"""
import re
import sys

import interface

PROPERTY_ROW = re.compile(r'^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \|$', re.MULTILINE)
NAME = r'`([a-z0-9_-]+)`'


def section(text, heading):
    """Of a page, without the headings below it."""
    return re.split(r'^#+ ', text.partition(f'\n{heading}\n')[2], maxsplit=1, flags=re.MULTILINE)[0]


def cells(text):
    """The rows of the tables of @text but their heads."""
    rows = [line.strip('|').split(' | ') for line in text.splitlines() if line.startswith('| ')]
    return [[cell.strip() for cell in row] for row in rows if not set(''.join(row)) <= set('-| ')]


def names_of_first_cells(text, pattern=NAME):
    return {name for row in cells(text) for name in re.findall(pattern, row[0])}


def of_element(top, plugin_dir):
    page = interface.read(top, 'docs/element.md')
    inspected = interface.inspect(plugin_dir)
    rows = {name: (kind, text) for name, kind, text in PROPERTY_ROW.findall(page.partition('\n## All properties\n')[2])}
    listed = {name: kind for name, (kind, _) in rows.items()}
    properties = interface.properties(top, inspected)
    for name in sorted({**properties, **listed}):
        yield f'property-{name}', properties.get(name), listed.get(name)
    for name, values in interface.choices(inspected).items():
        named = set(re.findall(r'`([a-z0-9-]+)`', rows[name][1]))
        yield f'values-of-{name}', set(), set(values) - named
    signals = section(page, '## Credentials') + section(page, '## Messages')
    for name in interface.signals(inspected):
        yield f'signal-{name}', True, f'`{name}`' in signals

    details = set(re.findall(NAME, page.partition('\n## Errors\n')[2].partition('\n| code')[0].partition('have these fields')[2].partition('.\n')[0]))
    yield 'details-of-errors', set(interface.details(top)), details
    messages = {row[0].strip('`'): row[2] for row in cells(section(page, '## Messages'))[1:] if len(row) == 3}
    own = interface.messages(top)
    yield 'messages', set(own), set(messages)
    for name, fields in own.items():
        text = messages.get(name, '')
        named = set(re.findall(r'`([a-z0-9-]+)`', re.sub(r'`boxupload [^`]*`', '', text))) | (details if 'the details below' in text else set())
        yield f'fields-of-{name}', set(fields), named
    yield 'error-codes', interface.errors(top), names_of_first_cells(section(page, '## Errors'), r'`([A-Z_]+)`')
    yield 'statistics', set(), set(interface.statistics(top)) - set(re.findall(NAME, section(page, '## Statistics')))


def of_releases(top, inspected):
    """That each says in the source since when it is there."""
    said = interface.releases_in_comments(top)
    own = {'properties': interface.properties(top, inspected), 'signals': interface.signals(inspected), 'messages': interface.messages(top)}
    for kind, names in own.items():
        expected = {name: interface.release_of(top, kind, name) for name in names}
        yield f'since-of-{kind}', expected, said[kind]


def of_programs(top):
    page = interface.read(top, 'docs/command-line.md')
    codes = set(re.findall(r'\b\d+', ' '.join(row[0] for row in cells(section(page, '## For scripts'))[1:]))) - {'143'}
    yield 'exit-codes', set(interface.exit_codes(top)), codes
    manual = interface.read(top, 'docs/boxupload.1')
    variables = manual.partition('.Sh ENVIRONMENT')[2].partition('.Sh ')[0]
    for name in sorted(interface.variables(top)):
        yield f'variable-{name}', True, name in variables
    yield 'kinds-of-failures', set(), set(interface.error_kinds(top)) - set(re.findall(r'`([a-z-]+)`', section(page, '## For scripts')))


def of_watch(top):
    page = interface.read(top, 'docs/watch.md')
    metrics = interface.metrics(top)
    rows = {name: set(labels.split(',')) if labels else set() for row in cells(section(page, '## Metrics'))[1:]
            for name, labels in re.findall(r'`(boxupload_[a-z_]+)(?:\{([a-z_,]+)\})?`', row[0])}
    yield 'metrics', {name: set(labels) for name, labels in metrics.items()}, rows
    table = section(page, '## /api/status')
    yield 'status-members', set(), interface.status_members(top) - set(re.findall(NAME, table))
    dashboards = interface.source(top, 'docs/monitoring/*')
    yield 'metrics-of-alerts-and-dashboard', set(), set(re.findall(r'\bboxupload_[a-z_]+', dashboards)) - set(metrics)


def of_spool(top):
    page = interface.read(top, 'docs/spool.md')
    yield 'journal-records', interface.journal_records(top), names_of_first_cells(section(page, '## The journal')) - {'record'}


def of_files(top):
    """Each row names the versions that the constants of the source have."""
    rows = cells(section(interface.read(top, 'docs/compatibility.md'), '## Files'))[1:]
    names = ('BOX_JOURNAL', 'NOTE', 'BOX_JOURNAL', 'PROFILE')
    for row, name in zip(rows, names):
        yield f'versions-of-{row[0].split(" of ")[0]}', interface.versions(top, name), set(re.findall(r'\d+', row[1]))


def main():
    top, plugin_dir = sys.argv[1:3]
    cases = [*of_element(top, plugin_dir), *of_releases(top, interface.inspect(plugin_dir)), *of_programs(top), *of_watch(top), *of_spool(top), *of_files(top)]
    print(f'1..{len(cases)}')
    for number, (name, code, page) in enumerate(cases, 1):
        good = code == page and code is not None
        if not good and isinstance(code, (set, dict)):
            only_code = [name for name in code if name not in page or isinstance(code, dict) and code[name] != page[name]]
            print(f'# only in the code: {sorted(only_code)}; only in the page, or missing there: {sorted(name for name in page if name not in code)}')
        elif not good:
            print(f'# the code: {code}; the page: {page}')
        print(f'{"ok" if good else "not ok"} {number} {name}')


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    main()
