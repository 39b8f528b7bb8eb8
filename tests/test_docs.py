"""What the documents say is what the files they come from say."""

import re
from pathlib import Path

from mlfm_mm import MLFMNeck
from tests.models.builders import classifier

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')


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
