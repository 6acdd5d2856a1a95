# SPDX-License-Identifier: LGPL-2.1-or-later
"""What users and their programs rely on, as the code has it: what docs/ lists and tests/data/interface-0.1.json keeps is compared with it.

Each function returns names, most of them with a type or a meaning. Programs are asked where they say it themselves; the rest is read
from the source.
"""
import glob
import json
import os
import re
import subprocess
import tempfile

PROPERTY = re.compile(r'^  ([a-z][a-z0-9-]*) +: .*\n +flags: .*\n +(.*(?:\n {26,}\(\d+\): .*)*)$', re.MULTILINE)
TYPES = {'Unsigned Integer64': 'uint64', 'Unsigned Integer': 'uint', 'Boolean': 'boolean', 'String': 'string'}
HELP_OPTION = re.compile(r'^  (?:-([a-z]), )?--([a-z0-9-]+)', re.MULTILINE)
COMMAND = re.compile(r'^  ([a-z]+) +[A-Z]', re.MULTILINE)
FIELD = re.compile(r'"([a-z0-9-]+)",\s*(?:G|GST)_TYPE_([A-Z0-9_]+)')
FUNCTION = re.compile(r'^\w[^\n]*\n(\w+) \([^;{]*?\)\n\{\n(.*?)^\}', re.DOTALL | re.MULTILINE)


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return file.read()


def source(top, *patterns):
    return '\n'.join(read(path) for pattern in patterns for path in sorted(glob.glob(os.path.join(top, pattern))))


# ---- the element ----

def describe(value):
    """As the documentation writes what gst-inspect-1.0 says of a property's type and default."""
    value = value.partition('\n')[0].replace('Write only', '').strip()
    boxed = re.fullmatch(r'Boxed pointer of type "(\w+)"', value)
    if boxed:
        return boxed.group(1)
    chosen = re.fullmatch(r'Enum "\w+" Default: \d+, "([\w-]+)"', value)
    if chosen:
        return f'enum, `{chosen.group(1)}`'
    kind, default = re.fullmatch(r'([\w ]+)\. .*?Default: (.*)', value).groups()
    if kind == 'String':
        return 'string' if default == 'null' else f'string, `{default[1:-1]}`'
    return f'{TYPES[kind]}, {default}'


def inspect(plugin_dir):
    with tempfile.TemporaryDirectory() as home:
        environment = dict(os.environ, GST_PLUGIN_PATH=plugin_dir, GST_REGISTRY=os.path.join(home, 'registry'), LC_ALL='C.UTF-8')
        return subprocess.run(['gst-inspect-1.0', '--no-colors', 'boxuploadsink'], env=environment, check=True,
                              stdout=subprocess.PIPE, text=True).stdout


def properties(top, inspected):
    """Type and default of each, without those of the base class."""
    text = inspected.partition('\nElement Properties:\n')[2].partition('\nElement Signals:\n')[0]
    of_element = dict(PROPERTY.findall(text))
    own = {'upload-stats', *re.findall(r'\.name = "([a-z-]+)"', source(top, 'gst/*.c'))}
    return {name: describe(of_element[name]) if name in of_element else 'is none' for name in own}


def choices(inspected):
    """The values of each property that is an enum."""
    text = inspected.partition('\nElement Properties:\n')[2]
    return {name: re.findall(r'\(\d+\): ([a-z0-9-]+)', value) for name, value in PROPERTY.findall(text) if value.startswith('Enum "GstBox')}


def signals(inspected):
    """Signature of each, in one line."""
    text = inspected.partition('\nElement Signals:\n')[2]
    found = re.findall(r'^  "([a-z-]+)" :\s+(.*?\));', text, re.DOTALL | re.MULTILINE)
    # Newer releases of GStreamer write the C type in place of the name of the GType.
    return {name: re.sub(r'\s*\*\s*', '* ', re.sub(r'\s+', ' ', signature)).replace('gchar* ', 'gchararray ') for name, signature in found}


def releases_in_comments(top):
    """The release after "Since:" of each property, signal and message that the element's documentation in the source names, by its kind."""
    found = {'properties': {}, 'signals': {}, 'messages': {}}
    for comment in re.findall(r'/\*\*\n(.*?)\*/', source(top, 'gst/*.c'), re.DOTALL):
        subject = re.match(r' +\* GstBoxUploadSink(::?)([a-z-]+):\n', comment)
        since = re.search(r'^ +\* Since: ([\d.]+)$', comment, re.MULTILINE)
        if subject:
            found['properties' if subject.group(1) == ':' else 'signals'][subject.group(2)] = since.group(1) if since else None
        found['messages'].update(re.findall(r'^ \* \* `([a-z-]+)`: .* \(Since: ([\d.]+)\)$', comment, re.MULTILINE))
    return found


