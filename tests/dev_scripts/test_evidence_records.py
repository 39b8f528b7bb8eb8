"""What belongs together among the plans and their records."""

from pathlib import Path
from unittest.mock import Mock

import pytest

pytest.importorskip('mmpretrain')
pytest.importorskip('scipy')

from evidence_records import Evidence, read_evidence
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


def test_scores_by_arm_and_seed() -> None:
    records = [
        dict(arm='a', seed=1, final=3.0, best=4.0),
        dict(arm='b', seed=1, final=5.0, best=5.0),
        dict(arm='a', seed=0, final=1.0, best=2.0),
    ]
    evidence = Evidence(Mock(), '', (), records)
    assert evidence.scores() == {'a': {1: 3.0, 0: 1.0}, 'b': {1: 5.0}}
    assert evidence.scores('best')['a'] == {1: 4.0, 0: 2.0}
