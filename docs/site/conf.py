# SPDX-License-Identifier: LGPL-2.1-or-later
"""How Sphinx makes the site of the pages that build.py has prepared."""
import os

project = 'boxuploadsink'
author = 'the authors of boxuploadsink'
release = version = os.environ['BOXUPLOAD_VERSION']
extensions = ['myst_parser']
html_theme = 'furo'
html_title = f'{project} {release}'
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
pygments_style = 'tango'

# Anchors as GitHub makes them: the pages are read there, too.
myst_heading_anchors = 4
# Blocks are read as their language says as far as possible: some have "…" in place of what is left out.
suppress_warnings = ['misc.highlighting_failure']
