"""What the documents say is what the files they come from say."""

import re
from pathlib import Path

import pytest

from mlfm_mm import MLFMNeck
from tests.models.builders import classifier

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')


PAGES = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    *sorted((ROOT / 'docs').glob('*.md')),
    *sorted((ROOT / 'configs').glob('*/README.md')),
]
FOLDERS = r'(?:tools|demo|docs|benchmarks|\.dev_scripts|configs|tests|mlfm_mm)'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text('utf-8')
    files = set(re.findall(rf'(?<![\w/.]){FOLDERS}/[\w./]+\.\w+', text))
    missing = [f for f in files if not (ROOT / f).exists() and '/X.' not in f]
    assert not missing
    makefile = (ROOT / 'Makefile').read_text('utf-8')
    for target in re.findall(r'(?:`|^ *)make ([a-z-]+)', text, re.MULTILINE):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target


def test_the_tap_table_of_the_readme() -> None:
    assert classifier().neck.extra_repr() in README


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r'\]\(([^)#]+)\)|src="([^"]+)"', README)
    local = [a or b for a, b in links if not (a or b).startswith('http')]
    assert len(local) > 10
    for link in local:
        assert (ROOT / link).exists(), link


def test_the_options_of_the_readme() -> None:
    rows = re.findall(r'^\| (`[^|]*`) \|', README, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r'`(\w+)`', row)}
    options = set(MLFMNeck.__init__.__annotations__)
    options -= {'return', 'leftover', 'init_cfg'}
    assert options <= named
