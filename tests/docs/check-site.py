#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""That the site of the documentation is made without a warning, that no link in it is dead, that a browser that shows it asks no other
host for anything, and that its search finds what the pages have, as a TAP test.

usage: check-site.py SOURCE_DIR
"""
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

# What somebody may look for, and a page that has it.
SEARCHES = {'reserve-size': 'element', 'padding': 'unknown-size', 'boxuploadsink-spooled': 'element', 'refresh token': 'credentials',
            'journal': 'spool', 'watchdog': 'service', 'JWT': 'credentials'}


class Page(html.parser.HTMLParser):
    """The anchors of a page, its links, and what a browser loads to show it."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids.update(values[name] for name in ('id', 'name') if values.get(name))
        if tag == 'a' and 'href' in values:
            self.links.append(values['href'])
        elif tag == 'link' and 'href' in values:
            self.loads.append(values['href'])
        for name in ('src', 'srcset', 'data', 'poster', 'action'):
            if values.get(name) and tag != 'meta':
                self.loads.append(values[name])


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def files_of(site, ending):
    return [os.path.join(where, name) for where, _, names in os.walk(site) for name in names if name.endswith(ending)]


def is_foreign(address):
    return bool(re.match(r'//|[a-z][a-z0-9+.-]*:', address)) and not address.startswith('data:')


def dead_links(site, pages):
    for path, page in pages.items():
        for target in page.links + page.loads:
            if is_foreign(target) or target.startswith('data:'):
                continue
            name, anchor = urllib.parse.urldefrag(target)
            name = urllib.parse.unquote(name.partition('?')[0])
            other = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            if os.path.isdir(other):
                other = os.path.join(other, 'index.html')
            if not other.startswith(site) or not os.path.exists(other):
                yield f'{os.path.basename(path)}: {target} leads nowhere'
            elif anchor and other in pages and urllib.parse.unquote(anchor) not in pages[other].ids:
                yield f'{os.path.basename(path)}: {target} has no such place'


def foreign_loads(site, pages):
    for path, page in pages.items():
        yield from (f'{os.path.basename(path)}: {target}' for target in page.loads if is_foreign(target))
    for path in files_of(site, '.css') + files_of(site, '.svg'):
        text = read(path)
        loads = re.findall(r'url\(\s*["\']?([^"\')]+)', text) + re.findall(r'@import\s+["\']([^"\']+)', text)
        loads += re.findall(r'\b(?:xlink:)?href="([^"]+)"', text) if path.endswith('.svg') else []
        yield from (f'{os.path.basename(path)}: {target}' for target in loads if is_foreign(target))
    for path in files_of(site, '.js'):
        loads = re.findall(r'(?:fetch|import|open|ajax|importScripts)\(\s*["\'](?:GET["\'],\s*["\'])?([^"\']+)', read(path))
        yield from (f'{os.path.basename(path)}: {target}' for target in loads if is_foreign(target))


def words_of(text):
    """As the search of the site cuts what is looked for into words."""
    return re.findall(r'\w+', text.lower())


def stems_of(site, words):
    """As the search of the site makes them, in the browser."""
    with open(os.path.join(site, '_static/language_data.js'), encoding='utf-8') as file:
        script = file.read() + f';const stemmer = new Stemmer();console.log(JSON.stringify({json.dumps(words)}.map(w => stemmer.stemWord(w))))'
    return json.loads(subprocess.run(['node', '-'], input=script, check=True, stdout=subprocess.PIPE, text=True).stdout)


def not_found(site):
    """What of SEARCHES the index does not have in its page."""
    index = json.loads(re.fullmatch(r'Search\.setIndex\((.*)\)', read(os.path.join(site, 'searchindex.js')).strip(), re.DOTALL).group(1))
    for text, page in SEARCHES.items():
        for stem in stems_of(site, words_of(text)):
            found = [index[terms].get(stem, []) for terms in ('terms', 'titleterms')]
            numbers = {number for some in found for number in (some if isinstance(some, list) else [some])}
            if page not in {index['docnames'][number] for number in numbers}:
                yield f'{text}: {stem} is not found in {page}'


def main():
    top = sys.argv[1]
    with tempfile.TemporaryDirectory() as temporary:
        site = os.path.realpath(os.path.join(temporary, 'site'))
        result = subprocess.run([sys.executable, f'{top}/docs/site/build.py', top, site], check=False, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        pages = {path: Page(read(path)) for path in files_of(site, '.html')}
        wanted = {os.path.splitext(name)[0] + '.html' for name in os.listdir(f'{top}/docs') if name.endswith('.md')} | {'index.html', 'search.html'}
        missing = wanted - {os.path.basename(path) for path in pages}
        findings = {
            'made-without-a-warning': result.stdout.splitlines() + ([f'exit code {result.returncode}'] if result.returncode else []),
            'every-page-is-there': sorted(missing),
            'no-link-is-dead': sorted(dead_links(site, pages)),
            'nothing-is-loaded-from-another-host': sorted(foreign_loads(site, pages)),
            'the-search-finds': sorted(not_found(site)),
        }
    print(f'1..{len(findings)}')
    for number, (name, found) in enumerate(findings.items(), 1):
        for line in found:
            print(f'# {line}')
        print(f'{"not ok" if found else "ok"} {number} {name}')


if __name__ == '__main__':
    main()
