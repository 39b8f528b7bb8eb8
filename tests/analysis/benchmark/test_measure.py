import json
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm.analysis.benchmark.measure import Row, measure
from mlfm_mm.analysis.benchmark.setting import (
    Setting,
    all_settings,
    check_device,
)
from mlfm_mm.analysis.benchmark.steps import compiled
from mlfm_mm.engine import UsageError
from tests.analysis.benchmark.tiny import FOLDED, TRAINING, tiny_group


def test_training(tmp_path: Path) -> None:
    rounds = []
    rows = measure(
        tiny_group(tmp_path, with_cp=True),
        TRAINING,
        repeats=2,
        on_round=lambda: rounds.append(1),
    )
    assert len(rounds) == 4
    plain, mlfm, naive, with_cp = rows
    assert plain.ratio.value == 1
    assert all(len(row.seconds) == 2 and row.least > 0 for row in rows)
    assert plain.params < mlfm.params == naive.params == with_cp.params
    assert plain.macs < mlfm.macs == naive.macs
    assert 0 < plain.saved < with_cp.saved < mlfm.saved
    assert all(row.peak > 0 and row.floor is None for row in rows)


def test_folded_norms(tmp_path: Path) -> None:
    rows = measure(tiny_group(tmp_path), FOLDED, repeats=2)
    as_was, folded, *others = rows
    assert as_was.ratio.value == folded.ratio_folded.value == 1
    for row in others:
        assert row.ratio.value * as_was.least == pytest.approx(row.least)
        assert row.ratio_folded.value * folded.least == (
            pytest.approx(row.least)
        )
    assert as_was.floor == folded.floor < others[0].floor == others[1].floor
    assert all(row.saved is None for row in rows)


@pytest.mark.parametrize(
    ('phase', 'layout', 'dtype'),
    [
        ('infer', 'channels_last', 'fp32'),
        ('infer', 'contiguous', 'bf16'),
        ('train', 'channels_last', 'bf16'),
    ],
)
def test_other_settings(
    tmp_path: Path, phase: str, layout: str, dtype: str
) -> None:
    setting = Setting(phase, 1, (32, 48), dtype, layout)
    rows = measure(tiny_group(tmp_path, plain=False), setting, repeats=2)
    assert [row.setting for row in rows] == [setting] * 2


@pytest.mark.slow
def test_compiled(tmp_path: Path) -> None:
    for phase in ('infer', 'train'):
        setting = Setting(phase, 1, (32, 32), mode='compiled')
        rows = measure(tiny_group(tmp_path), setting, repeats=2)
        assert len(rows) == 3


def add(value: float, module: nn.Module, inputs: tuple, out: Tensor) -> Tensor:
    return out + value


def test_a_compiled_network_keeps_its_hooks() -> None:
    x = torch.ones(1, 3)
    with torch.no_grad():
        for added in (0.0, 1.0, 2.0):
            model = nn.Sequential(nn.Identity())
            model[0].register_forward_hook(partial(add, added))
            assert torch.equal(compiled(model)(x), x + added)


def test_rows_survive_a_file(tmp_path: Path) -> None:
    for row in measure(tiny_group(tmp_path, plain=False), FOLDED, repeats=2):
        text = json.dumps(row.as_dict())
        assert Row.from_dict(json.loads(text)) == row
        assert json.loads(text)['images_per_second'] > 0


def test_all_settings() -> None:
    settings = list(
        all_settings(
            ['infer', 'train'], fold=True, batch=[1, 2], dtype=['bf16']
        )
    )
    assert len(settings) == 6 and len(set(settings)) == 6
    assert [s.folded for s in settings] == [False, True, False] * 2


@pytest.mark.parametrize(
    'fields',
    [
        dict(phase='test'),
        dict(dtype='fp8'),
        dict(layout='last'),
        dict(mode='fast'),
        dict(batch=0),
        dict(size=(0, 4)),
    ],
)
def test_wrong_settings(fields: dict) -> None:
    (name,) = fields
    with pytest.raises(UsageError, match=f'--{name}'):
        Setting(**fields)


def test_devices() -> None:
    with pytest.raises(UsageError, match='--device tpu'):
        check_device('tpu')
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match='no GPU'):
            check_device('cuda:0')
