import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mlfm_mm.analysis import machine
from mlfm_mm.analysis.benchmark.files import save
from mlfm_mm.analysis.benchmark.layout import markdown, titled_tables
from mlfm_mm.analysis.benchmark.limits import judge, parse_limits
from mlfm_mm.analysis.benchmark.report import (
    Report,
    floor_added,
    read_report,
)
from mlfm_mm.analysis.benchmark.timing import Ratio
from mlfm_mm.engine import UsageError
from tests.analysis.benchmark.tiny import ROWS, row


def make_report() -> Report:
    return Report(
        'python x', ROWS, machine.describe_machine(), 1e9, ['a note']
    )


def test_tables() -> None:
    infer, folded, train, sizes = (t for _, t in titled_tables(make_report()))
    assert '| + mlfm | 1200 |' in infer.markdown()
    assert '1.20 ±2.0 %' in infer.markdown()
    # 0.2 s are added, 8e7 bytes at 1e9 a second are the least.
    assert '200 ms, the bytes that must move take 80 ms' in infer.caption
    assert 'x folded' in folded.markdown()
    assert '| + with_cp | 1400 |' in train.markdown()
    assert '| 1.20 |' in train.markdown() and 'saved' in train.markdown()
    assert [r['arm'] for r in sizes.rows] == ['tiny', 'tiny + mlfm']


def test_no_verdict_in_the_table() -> None:
    noisy = row('mlfm', 1.05, ratio=Ratio(1.05, 0.1))
    report = replace(make_report(), rows=[ROWS[0], noisy])
    assert '1.05 ±10.0 % ?' in markdown(report)
    assert 'no verdict' in markdown(report)


def test_what_the_memory_adds() -> None:
    assert floor_added(ROWS[:3]) == (80_000_000, pytest.approx(0.2))
    # With folded norms, both are.
    assert floor_added(ROWS[3:6]) == (40_000_000, pytest.approx(0.1))
    assert floor_added(ROWS[6:]) is None
    assert floor_added(ROWS[:1]) is None


def test_files(tmp_path: Path) -> None:
    report = make_report()
    paths = save(report, tmp_path / 'new' / 'folder', 'stem')
    assert [path.suffix for path in paths] == ['.json', '.md', '.csv', '.png']
    assert read_report(paths[0]) == report
    assert paths[1].read_text() == markdown(report)
    with open(paths[2], newline='') as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(ROWS) and rows[1]['ratio'] == '1.2'
    assert rows[1]['size'] == '32x32'
    with Image.open(paths[3]) as picture:
        assert picture.format == 'PNG' and picture.width > 1000


def test_machine_names_no_one() -> None:
    import platform

    text = json.dumps(machine.describe_machine())
    assert platform.node() not in text or platform.node() in ('', 'localhost')
    assert str(Path.home()) not in text
    assert set(json.loads(text)) >= {'processor', 'cores', 'date', 'versions'}


def test_limits() -> None:
    limits = parse_limits(
        ['infer=1.25', 'folded=1.0', 'train=1.3', 'with_cp=1.3', 'saved=1.6']
    )
    found = {
        (judgement.name, judgement.note): judgement.word
        for judgement in judge(ROWS, limits)
    }
    assert found == {
        ('infer', ''): 'met',
        ('folded', ' against folded norms'): 'missed',
        ('folded', ' against norms as they were'): 'met',
        ('train', ''): 'open',
        ('with_cp', ''): 'missed',
        ('saved', ''): 'met',
    }
    (saved,) = judge(ROWS, dict(saved_with_cp=1.25))
    assert saved.met and 'x1.20, limit x1.25: met' in str(saved)


@pytest.mark.parametrize('text', ['infer', 'infer=a', 'speed=1.2', '=1'])
def test_wrong_limits(text: str) -> None:
    with pytest.raises(UsageError, match='NAME=RATIO'):
        parse_limits([text])
