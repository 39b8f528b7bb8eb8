from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from mlfm_mm.engine import UsageError, prepare_testing
from tests.tools.helpers import write_digits_config, write_segments_config


def options(config: Path, **changes: Any) -> Namespace:
    weights = config.parent / 'net.pth'
    weights.touch()
    values = dict(
        config=str(config),
        checkpoint=str(weights),
        work_dir=None,
        out=None,
        out_item=None,
        show_dir=None,
        show=False,
        tta=False,
        cfg_options=None,
        launcher='none',
    )
    return Namespace(**{**values, **changes})


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(checkpoint='no.pth'), "there is no checkpoint 'no.pth'"),
        (dict(out='pred.json'), 'ends in .pkl, .pickle'),
        (dict(out='a.txt', out_item='metrics'), 'ends in .json, .yaml'),
        (dict(out_item='pred'), 'add --out'),
        (
            dict(cfg_options={'test_dataloader': None}),
            'does not say how to test',
        ),
    ],
)
def test_mistakes(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    args = options(write_digits_config(tmp_path), **changes)
    with pytest.raises(UsageError) as caught:
        prepare_testing(args)
    assert message in str(caught.value)


def test_classifier_draws(tmp_path: Path) -> None:
    args = options(write_digits_config(tmp_path), show_dir='shown')
    hook = prepare_testing(args).default_hooks.visualization
    assert hook.enable and hook.out_dir == 'shown' and not hook.show
    assert hook.type == 'VisualizationHook' and hook.interval == 1


def test_segmentor_draws(tmp_path: Path) -> None:
    args = options(write_segments_config(tmp_path), show_dir='shown')
    cfg = prepare_testing(args)
    assert cfg.default_hooks.visualization.draw
    assert cfg.visualizer.save_dir == 'shown'


def test_drawing_without_hook(tmp_path: Path) -> None:
    """A config that never drew gets the hook it needs."""
    config = write_segments_config(tmp_path)
    hook = "    visualization=dict(type='SegVisualizationHook'),\n"
    config.write_text(config.read_text().replace(hook, ''))
    cfg = prepare_testing(options(config, show=True))
    added = cfg.default_hooks.visualization
    assert added.type == 'SegVisualizationHook' and added.show


def test_flipping_is_the_default_augmentation(tmp_path: Path) -> None:
    args = options(write_digits_config(tmp_path), tta=True)
    cfg = prepare_testing(args)
    assert cfg.model.type == 'AverageClsScoreTTA'
    assert cfg.model.module.type == 'ImageClassifier'
    *_, last = cfg.test_dataloader.dataset.pipeline
    flips, packs = last.transforms
    assert [flip.prob for flip in flips] == [1.0, 0.0]
    assert packs[0].type == 'PackInputs'


def test_segmentor_needs_a_recipe(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    config.write_text(config.read_text().replace('tta_pipeline', 'unused'))
    with pytest.raises(UsageError, match='the config has no tta_pipeline'):
        prepare_testing(options(config, tta=True))


def test_segmentor_writes_through_its_metric(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    cfg = prepare_testing(options(config, out='pred'))
    assert cfg.test_evaluator.output_dir == 'pred'
    many = {'test_evaluator': [dict(type='IoUMetric')]}
    cfg = prepare_testing(options(config, out='pred', cfg_options=many))
    assert cfg.test_evaluator[0].output_dir == 'pred'
    other = {'test_evaluator.type': 'CityscapesMetric'}
    with pytest.raises(UsageError, match='only IoUMetric writes'):
        prepare_testing(options(config, out='pred', cfg_options=other))
