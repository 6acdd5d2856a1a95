# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/performance.md, or another page: what is between "<!-- bench NAME -->" and "<!-- end -->" is replaced, the words around it stay."""
import os
import re

from plot import bars


def table(head, rows):
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    return '\n'.join(lines + ['| ' + ' | '.join(str(cell) for cell in row) + ' |' for row in rows])


def verdict(value, limit):
    """A negative limit is one to reach."""
    return 'met' if (value <= limit if limit > 0 else value >= -limit) else '**not met**'


class Report:
    def __init__(self, top, keep):
        self.docs = None if keep else f'{top}/docs'

    def rows_with(self, name, rows, keys):
        """The rows that the page has, in its order, with those of @rows in the place of what has the same first cells (@keys of them)."""
        old = []
        if self.docs is not None:
            with open(f'{self.docs}/performance.md', encoding='utf-8') as file:
                section = re.search(rf'<!-- bench {re.escape(name)} -->\n(.*?)<!-- end -->', file.read(), re.DOTALL)[1]
            old = [[cell.strip() for cell in line.strip('|').split('|')] for line in section.splitlines()[2:] if line.startswith('|')]
        new = {tuple(str(cell) for cell in row[:keys]): row for row in rows}
        return [new.pop(tuple(row[:keys]), row) for row in old] + list(new.values())

    def section(self, name, text, page='performance'):
        print(f'\n{text}\n', flush=True)
        if self.docs is None:
            return
        page = f'{self.docs}/{page}.md'
        with open(page, encoding='utf-8') as file:
            old = file.read()
        new, found = re.subn(rf'(<!-- bench {re.escape(name)} -->\n).*?(<!-- end -->)', lambda match: match[1] + text + '\n' + match[2],
                             old, flags=re.DOTALL)
        if not found:
            raise SystemExit(f'{page} has no place for {name}')
        with open(page, 'w', encoding='utf-8') as file:
            file.write(new)

    def plot(self, name, title, unit, rows):
        if self.docs is None:
            return
        os.makedirs(f'{self.docs}/performance', exist_ok=True)
        with open(f'{self.docs}/performance/{name}.svg', 'w', encoding='utf-8') as file:
            file.write(bars(title, unit, rows))
