#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What scripts/bench runs, in a network and mount namespace of its own: see there."""
import argparse
import os
import platform
import sys

import suites
from measure import Failed
from place import Place
from report import Report


def describe_machine():
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        model = next(line.split(':', 1)[1].strip() for line in file if line.startswith('model name'))
    return f'{os.cpu_count()} × {model}, Linux {platform.release()}, load {os.getloadavg()[0]:.1f} when it began'


def main():
    parser = argparse.ArgumentParser(prog='scripts/bench')
    parser.add_argument('--top', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--build', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--keep-docs', action='store_true')
    parser.add_argument('--link', action='append', type=suites.parse_link, metavar='MBIT/MS/MS/LOSS')
    parser.add_argument('what', nargs='*', metavar='WHAT')
    options = parser.parse_args()
    unknown = set(options.what) - set(suites.SUITES)
    if unknown:
        parser.error(f'there is no {", ".join(sorted(unknown))}: {", ".join(suites.SUITES)} are')

    place = Place(options.top, options.build)
    report = Report(options.top, options.keep_docs)
    failed = []
    try:
        place.set_up()
        report.section('machine', describe_machine())
        for name in options.what or suites.SUITES:
            print(f'==> {name}', flush=True)
            try:
                suites.SUITES[name](suites.Setting(place, report, options.quick, options.rounds, options.link))
            except Failed as failure:
                failed.append(name)
                print(f'error: {failure}', file=sys.stderr)
    finally:
        place.clean_up()
    if failed:
        sys.exit(f'error: not measured: {", ".join(failed)}')


if __name__ == '__main__':
    main()