def release_of(top, kind, name):
    """The first release whose kept interface has it; the one that comes next if it is in none."""
    for path in sorted(glob.glob(os.path.join(top, 'tests/data/interface-*.json'))):
        if name in json.loads(read(path))[kind]:
            return re.search(r'-([\d.]+)\.json$', path).group(1)
    return re.search(r"^  version: '(\d+\.\d+)", read(top, 'meson.build'), re.MULTILINE).group(1)


def fields_in(body, helpers=None):
    """Set in @body, and by those of @helpers, bodies by name, that it hands the structure to."""
    inner = [helpers[name] for name in re.findall(r'\b(\w+) \((?:structure|stats),', body) if name in helpers] if helpers else []
    body = '\n'.join([body, *inner])
    fields = {name: 'string' if kind == 'STRING' else kind.lower() for name, kind in FIELD.findall(body)}
    fields.update({name: 'string' for name in re.findall(r'set_string \(structure, "([a-z0-9-]+)"', body)})
    if 'set_sha1 (' in body:
        fields['sha1'] = 'string'
    return fields


def functions(top):
    """Names and bodies of the functions of the element."""
    return FUNCTION.findall(source(top, 'gst/*.c'))


def details(top):
    """Fields of an ERROR's details."""
    return fields_in(dict(functions(top))['details_new'])


def messages(top):
    """Fields and their types of each element message."""
    found = {}
    helpers = {name: body for name, body in functions(top) if 'structure_set' in body and 'post_' not in name}
    for body in dict(functions(top)).values():
        for name in re.findall(r'(?:gst_structure_new|details_new) \(\s*"(boxuploadsink-[a-z]+)"', body):
            found[name] = {**fields_in(body, helpers), **(details(top) if 'details_new' in body else {})}
    return found


def errors(top):
    """Codes of GST_RESOURCE_ERROR, and of others, that the element posts."""
    return set(re.findall(r'\bGST_RESOURCE_ERROR_([A-Z_]+)', source(top, 'gst/*.c')))


def statistics(top):
    return next(fields_in(body) for _, body in functions(top) if '"application/x-boxuploadsink-stats"' in body)


# ---- the programs ----

def exit_codes(top):
    names = re.findall(r'^  CLI_EXIT_([A-Z_]+) = (\d+),', source(top, 'src/cli/*.h'), re.MULTILINE)
    return {number: name.lower().replace('_', '-') for name, number in names}


def error_kinds(top):
    """The words of "kind" in JSON, and the exit code of each."""
    codes = {name: number for number, name in exit_codes(top).items()}
    rows = re.findall(r'\{ CLI_EXIT_([A-Z_]+), "([a-z-]+)" \}', source(top, 'src/cli/*.c'))
    exits = dict(re.findall(r'\[(BOX_ERROR_[A-Z_]+)\] = CLI_EXIT_([A-Z_]+)', source(top, 'src/cli/*.c')))
    rows += [(exits[code], kind) for code, kind in re.findall(r'\[(BOX_ERROR_[A-Z_]+)\] = "([a-z-]+)"', source(top, 'src/base/*.c'))]
    return {kind: codes[name.lower().replace('_', '-')] for name, kind in rows}


def variables(top):
    """Environment variables that the project reads; systemd's and the terminal's are not its own."""
    text = source(top, 'src/*/*.c', 'gst/*.c')
    return {name for name in re.findall(r'(?:g_getenv \(|variable = |, )"((?:BOX|BOXUPLOAD)_[A-Z_]+)"', text)}


def options(program, *arguments):
    """(short or None, long) of each."""
    output = subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {(short or None, name) for short, name in HELP_OPTION.findall(output)}


def commands(boxupload):
    output = subprocess.run([boxupload, '--help'], check=True, stdout=subprocess.PIPE, text=True).stdout
    return COMMAND.findall(output.partition('\nCommands:\n')[2].partition('\n\n')[0])


def metrics(top):
    """Labels of each."""
    text = source(top, 'src/status/*.c')
    labels = dict(re.findall(r'"(boxupload_[a-z_]+)\{(.*?)\} ', text))
    return {name: re.findall(r'([a-z_]+)=', labels.get(name, '')) for name in re.findall(r'(?:add|head) \(text, "(boxupload_[a-z_]+)"', text)}


def status_members(top):
    """Of /api/status, and of each of its recordings."""
    text = source(top, 'src/status/*.c')
    return set(re.findall(r'(?:add_(?:string|int|known) \(|set_member_name \()builder, "([a-z_]+)"', text))


# ---- files ----

def journal_records(top):
    text = source(top, 'src/spool/*.c')
    return set(re.findall(r'new_record \("([a-z-]+)"', text))


def versions(top, name):
    """Of a format, as the constants that begin with @name have them."""
    return set(re.findall(rf'^#define {name}_VERSION\w* (\d+)$', source(top, 'src/*/*.[ch]'), re.MULTILINE))
