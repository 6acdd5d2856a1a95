#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The documentation as a site that needs no server and no network: README.md, docs/ and the programs that they link to.

usage: build.py SOURCE_DIR OUTPUT_DIR

The pages stay as GitHub shows them. Here they are copied to OUTPUT_DIR/.pages with the links that are different in a site, and Sphinx
makes HTML and the index for the search of that. Anything that Sphinx warns of is an error.
"""
import os
import re
import shutil
import subprocess
import sys

from contents import GROUPS, LEXERS, PAGES, PROGRAMS

LINK = re.compile(r'(\]\(|(?:src|srcset|href)=")([^)"\s#]+)')
FENCE = re.compile(r'(^```.*?^```$)', re.DOTALL | re.MULTILINE)


def page_of_program(path):
    return 'program-' + path.replace('/', '-').replace('.', '-')


def lexer_of(path):
    """Its key in LEXERS."""
    name = os.path.basename(path)
    return os.path.splitext(name)[1] or name


def programs(top):
    for folder in PROGRAMS:
        for where, _, names in sorted(os.walk(os.path.join(top, folder))):
            for name in sorted(names):
                if lexer_of(name) in LEXERS:
                    yield os.path.relpath(os.path.join(where, name), top)


def link_in_site(top, page, target):
    """What @target, as GitHub has it on @page, is among the pages of the site."""
    if re.match(r'[a-z]+:', target):
        return target
    path = os.path.normpath(os.path.join(os.path.dirname(page), target))
    for name, source in PAGES.items():
        if path == source:
            return f'{name}.md'
    if os.path.isdir(os.path.join(top, path)):
        return f'{os.path.basename(path)}.md'
    if re.fullmatch(r'docs/[\w-]+\.md', path):
        return os.path.basename(path)
    if path.startswith(PROGRAMS):
        return f'{page_of_program(path)}.md'
    return path[len('docs/'):] if path.startswith('docs/') else path


def in_site(top, page, text):
    """The text of @page with the links of the site. Code is left as it is."""
    def replace(match):
        return match.group(1) + link_in_site(top, page, match.group(2))
    pieces = FENCE.split(text)
    return ''.join(piece if piece.startswith('```') else LINK.sub(replace, piece) for piece in pieces)


def menu(names, caption='', depth=2):
    lines = ['```{toctree}', ':hidden:', f':maxdepth: {depth}', *([f':caption: {caption}'] if caption else []), *names, '```']
    return '\n\n' + '\n'.join(lines) + '\n'


def prepare(top, pages):
    """Write the pages to the folder @pages."""
    sources = {os.path.splitext(name)[0]: f'docs/{name}' for name in os.listdir(f'{top}/docs') if name.endswith('.md')}
    sources.update(PAGES)
    for name, source in sources.items():
        with open(os.path.join(top, source), encoding='utf-8') as file:
            text = in_site(top, source, file.read())
        if name == 'index':
            text += ''.join(menu(group, caption) for caption, group in GROUPS)
        if name == 'examples':
            text += menu([page_of_program(path) for path in programs(top)], depth=1)
        write(pages, f'{name}.md', text)
    for path in programs(top):
        with open(os.path.join(top, path), encoding='utf-8') as file:
            text = file.read()
        write(pages, f'{page_of_program(path)}.md', f'# {path}\n\n````{LEXERS[lexer_of(path)]}\n{text}````\n')
    for name in os.listdir(f'{top}/docs'):
        if os.path.isdir(f'{top}/docs/{name}') and name != 'site':
            shutil.copytree(f'{top}/docs/{name}', f'{pages}/{name}')
    # Pictures in HTML, which only README.md has: Sphinx does not copy them by itself.
    shutil.copytree(f'{top}/docs/page', f'{os.path.dirname(pages)}/page')
    for name in ('docs/rooms.svg', 'LICENSE'):
        shutil.copy(os.path.join(top, name), pages)


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
        file.write(text)


def version_of(top):
    with open(os.path.join(top, 'meson.build'), encoding='utf-8') as file:
        return re.search(r"version: '([\d.]+)'", file.read()).group(1)


def main():
    top, output = (os.path.abspath(path) for path in sys.argv[1:3])
    shutil.rmtree(output, ignore_errors=True)
    pages = os.path.join(output, '.pages')
    os.makedirs(pages)
    prepare(top, pages)
    result = subprocess.run(['sphinx-build', '-q', '-W', '--keep-going', '-b', 'html', '-d', os.path.join(output, '.doctrees'),
                             '-c', os.path.join(top, 'docs/site'), pages, output], check=False,
                            env={**os.environ, 'BOXUPLOAD_VERSION': version_of(top), 'PYTHONDONTWRITEBYTECODE': '1'})
    for name in ('.pages', '.doctrees', '.buildinfo', 'objects.inv'):
        path = os.path.join(output, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.path.exists(path) and os.remove(path)
    return result.returncode


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    sys.exit(main())
