# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the site has, in the order of its menu. Every page of docs/ is in exactly one group; Sphinx warns of one that is in none."""

GROUPS = [
    ('Record and upload', ['element', 'command-line', 'unknown-size', 'ahead', 'spool', 'folders', 'metadata', 'archiving', 'examples',
                           'from-box-api']),
    ('Connect to Box', ['credentials', 'connections', 'probe', 'emulator']),
    ('Run it unattended', ['service', 'watch', 'scale', 'symptoms']),
    ('What it promises', ['reliability', 'compatibility', 'performance', 'box-protocol']),
    ('Contribute', ['contributing', 'architecture', 'testing', 'security', 'changelog']),
]

# Pages that are not in docs/.
PAGES = {'index': 'README.md', 'contributing': 'CONTRIBUTING.md', 'changelog': 'CHANGELOG.md',
         'security': 'SECURITY.md'}

# Programs that pages link to: each is a page of its own.
PROGRAMS = ('examples', 'docs/monitoring')
LEXERS = {'.c': 'c', '.py': 'python', '.sh': 'bash', '.yml': 'yaml', '.yaml': 'yaml', '.json': 'json',
          'Containerfile': 'docker'}
