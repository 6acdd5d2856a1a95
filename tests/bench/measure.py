# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running a command and what the kernel says it used; medians of several runs."""
import os
import statistics
import subprocess
import time
from collections import namedtuple

Run = namedtuple('Run', 'cpu wall memory output')


class Failed(Exception):
    pass


def run(command, environment, timeout=600):
    """CPU (user + system) and wall seconds and peak resident KiB of a command and what it waited for."""
    begin = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begin
    if process.returncode != 0 or wall > timeout:
        raise Failed(f'{" ".join(command)} ended with {process.returncode} after {wall:.0f} s:\n{output[-2000:]}')
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss, output)


class Series:
    """One figure of several rounds."""

    def __init__(self, values=()):
        self.values = list(values)

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)

    def show(self, digits=2):
        """Median, and what lies between the least and the greatest."""
        return f'{self.median:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})'

    def against(self, other):
        """Ratios round by round: what slowed the machine in a round slowed both."""
        return Series(a / b for a, b in zip(self.values, other.values))


def rounds(count, contenders, progress):
    """Runs every contender in turn, count times; a warm-up before. {name: [result of a round]}"""
    results = {name: [] for name, _ in contenders}
    for number in range(count + 1):
        for name, function in contenders:
            result = function()
            if number > 0:
                results[name].append(result)
            progress(name, number, result)
    return results


def progress(name, number, result):
    cpu = getattr(result, 'cpu', None)
    print(f'    {"warm-up" if number == 0 else number}: {name}' + (f' {cpu:.2f} CPU s, {result.wall:.2f} s' if cpu else ''), flush=True)
