"""The page of results says what the records say, and no more."""

import json
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')
pytest.importorskip('scipy')

import evidence_page
from mlfm_mm.analysis.evidence.statistics import Difference
from pages import stale_files

REPO = Path(__file__).resolve().parents[2]
RECIPE = """
default_scope = 'mmpretrain'
model = dict(
    type='ImageClassifier',
    backbone=dict(type='MobileNetV2', widen_factor=0.1),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=2, in_channels=1280),
)
crop = dict(type='CenterCrop', crop_size=32)
test_dataloader = dict(dataset=dict(pipeline=[crop]))
"""
PLAN = """
'''Does it help?'''
title = 'A network'
config = 'recipe.py'
arms = dict(
    {arms}
)
baselines = {baselines}
seeds = [0, 1, 2]
metric = 'accuracy/top1'
beside = {beside}
"""
MEMORY = dict(type='mlfm_mm.MLFMNeck')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    plans, results = tmp_path / 'configs/evidence', tmp_path / 'docs/results'
    (results / 'evidence').mkdir(parents=True)
    plans.mkdir(parents=True)
    (plans / 'recipe.py').write_text(RECIPE)
    arms = (
        "plain=dict(title='no memory'), mlfm=dict(title='MLFM', "
        f"overrides={{'model.neck': {MEMORY!r}}}),"
    )
    first = PLAN.format(arms=arms, baselines=['plain'], beside=[])
    (plans / 'tiny20.py').write_text(first)
    arms = "wide=dict(title='wide', overrides={'model.backbone.widen_factor'"
    second = PLAN.format(
        arms=f'{arms}: 0.35}})',
        baselines=['plain', 'mlfm'],
        beside=['tiny20'],
    )
    (plans / 'wide.py').write_text(second)
    # Recipes are no plans.
    (plans / 'recipe.py').rename(tmp_path / 'recipe.py')
    for path in plans.glob('*.py'):
        text = path.read_text().replace('recipe.py', '../../recipe.py')
        path.write_text(text)
    return tmp_path


def write(root: Path, plan: str, arm: str, finals: list[float]) -> None:
    path = root / f'docs/results/evidence/{plan}.jsonl'
    with open(path, 'a') as file:
        for seed, final in enumerate(finals):
            scores = dict(final=final, best=final + 1)
            by_epoch = {'1': final - 9, '2': final + 1, '3': final}
            record = dict(arm=arm, seed=seed, **scores, by_epoch=by_epoch)
            file.write(json.dumps(record) + '\n')


def test_no_runs_no_claims(root: Path) -> None:
    texts = evidence_page.generate(root)
    assert texts['README.md#evidence'] == 'Nothing has been measured yet.'
    assert texts['docs/results.md#plans'] == ''


def test_a_gain_and_its_interval(root: Path) -> None:
    write(root, 'tiny20', 'plain', [60.0, 61.0, 62.0])
    write(root, 'tiny20', 'mlfm', [63.0, 64.5, 64.5])
    page = evidence_page.generate(root)['docs/results.md#plans']
    _, block = page.split('## A network')
    rows = [row for row in block.splitlines() if row.startswith('| ')]
    plain, mlfm = rows[1:]
    assert plain.startswith('| no memory |')
    assert plain.endswith('| 3 | 61.0 ± 1.0 | 62.0 ± 1.0 |  |')
    # 3.0, 3.5, 2.5 by hand: 3 ± 4.3027 * 0.5 / sqrt(3).
    assert mlfm.endswith('| 64.0 ± 0.9 | 65.0 ± 0.9 | +3.0 [+1.8, +4.2] |')
    assert 'MLFM less no memory: +3.0 [+1.8, +4.2] points over 3' in block
    assert 'shows a gain' in block and 'So far' not in block


def test_the_overview_has_a_row_a_pair(root: Path) -> None:
    # The fourth has no partner yet.
    write(root, 'tiny20', 'plain', [60.0, 61.0, 62.0, 99.0])
    write(root, 'tiny20', 'mlfm', [63.0, 64.5, 64.5])
    write(root, 'wide', 'wide', [61.0, 60.0, 64.0])
    texts = evidence_page.generate(root)
    _, _, *rows = texts['README.md#evidence'].splitlines()
    (row,) = rows
    name, *scores, macs = row.strip('| ').split(' | ')
    assert name == 'A network' and macs.startswith('x1.')
    assert scores == ['3', '61.0 ± 1.0', '64.0 ± 0.9', '+3.0 [+1.8, +4.2]']
    assert row in texts['docs/results.md#overview']


def test_unfinished_plans_say_so(root: Path) -> None:
    write(root, 'tiny20', 'plain', [60.0, 61.0])
    write(root, 'tiny20', 'mlfm', [63.0])
    texts = evidence_page.generate(root)
    block = texts['docs/results.md#plans']
    assert '+3.0 points over one seed, which cannot tell' in block
    assert texts['README.md#evidence'] == 'Nothing has been measured yet.'
    assert 'So far 3 of 6 runs are done.' in block


def test_seeds_so_far_make_no_row(root: Path) -> None:
    write(root, 'tiny20', 'plain', [60.0, 61.0, 62.0])
    write(root, 'tiny20', 'mlfm', [63.0, 64.0])
    texts = evidence_page.generate(root)
    assert 'points over 2 seeds' in texts['docs/results.md#plans']
    assert texts['README.md#evidence'] == 'Nothing has been measured yet.'


def test_a_plan_beside_another(root: Path) -> None:
    write(root, 'tiny20', 'plain', [60.0, 61.0, 62.0])
    write(root, 'tiny20', 'mlfm', [61.0, 62.0, 62.0])
    write(root, 'wide', 'wide', [61.0, 60.0, 64.0])
    page = evidence_page.generate(root)['docs/results.md#plans']
    first, second = page.split('## A network')[1:]
    assert 'wide' not in first and 'Does it help?' in second
    rows = [row for row in second.splitlines() if row.startswith('| ')]
    names = ['network', 'no memory', 'MLFM', 'wide']
    assert [row.split(' | ')[0][2:] for row in rows] == names
    assert rows[0].endswith('| against no memory | against MLFM |')
    assert rows[1].split(' | ')[-2:] == ['', '-0.7 [-2.1, +0.8] |']


@pytest.mark.parametrize(
    ('gain', 'words'),
    [
        (Difference(2.0, 3, 1.0, 3.0), 'which shows a gain.'),
        (Difference(-2.0, 3, -3.0, -1.0), 'which shows a loss.'),
        (Difference(2.0, 3, -1.0, 5.0), 'which does not show a difference.'),
    ],
)
def test_words(gain: Difference, words: str) -> None:
    assert evidence_page.say('a', gain, 'b').endswith(words)


def test_the_pages_of_the_repository_are_up_to_date() -> None:
    assert stale_files(REPO, [evidence_page.generate]) == {}
