import copy
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.models import GlobalAveragePooling
from torch import nn

from benchmarks.networks import (
    fold_norms,
    make_group,
    make_groups,
    neck_of,
    vary,
    without_memory,
)
from mlfm_mm import MLFMNeck
from mlfm_mm.analysis.complexity import memory_of
from mlfm_mm.engine import UsageError
from tests.benchmarks.tiny import tiny_config, tiny_group
from tests.hosts import needs_mmseg
from tests.models.builders import shaken
from tests.tools.helpers import write_digits_config, write_segments_config

MEMORY = dict(type='mlfm_mm.MLFMNeck')
POOLING = dict(type='GlobalAveragePooling')
OTHER = dict(type='FPN')


@pytest.mark.parametrize(
    ('host', 'expected'),
    [
        (dict(type='ImageClassifier', neck=MEMORY), POOLING),
        (dict(type='mmpretrain.ImageClassifier', neck=MEMORY), POOLING),
        (dict(type='ImageClassifier', neck=dict(type=MLFMNeck)), POOLING),
        (dict(type='ImageClassifier', neck=dict(MEMORY, neck=False)), None),
        (dict(type='EncoderDecoder', neck=MEMORY), None),
        (dict(type='EncoderDecoder', neck=dict(MEMORY, neck=OTHER)), OTHER),
        (dict(type='ImageClassifier', neck=[MEMORY, POOLING]), [POOLING]),
    ],
)
def test_without_memory(host: dict, expected: object) -> None:
    before = copy.deepcopy(host)
    assert neck_of(host)
    changed = without_memory(host, expected == POOLING)
    assert changed.get('neck') == expected
    assert not neck_of(changed) and host == before


def test_a_backbone_that_pools_by_itself(tmp_path: Path) -> None:
    cfg = tiny_config(tmp_path)
    arch = dict(depths=[1, 1, 1, 1], channels=[4, 8, 12, 16])
    cfg.model.backbone = dict(type='ConvNeXt', arch=arch)
    cfg.model.head.in_channels = 16
    for arm in make_group('tiny', cfg).arms:
        assert arm.build()(torch.rand(2, 3, 32, 32)).shape == (2, 10)


@needs_mmseg
def test_a_segmentor_does_not_pool(tmp_path: Path) -> None:
    cfg = Config.fromfile(write_segments_config(tmp_path))
    baseline, mlfm = make_group('squares', cfg).arms
    assert 'neck' in mlfm.cfg.model and 'neck' not in baseline.cfg.model


def test_no_memory() -> None:
    assert not neck_of(dict(type='ImageClassifier'))
    assert not neck_of(dict(type='ImageClassifier', neck=POOLING))


def test_arms_are_options_of_the_neck(tmp_path: Path) -> None:
    group = tiny_group(
        tmp_path,
        'with_cp=True',
        "taps=['layer1', 'layer4']",
        'with_cp=True+taps=stages',
        'with_cp=True',  # given twice, measured once
    )
    baseline, mlfm, with_cp, taps, both = (arm.build() for arm in group.arms)
    assert isinstance(baseline.neck, GlobalAveragePooling)
    assert len(mlfm.neck.units) == 5 and not mlfm.neck.units[0].with_cp
    assert all(unit.with_cp for unit in with_cp.neck.units)
    assert [tap.module for tap in taps.neck.taps] == ['layer1', 'layer4']
    assert len(both.neck.units) == 4
    assert all(unit.with_cp for unit in both.neck.units)


def test_wrong_options(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'--arms with_cp: .*KEY=VALUE'):
        tiny_group(tmp_path, 'with_cp')
    arm = tiny_group(tmp_path, 'speed=1').arms[-1]
    with pytest.raises(UsageError, match=r'speed=1: .*speed'):
        arm.build()


def test_groups(tmp_path: Path) -> None:
    mlfm = str(write_digits_config(tmp_path, 'mlfm'))
    plain = str(write_digits_config(tmp_path))
    own, rest = make_groups([plain, mlfm], None, ['with_cp=True'])
    assert [a.name for a in own.arms] == ['baseline', 'MLFM', 'with_cp=True']
    assert [a.name for a in rest.arms] == ['digits_baseline']
    (group,) = make_groups([mlfm], plain, [])
    assert [a.name for a in group.arms] == ['digits_baseline', 'digits_mlfm']
    assert memory_of(group.arms[1].build()) is not None
    # Arms of one network are told apart by their folders.
    copies = [tmp_path / name / 'net.py' for name in ('mlfm', 'mlfm_lite')]
    for copy_ in copies:
        copy_.parent.mkdir()
        shutil.copy(mlfm, copy_)
    groups = make_groups([*map(str, copies)], None, [])
    assert [group.name for group in groups] == ['mlfm/net', 'mlfm_lite/net']
    (group,) = make_groups([str(copies[0])], str(copies[1]), [])
    assert [a.name for a in group.arms] == ['mlfm_lite/net', 'mlfm/net']
    with pytest.raises(UsageError, match='compared with nothing'):
        make_groups([str(copies[0])], str(copies[0]), [])


def test_varying_a_backbone(tmp_path: Path) -> None:
    keys = ['base_channels', 'stem_channels']
    group = vary(tiny_group(tmp_path), keys, 8)
    for arm in group.arms:
        model = arm.build()
        assert model.head is None
        assert model.backbone.conv1.out_channels == 8
        # A network without a head runs.
        assert model(torch.rand(1, 3, 32, 32)) is not None


def test_folding_changes_no_output(tmp_path: Path) -> None:
    arm = tiny_group(tmp_path).arms[1]
    model = shaken(arm.build()).eval()
    images = torch.randn(2, 3, 64, 64)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.fill_(-0.5)  # as fold_norms() does
    with torch.no_grad():
        expected = model(images)
        fold_norms('it', model, (64, 64))
        torch.testing.assert_close(
            model(images), expected, rtol=1e-3, atol=1e-3
        )
    for folded in (model, arm.build(fold_at=(64, 64))):
        norms = [m for m in folded.modules() if isinstance(m, nn.BatchNorm2d)]
        assert not norms and not folded.training


def test_norms_that_belong_to_no_convolution(tmp_path: Path) -> None:
    model = tiny_group(tmp_path).arms[0].build().eval()
    # Before an activation, as in ConvMixer, no norm can be folded.
    block = model.backbone.layer1[0]
    channels = block.conv2.out_channels
    block.conv2 = nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(channels),
    )
    with pytest.raises(UsageError, match='it: its norms cannot be folded'):
        fold_norms('it', model, (64, 64))


def test_a_list_of_necks(tmp_path: Path) -> None:
    cfg = tiny_config(tmp_path)
    cfg.model.neck = [
        dict(MEMORY, neck=False),
        dict(type='GlobalAveragePooling'),
    ]
    group = make_group('tiny', cfg, ['with_cp=True'])
    assert len(group.arms) == 3
    assert group.arms[2].cfg.model.neck[0].with_cp is True
