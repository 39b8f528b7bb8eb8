"""One command writes all generated pages, and tells which are stale."""

from pathlib import Path

import pytest

from pages import stale_files

PAGE = """a
<!-- x: begin -->
old
<!-- x: end -->
<!-- y: begin --><!-- y: end -->"""


def test_stale_pages_are_told_and_written(tmp_path: Path) -> None:
    (tmp_path / 'page.md').write_text(PAGE)
    (tmp_path / 'same').write_text('same')

    def first(root: Path) -> dict[str, str]:
        return {'page.md#x': 'new', 'same': 'same', 'absent': 'text'}

    def second(root: Path) -> dict[str, str]:
        return {'page.md#y': 'more'}

    stale = stale_files(tmp_path, [first, second])
    assert list(stale) == ['page.md', 'absent']
    assert '\nnew\n' in stale['page.md'] and '\nmore\n' in stale['page.md']
    (tmp_path / 'page.md').write_text(stale['page.md'])
    (tmp_path / 'absent').write_text('text')
    assert not stale_files(tmp_path, [first, second])


def test_the_message_names_the_page(tmp_path: Path) -> None:
    (tmp_path / 'page.md').write_text('nothing')
    with pytest.raises(ValueError, match=r'^page.md: the document needs'):
        stale_files(tmp_path, [lambda root: {'page.md#x': 'new'}])
