"""The settings of the documentation site: `make docs` builds it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mlfm_mm import __version__  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = 'mlfm_mm'
author = 'the mlfm_mm contributors'
project_copyright = author
version = release = __version__

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx_copybutton',
]
exclude_patterns = ['results/*/*']  # data, which pages show
myst_heading_anchors = 3
autodoc_member_order = 'bysource'
autodoc_typehints = 'none'  # the docstrings name the types
napoleon_use_rtype = False

html_theme = 'furo'
html_title = f'mlfm_mm {__version__}'
html_show_copyright = False
html_static_path = ['_static']
html_css_files = ['tables.css']

# Files of the repository that the site shows under another name.
PAGES = {
    'README.md': 'index.md',
    'CHANGELOG.md': 'changelog.md',
    'CONTRIBUTING.md': 'contributing.md',
    'configs/baseline/README.md': 'baseline.md',
    'configs/evidence/README.md': 'evidence.md',
    'configs/mlfm/README.md': 'mlfm.md',
    'configs/mlfm_lite/README.md': 'mlfm_lite.md',
}
# Where other files are linked, such as at https://host/owner/name/blob/main.
REPOSITORY = os.environ.get('MLFM_REPOSITORY', '').rstrip('/')
LINK = re.compile(r'(!?)\[([^][]*)\]\((?![a-z]+:|#)([^()#\s]+)(#[\w-]+)?\)')


def relink(text: str, folder: Path) -> str:
    """Rewrite the links of a page for the site.

    Args:
        text (str): The page, whose links are relative to its folder.
        folder (Path): That folder.

    Returns:
        str: The page with links to pages of the site, and to the repository
        for all else, or without a link if its address is not known.
    """

    def link(match: re.Match[str]) -> str:
        mark, words, target, anchor = match.groups(default='')
        path = os.path.relpath(folder / target, ROOT)
        if path in PAGES:
            return f'[{words}]({PAGES[path]}{anchor})'
        if mark or (path.startswith('docs/') and path.endswith('.md')):
            site = os.path.relpath(folder / target, ROOT / 'docs')
            return f'{mark}[{words}]({site}{anchor})'
        return f'[{words}]({REPOSITORY}/{path})' if REPOSITORY else words

    return LINK.sub(link, text)


def setup(app: Sphinx) -> None:
    """Rewrite the links of each page, and of each file that it includes."""

    def read(app: Sphinx, name: str, text: list[str]) -> None:
        text[0] = relink(text[0], ROOT / 'docs')

    def include(app: Sphinx, path: Path, name: str, text: list[str]) -> None:
        text[0] = relink(text[0], (ROOT / 'docs' / path).resolve().parent)

    app.connect('source-read', read)
    app.connect('include-read', include)
