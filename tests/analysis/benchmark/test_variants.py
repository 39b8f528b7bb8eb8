import copy
from pathlib import Path

import pytest
import torch

from mlfm_mm.analysis.benchmark import variants
from mlfm_mm.analysis.benchmark.setting import Setting
from mlfm_mm.analysis.benchmark.variants import (
    fold,
    has_memory,
    make_group,
    without_memory,
)
from tests.analysis.benchmark.tiny import (
    FOLDED,
    SETTING,
    TRAINING,
    tiny_config,
    tiny_group,
)
from tests.models.builders import classifier, shaken

MEMORY = dict(type='mlfm_mm.MLFMNeck')
POOLING = dict(type='GlobalAveragePooling')


@pytest.mark.parametrize(
    ('host', 'expected'),
    [
        (dict(type='ImageClassifier', neck=MEMORY), POOLING),
        (dict(type='EncoderDecoder', neck=MEMORY), None),
        (
            dict(
                type='EncoderDecoder', neck=dict(MEMORY, neck=dict(type='F'))
            ),
            dict(type='F'),
        ),
        (
            dict(type='ImageClassifier', neck=[MEMORY, POOLING]),
            [POOLING],
        ),
    ],
)
def test_without_memory(host: dict, expected: object) -> None:
    before = copy.deepcopy(host)
    assert has_memory(host)
    changed = without_memory(host)
    assert changed.get('neck') == expected
    assert not has_memory(changed) and host == before


def test_no_memory() -> None:
    assert not has_memory(dict(type='ImageClassifier'))
    assert not has_memory(dict(type='ImageClassifier', neck=POOLING))


def test_arms_of_each_setting(tmp_path: Path) -> None:
    group = tiny_group(tmp_path, with_cp=True)
    names = {
        setting: [(arm.name, arm.folded) for arm in group.build(setting)]
        for setting in (SETTING, TRAINING, FOLDED)
    }
    three = ['tiny', 'tiny + MLFM', 'tiny + MLFM (plain)']
    assert names[SETTING] == [(name, False) for name in three]
    assert names[TRAINING] == [
        *names[SETTING],
        ('tiny + MLFM (with_cp)', False),
    ]
    folded = [(f'{name}, folded', True) for name in three]
    assert names[FOLDED] == [('tiny', False), *folded]


def test_with_cp_is_passed_on(tmp_path: Path) -> None:
    *_, arm = tiny_group(tmp_path, with_cp=True).build(TRAINING)
    assert all(unit.with_cp for unit in arm.model.neck.units)


def test_plain_has_no_memory_of_ours(tmp_path: Path) -> None:
    plain = tiny_group(tmp_path).build(SETTING)[2]
    assert variants.memory_of(plain.model) is None
    assert len(plain.model.memory.units) == 5


@pytest.mark.parametrize('option', ['wavelet', 'norm_cfg', 'act_cfg'])
def test_what_the_plain_form_cannot_do(tmp_path: Path, option: str) -> None:
    cfg = tiny_config(tmp_path)
    cfg.model.neck[option] = 'other'
    group = make_group('tiny', cfg)
    assert [recipe.variant for recipe in group.recipes] == ['baseline', 'mlfm']
    assert option in group.notes[0]


def test_no_plain_form_outside_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(variants, 'PLAIN', tmp_path / 'none.py')
    group = tiny_group(tmp_path)
    assert len(group.recipes) == 2
    assert 'tests/ of a checkout' in group.notes[0]


def test_folding_changes_no_output() -> None:
    model = shaken(classifier()).eval()
    images = torch.randn(2, 3, 64, 64)
    folded = fold(model)
    with torch.no_grad():
        torch.testing.assert_close(
            folded(images), model(images), rtol=1e-3, atol=1e-3
        )
    # A copy, with fewer norms.
    norms = [
        sum(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
        for net in (model, folded)
    ]
    assert norms == [20 + 18, 0]


def test_images_of_other_channels(tmp_path: Path) -> None:
    from mlfm_mm.analysis.benchmark.measure import image_channels

    cfg = tiny_config(tmp_path)
    cfg.model.backbone.in_channels = 5
    arms = make_group('tiny', cfg).build(Setting(size=(32, 32), batch=1))
    assert image_channels(arms) == 5
