#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the completions for bash and zsh know what --help says, command by command, as a TAP test.

usage: check-completions.py SOURCE_DIR BOXUPLOAD

Every command, every option, and a value for each option whose value can be known. The scripts are run as the shells would; what
a shell itself does with the candidates is not theirs.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

COMMAND = re.compile(r'^  ([a-z]+) +[A-Z]', re.MULTILINE)
OPTION = re.compile(r'^  (?:-[a-z], )?(--[a-z0-9-]+)(?:\[?=([A-Z][^\s\]]*)\]?)? +(.*)$', re.MULTILINE)
SESSION = '5EED'
FILE = 'some-file'
DIRECTORY = 'some-directory'

SHELLS = {
    'bash': ('src/cli/boxupload.bash', '''
        . "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _boxupload; printf "%s\\n" "${COMPREPLY[@]}"'''),
    'zsh': ('src/cli/_boxupload', '''
        _describe () { print -l -- ${${(P)@[-1]}%%:*} }; compset () { : }
        compadd () { if [[ $1 == -a ]]; then print -l -- ${(P)2}; else print -l -- $@; fi }
        _files () { print -l -- *(N) }
        script=$1; shift; words=("$@"); CURRENT=$#words; set --; . $script'''),
}


class Program:
    def __init__(self, top, boxupload, place):
        self.top = top
        self.boxupload = boxupload
        self.place = place
        self.env = dict(os.environ, XDG_STATE_HOME=os.path.join(place, 'state'),
                        PATH=os.path.dirname(boxupload) + ':' + os.environ['PATH'])

    def help(self, *words):
        return subprocess.run([self.boxupload, *words], check=True, stdout=subprocess.PIPE, text=True).stdout

    def complete(self, shell, *words):
        script, code = SHELLS[shell]
        extra = ['-f'] if shell == 'zsh' else ['--norc']
        result = subprocess.run([shell, *extra, '-c', code, shell, os.path.join(self.top, script), 'boxupload', *words],
                                check=False, cwd=os.path.join(self.place, 'here'), env=self.env, stdout=subprocess.PIPE, text=True)
        return set(result.stdout.split()) - {'--'}


def values_of(name, placeholder, text):
    """What can be known of an option's values; None: nothing."""
    if name == '--session':
        return {SESSION}
    if placeholder in ('FILE', 'PATH', 'PROGRAM') and name != '--folder-path':
        return {FILE}
    if placeholder == 'DIR':
        return {DIRECTORY}
    if placeholder in ('POLICY', 'HOW', 'WHICH') or name == '--digest-engine':
        return set(re.sub(r'\([^)]*\)', '', text).rpartition(': ')[2].replace(',', ' ').split())
    return None


def arguments_of(usage):
    """What can be known of a command's arguments."""
    known = set()
    if 'SESSION' in usage:
        known.add(SESSION)
    if re.search(r'\bFILE\b|\bLOCAL\b', re.sub(r'--\S+ \S+', '', usage)) and 'RECORDING' not in usage:
        known.add(FILE)
    if re.search(r'\bDIR\b', usage):
        known.add(DIRECTORY)
    return known


def faults_of(program, shell, command):
    text = program.help(command, '--help-all')
    options = {name: (placeholder, rest) for name, placeholder, rest in OPTION.findall(text)}
    offered = program.complete(shell, command, '--')
    for name in sorted(offered ^ set(options)):
        yield f'{name} is in {"the completion" if name in offered else "--help"} only'
    for name, (placeholder, rest) in options.items():
        wanted = values_of(name, placeholder, rest)
        spellings = ([name, ''], ) if shell == 'zsh' else ([name, ''], [name, '='], [name, '=', ''])
        if shell == 'zsh' and wanted is not None:
            spellings += ([name + '='], )
        for words in spellings if wanted is not None else ():
            offered = program.complete(shell, command, *words)
            exact = placeholder in ('POLICY', 'HOW', 'WHICH')
            if not wanted or not wanted <= offered or (exact and wanted != offered):
                yield f'{" ".join(words)} offers {sorted(offered)}, not {sorted(wanted)}'
    usage = re.search(r'^  boxupload (.*)$', text, re.MULTILINE).group(1)
    offered = program.complete(shell, command, '')
    if not arguments_of(usage) <= offered:
        yield f'"{usage}" offers {sorted(offered)}, not {sorted(arguments_of(usage))}'


def cases_of(program, shell):
    commands = COMMAND.findall(program.help('--help').partition('\nCommands:\n')[2].partition('\n\n')[0])
    offered = program.complete(shell, '')
    yield 'commands', [f'{name} is in {"the completion" if name in offered else "--help"} only'
                       for name in sorted(offered ^ {*commands, '--help', '--version'})]
    for command in commands:
        yield command, list(faults_of(program, shell, command))


def main():
    top, boxupload = (os.path.abspath(path) for path in sys.argv[1:3])
    shells = [shell for shell in SHELLS if shutil.which(shell)]
    number = 0
    with tempfile.TemporaryDirectory() as place:
        os.makedirs(os.path.join(place, 'here', DIRECTORY))
        os.makedirs(os.path.join(place, 'state', 'boxupload', 'sessions'))
        for path in (os.path.join(place, 'here', FILE), os.path.join(place, 'state', 'boxupload', 'sessions', SESSION + '.json')):
            with open(path, 'w', encoding='utf-8'):
                pass
        program = Program(top, boxupload, place)
        for shell in shells:
            for name, faults in cases_of(program, shell):
                number += 1
                for fault in faults:
                    print(f'# {fault}')
                print(f'{"not ok" if faults else "ok"} {number} {shell}-{name}', flush=True)
    print(f'1..{number}')


if __name__ == '__main__':
    main()
