from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

pytest.importorskip('mmpretrain')
pytest.importorskip('mmseg')

from mlfm_mm.analysis.evidence import (
    Run,
    fingerprint,
    make_config,
    read_plan,
)
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.models import build_model

REPO = Path(__file__).resolve().parents[3]
PLANS = sorted((REPO / 'configs/evidence').glob('*.py'))
NO_IMPORTS: dict[str, list[str]] = dict(imports=[])
RECIPE = 'model = dict(neck=dict(type="Gap"), depth=1)'
PLAN = """
title = 'A network'
config = 'recipe.py'
arms = dict(
    plain=dict(title='plain'),
    deep=dict(title='deep', overrides={'model.depth': 2}),
)
baselines = ['plain']
seeds = [3, 4]
metric = 'accuracy/top1'
"""


def write_plan(folder: Path, text: str = PLAN) -> Path:
    (folder / 'recipe.py').write_text(RECIPE)
    path = folder / 'plan.py'
    path.write_text(text)
    return path


def test_runs_come_seed_by_seed(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path))
    names = [run.name for run in plan.runs()]
    assert names == ['plain_s3', 'deep_s3', 'plain_s4', 'deep_s4']


def test_a_range_of_seeds(tmp_path: Path) -> None:
    text = PLAN.replace('seeds = [3, 4]', 'seeds = range(3, 5)')
    assert read_plan(write_plan(tmp_path, text)).seeds == (3, 4)


def test_config_of_a_run(tmp_path: Path) -> None:
    plan = read_plan(write_plan(tmp_path))
    plain, deep, *_ = (make_config(run, tmp_path / 'x') for run in plan.runs())
    assert (plain.model.depth, deep.model.depth) == (1, 2)
    assert plain.randomness == deep.randomness == dict(seed=3)
    assert deep.work_dir == str(tmp_path / 'x')


def test_each_seed_has_pretrained_weights_of_its_own(tmp_path: Path) -> None:
    old, new = "'model.depth': 2", "'load_from': 'plain_s{seed}/last.pth'"
    plan = read_plan(write_plan(tmp_path, PLAN.replace(old, new)))
    first, second = (
        make_config(run, tmp_path)
        for run in plan.runs()
        if run.arm.name == 'deep'
    )
    assert first.load_from == 'plain_s3/last.pth'
    assert second.load_from == 'plain_s4/last.pth'


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ("config = 'recipe.py'", '', "arm 'plain' lacks config"),
        ('seeds = [3, 4]', 'seeds = []', 'the plan lacks seeds'),
        ('seeds = [3, 4]', 'seeds = 3', r'seeds=3 .* seeds = \[3\]'),
        ("['plain']", "'plain'", r"baselines='plain' .* = \['plain'\]"),
        ('overrides=', 'override=', 'no setting override; known are'),
        (
            "['plain']",
            "['x', 'deep']",
            'x in baselines is no .* of plain, deep',
        ),
    ],
)
def test_a_plan_with_a_mistake(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read_plan(write_plan(tmp_path, PLAN.replace(old, new)))


@pytest.mark.usefixtures('host_indexes_read_once')
@pytest.mark.parametrize('path', PLANS, ids=lambda path: path.stem)
def test_plans_of_the_repository(path: Path) -> None:
    plan = read_plan(path)
    for arm in plan.arms:
        cfg = make_config(Run(arm, 0), Path())
        assert arm.config.is_file() and cfg.train_cfg.max_epochs > 1
        import_modules_from_strings(**cfg.get('custom_imports', NO_IMPORTS))
        build_model(cfg)
        assert image_size(cfg)[0] >= 32
    for name in plan.beside:
        assert path.with_name(f'{name}.py').is_file()


def test_fingerprint_follows_what_is_learned_from() -> None:
    def change(key: str, value: object) -> str:
        cfg = Config(
            dict(
                model=dict(depth=1),
                train_dataloader=dict(dataset=dict(data_root='a')),
                randomness=dict(seed=0),
            )
        )
        cfg.merge_from_dict({key: value})
        return fingerprint(cfg)

    same = change('model.depth', 1)
    assert change('model.depth', 2) != same
    assert change('train_dataloader.batch_size', 2) != same
    assert change('param_scheduler', [dict(gamma=0.1)]) != same
    assert change('train_dataloader.dataset.data_root', 'b') == same
    assert change('randomness.seed', 9) == same
