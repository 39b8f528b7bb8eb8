import csv
import json
from pathlib import Path

import pytest

from mlfm_mm.analysis.comparison import Result, tabulate, verdict
from mlfm_mm.analysis.complexity import Complexity
from mlfm_mm.analysis.curves import Curve
from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.tables import si


def make(name: str, final: float) -> Result:
    curve = Curve({1: 2.0, 2: 1.0}, {1: 90.0, 2: final}, {1: 5.0, 2: 4.0})
    return Result(name, Complexity(1_000_000, 20_000_000), curve)


def test_three_files_say_the_same(tmp_path: Path) -> None:
    table = tabulate([make('plain', 80.5), make('mlfm', 91.25)], 'Caption.')
    table.save(tmp_path, 'results', seed=3)
    content = json.loads((tmp_path / 'results.json').read_text())
    assert content['caption'] == 'Caption.' and content['seed'] == 3
    assert content['rows'][1] == dict(
        network='mlfm',
        params=1_000_000,
        macs=20_000_000,
        top1_best=91.25,
        top1_final=91.25,
        epoch_seconds=4.0,
    )
    with open(tmp_path / 'results.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [row['top1_best'] for row in rows] == ['90.0', '91.25']
    lines = (tmp_path / 'results.md').read_text().splitlines()
    assert lines[2] == '| plain | 1.00 M | 20.0 M | 90.00 | 80.50 | 4.00 |'
    assert lines[-1] == 'Caption.'
    assert {line.count('|') for line in lines[:4]} == {7}


@pytest.mark.parametrize(
    ('final', 'words'),
    [
        (91.0, 'mlfm ends 1.00 points above plain.'),
        (88.5, 'mlfm ends 1.50 points below plain.'),
        (90.0, 'mlfm and plain end level.'),
    ],
)
def test_verdict_names_the_winner(final: float, words: str) -> None:
    said = verdict(make('plain', 90.0), make('mlfm', final), 400)
    assert said.startswith(words)
    assert 'one seed' in said and 'within chance' in said


def test_certainty_is_never_claimed() -> None:
    said = verdict(make('plain', 100.0), make('mlfm', 100.0), 10)
    assert 'under about 0.0' not in said


def test_si() -> None:
    numbers = (0, 999, 1000, 123_456, 2.5e9)
    assert [si(n) for n in numbers] == [
        '0', '999', '1.00 k', '123 k', '2.50 G',
    ]  # fmt: skip


@pytest.mark.parametrize('epochs', [1, 100])
def test_picture(epochs: int, tmp_path: Path) -> None:
    scores = {epoch: 50.0 + epoch for epoch in range(1, epochs + 1)}
    curve = Curve(scores, scores, scores)
    plot_curves({'a': curve, 'b': curve}, tmp_path / 'x.png', 'title')
    assert (tmp_path / 'x.png').read_bytes().startswith(b'\x89PNG')
