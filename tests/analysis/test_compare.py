"""Runs side by side, counted once more by hand."""

import json
from pathlib import Path
from statistics import fmean, stdev

import pytest
from mmengine.config import Config

from mlfm_mm.analysis.compare import (
    TrainedRun,
    find_networks,
    save,
    summarize,
    tabulate,
)
from mlfm_mm.analysis.runs import Curve
from mlfm_mm.engine import UsageError
from tests.tools.helpers import CONFIGS

DIGITS = CONFIGS / 'baseline' / 'resnet18_w16_digits.py'


def run(seed: int, *scores: float, memory: float | None = None) -> TrainedRun:
    epochs = dict(enumerate(scores, 1))
    curve = Curve(epochs, epochs, {1: 7.0, 2: 5.0})
    cfg = Config.fromfile(DIGITS)
    return TrainedRun(Path(f'run_s{seed}'), cfg, seed, curve, 20.0, memory)


def test_numbers_of_several_seeds(tmp_path: Path) -> None:
    networks = dict(
        plain=[run(0, 50, 60), run(1, 64, 62), run(2, 63, 64)],
        memory=[run(0, 50, 63), run(1, 60, 64, memory=900), run(7, 0, 90)],
    )
    plain, memory = summarize(networks)
    assert plain['final'] == 62 and plain['final_deviation'] == 2
    assert plain['best'] == pytest.approx(fmean([60, 64, 64]))
    assert plain['best_deviation'] == pytest.approx(stdev([60, 64, 64]))
    assert plain['gain'] is None and plain['params'] > 100_000
    # Seeds 0 and 1 are in common: +3 and +2, t of one degree of freedom.
    assert memory['gain'] == 2.5
    half = 12.706 * stdev([3, 2]) / 2**0.5
    assert memory['gain_high'] == pytest.approx(2.5 + half, abs=1e-3)
    assert memory['epoch_seconds'] == 5 and memory['memory_mb'] == 900
    table = tabulate(networks, summarize(networks))
    text = table.markdown()
    assert '| plain | 3 | ' in text and '| 62.0 ± 2.0 |' in text
    assert 'memory (MB)' in text and '95 % interval' in text
    save(networks, table, tmp_path)
    content = json.loads((tmp_path / 'results.json').read_text())
    assert content['rows'][1]['gain'] == 2.5
    assert content['runs']['plain']['2']['score'] == {'1': 63, '2': 64}
    assert (tmp_path / 'results.csv').read_text().startswith('network,config')


def test_one_seed_tells_nothing() -> None:
    networks = dict(a=[run(0, 60)], b=[run(0, 61)])
    table = tabulate(networks, summarize(networks))
    assert table.only('gain').cells() == [['-'], ['+1.0']]
    assert 'chance' in table.caption and 'memory' not in table.markdown()


def test_a_network_on_grey_pictures() -> None:
    grey = run(0, 60)
    grey.cfg.model.backbone.in_channels = 1
    plain, other = summarize(dict(a=[run(0, 60)], b=[grey]))
    # Two channels fewer for the 3x3 kernels of 16 channels at the stem.
    assert plain['macs'] - other['macs'] == 2 * 9 * 16 * 32 * 32


def test_runs_are_read(runs: Path) -> None:
    networks = find_networks(
        [f'plain={runs}/run_baseline', f'{runs}/run_mlfm']
    )
    assert list(networks) == ['plain', 'run_mlfm']
    (found,) = networks['plain']
    assert found.seed == 3 and found.curve.last == 2
    assert found.step_ms is not None and found.step_ms > 0
    with pytest.raises(UsageError, match='two runs have the same seed'):
        find_networks([f'all={runs}'])


def test_the_log_of_a_run_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        write_run(tmp_path / f'net_s{seed}', seed, 50)
    read, read_text = [], Path.read_text

    def counted(path: Path, *args: object, **kwargs: object) -> str:
        read.append(path)
        return read_text(path, *args, **kwargs)

    monkeypatch.setattr(Path, 'read_text', counted)
    find_networks([str(tmp_path)])
    assert len([path for path in read if path.name == 'scalars.json']) == 3


def write_run(folder: Path, seed: int | None, score: float) -> Path:
    """Write a work folder whose run took one epoch."""
    log = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({'accuracy/top1': score, 'step': 1}))
    config = f"_base_ = '{DIGITS}'\nrandomness = dict(seed={seed})\n"
    (folder / 'net.py').write_text(config)
    return folder


def test_runs_of_a_name_are_seeds_of_one_network(tmp_path: Path) -> None:
    before = write_run(tmp_path / 'before' / 'net', None, 50)
    after = write_run(tmp_path / 'after' / 'net', None, 60)
    assert [len(r) for r in find_networks([str(tmp_path)]).values()] == [2]
    with pytest.raises(UsageError, match='net: a run is given twice'):
        find_networks([str(before.parent), str(before)])
    with open(after / 'net.py', 'a') as file:
        file.write('model = dict(backbone=dict(depth=50))\n')
    with pytest.raises(UsageError, match=r'model\.backbone\.depth.*NAME='):
        find_networks([str(before), str(after)])


def test_runs_are_paired_by_seed_or_not_at_all(tmp_path: Path) -> None:
    for seed, score in (0, 50), (1, 60), (2, 70):
        write_run(tmp_path / 'plain' / f'net_s{seed}', seed, score)
        write_run(tmp_path / 'blind' / f'net_s{seed}', None, score + 1)
        if seed:
            write_run(tmp_path / 'mlfm' / f'net_s{seed}', seed, score + 2)
            write_run(tmp_path / 'lost' / f'net_s{seed}', None, score + 3)

    def gain(name: str) -> tuple[object, str]:
        words = [f'{n}={tmp_path / n}' for n in ('plain', name)]
        networks = find_networks(words)
        rows = summarize(networks)
        save(networks, tabulate(networks, rows), tmp_path)
        return rows[1]['gain'], (tmp_path / 'results.md').read_text()

    found, text = gain('mlfm')
    assert found == 2 and '+2.0 [+2.0, +2.0]' in text
    assert 'over the seeds in common' in text
    found, text = gain('blind')
    assert found == 1 and 'over pairs of them in order' in text
    found, text = gain('lost')
    assert found is None and 'none where their numbers differ' in text
    # One seed that is not known, beside one that could be its number.
    write_run(tmp_path / 'blind' / 'net_s3', 1, 80)
    assert len(find_networks([f'a={tmp_path}/blind'])['a']) == 4
