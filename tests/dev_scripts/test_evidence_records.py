"""What belongs together among the plans and their records."""

from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')
pytest.importorskip('scipy')

from evidence_records import read_evidence
from tests.dev_scripts.test_evidence_page import root, write

__all__ = ['root']


def test_pairs_and_what_stands_beside(root: Path) -> None:
    write(root, 'tiny20', 'plain', [60.0])
    write(root, 'tiny20', 'mlfm', [61.0])
    write(root, 'tiny20', 'gone', [1.0])
    write(root, 'wide', 'wide', [62.0])
    first, second = read_evidence(root)
    ((plain, mlfm),) = first.pairs()
    assert (plain.name, mlfm.name) == ('plain', 'mlfm')
    # The second plan has no pair; what it is compared with comes from beside.
    assert [arm.name for arm in second.arms] == ['plain', 'mlfm', 'wide']
    assert not [*second.pairs()] and 'gone' not in second.scores()
