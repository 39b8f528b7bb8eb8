"""What the documents say is what the files they come from say."""

import ast
import doctest
import re
import runpy
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mlfm_mm import MLFMNeck
from tests.models.builders import classifier

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text(encoding='utf-8')
DOCS = ROOT / 'docs'

PAGES = [
    ROOT / 'README.md',
    ROOT / 'CONTRIBUTING.md',
    *sorted(DOCS.glob('*.md')),
    *sorted((ROOT / 'configs').glob('*/README.md')),
]
FOLDERS = r'(?:tools|demo|docs|benchmarks|\.dev_scripts|configs|tests|mlfm_mm)'


def name(page: Path) -> str:
    """Name a page among the tests."""
    return str(page.relative_to(ROOT))


def code_blocks(page: Path) -> list[str]:
    """Take the blocks of Python from a page."""
    text = page.read_text('utf-8')
    return re.findall(r'^```python\n(.*?)^```', text, re.MULTILINE | re.DOTALL)


def make_targets(text: str) -> list[str]:
    """Take what a page has its reader make: in code, never in a sentence."""
    code = re.findall(
        r'^ *```.*?^ *```|`[^`]+`', text, re.MULTILINE | re.DOTALL
    )
    return re.findall(
        r'(?:`|^ *)make ([a-z-]+)', '\n'.join(code), re.MULTILINE
    )


def test_a_line_that_begins_with_make_is_no_command() -> None:
    page = 'Maps\nmake fewer calls: `make gpu`.\n\n```bash\nmake test\n```\n'
    assert make_targets(page) == ['gpu', 'test']


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text('utf-8')
    files = set(re.findall(rf'(?<![\w/.]){FOLDERS}/[\w./-]+\.\w+', text))
    missing = [f for f in files if not (ROOT / f).exists() and '/X.' not in f]
    assert not missing
    makefile = (ROOT / 'Makefile').read_text('utf-8')
    for target in make_targets(text):
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target


@pytest.mark.parametrize('page', PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(
        r'\]\(([^)#\s]+)[^)]*\)|src="([^"]+)"', page.read_text()
    )
    for link in (a or b for a, b in links):
        assert link.startswith('http') or (page.parent / link).exists(), link


CONFIGS = [
    pytest.param(code, id=f'{name(page)}-{number}')
    for page in PAGES
    for number, code in enumerate(code_blocks(page))
    if re.match(r"_base_ = '(mmpretrain|mmseg|mlfm_mm)::", code)
    and 'model = ' in code
]


@pytest.mark.parametrize('code', CONFIGS)
def test_the_configs_of_the_pages(code: str) -> None:
    cfg = Config.fromstring(code, '.py')
    assert cfg.model.neck.type == 'mlfm_mm.MLFMNeck'
    assert 'in_channels' not in cfg.model.neck


# ---- the README -------------------------------------------------------------


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_its_badges_are_true() -> None:
    tomllib = pytest.importorskip('tomllib')
    project = tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']
    pythons = re.findall(r'Python :: (3\.\d+)', str(project['classifiers']))
    assert f'![Python {pythons[0]} to {pythons[-1]}]' in README
    torch = next(d for d in project['dependencies'] if d.startswith('torch'))
    assert f'![PyTorch {torch.removeprefix("torch>=")} and later]' in README
    assert f'![{project["license"]}]' in README
    badges = re.findall(r'!\[([^]]+)\]\(https://\S+/badge/(\S+)\)', README)
    assert len(badges) == 4
    for words, badge in badges:
        label, shown, _ = badge.replace('--', '=').split('-')
        shown = shown.replace('=', '-').replace('_', ' ')
        assert words in (f'{label} {shown}', label, shown)


def test_its_versions_are_those_of_the_requirements() -> None:
    pins = '\n'.join(
        (ROOT / 'requirements' / f'{part}.txt').read_text()
        for part in ('onedl', 'openmmlab', 'torch', 'floor')
    )
    table = README[README.index('| tried with |') :].split('\n\n')[0]
    install = (DOCS / 'install.md').read_text()
    table += install[install.index('| family |') :].split('\n\n')[0]
    for package, version in re.findall(r'([a-z-]{4,}) (\d[\d.]+\d)', table):
        assert f'{package}=={version}' in pins, package
    for version in re.findall(r'\| (2\.\d+\.\d+) \|', table):
        assert f'torch=={version}' in pins


# ---- other pages ------------------------------------------------------------


def test_the_tap_table() -> None:
    shown = (DOCS / 'usage.md').read_text()
    assert classifier().neck.extra_repr() in shown


def test_the_options() -> None:
    text = (DOCS / 'usage.md').read_text()
    rows = re.findall(r'^\| (`[^|]*`) \|', text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r'`(\w+)`', row)}
    options = set(MLFMNeck.__init__.__annotations__)
    options -= {'return', 'leftover', 'init_cfg'}
    assert options <= named


def test_the_backbone_of_ones_own() -> None:
    page = DOCS / 'taps.md'
    assert doctest.testfile(str(page), module_relative=False).failed == 0
    (code,) = code_blocks(page)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        exec(code, {'__name__': 'small_net'})
        model = classifier(dict(type='mmpretrain.SmallNet'), channels=64)
    assert model.neck.extra_repr() in page.read_text()


def test_links_on_the_site() -> None:
    relink = runpy.run_path(str(DOCS / 'conf.py'))['relink']
    text = (
        '![a picture](docs/x.png) [one](docs/usage.md#options) '
        '[two](configs/mlfm/README.md) [three](setup.py) [four](https://x.y)'
    )
    assert relink(text, ROOT) == (
        '![a picture](x.png) [one](usage.md#options) '
        '[two](mlfm.md) three [four](https://x.y)'
    )


def test_every_page_is_in_the_contents() -> None:
    index = (DOCS / 'index.md').read_text()
    listed = set(re.findall(r'^(?:.*<)?(\w+)>?$', index, re.MULTILINE))
    assert {page.stem for page in DOCS.glob('*.md')} - {'index'} <= listed


def test_the_faq_quotes_messages_as_they_are() -> None:
    """Those of ours, of which the beginning is left out."""
    faq = (DOCS / 'faq.md').read_text('utf-8')
    quoted = re.findall(r"^### `\.\.\. ([^.'`]+)", faq, re.MULTILINE)
    files = (ROOT / 'mlfm_mm').rglob('*.py')
    trees = [ast.parse(file.read_text('utf-8')) for file in files]
    texts = [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert len(quoted) > 3
    for text in quoted:
        assert any(text.strip() in found for found in texts), text
