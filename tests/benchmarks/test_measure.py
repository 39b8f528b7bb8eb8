from pathlib import Path

import pandas as pd
import pytest

from benchmarks import measure
from benchmarks.figures import QUANTITIES
from benchmarks.measure import Sheet
from benchmarks.networks import Group, make_group
from benchmarks.setting import Setting
from tests.benchmarks.tiny import SETTING, tiny_config, tiny_group


def found(figures: pd.DataFrame) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    for figure in figures.itertuples():
        values.setdefault(figure.quantity, {})[figure.arm] = figure.value
    return values


def test_everything(tmp_path: Path) -> None:
    group = tiny_group(tmp_path, 'with_cp=True')
    figures = Sheet(group, SETTING, repeats=2).fill()
    values = found(figures)
    eager = [name for name in QUANTITIES if not name.startswith('kernels')]
    assert sorted(values) == sorted(eager)
    for quantity, numbers in values.items():
        training = not quantity.endswith(('infer', 'folded', 'deployed'))
        arms = ['baseline', 'MLFM', 'with_cp=True'][: 2 + training]
        assert list(numbers) == arms, quantity
        assert all(number > 0 for number in numbers.values())
    assert values['folded'] == values['deployed']
    for quantity in ('params', 'macs', 'saved', 'launches_infer'):
        assert values[quantity]['baseline'] < values[quantity]['MLFM']
    assert values['saved']['with_cp=True'] < values['saved']['MLFM']
    for figure in figures.itertuples():
        assert pd.isna(figure.ratio) == (figure.arm == 'baseline')
        if figure.arm != 'baseline':
            folded = figure.quantity == 'deployed'
            base = values['infer' if folded else figure.quantity]['baseline']
            assert figure.ratio == pytest.approx(figure.value / base)
            timed = figure.quantity in ('infer', 'folded', 'deployed', 'train')
            assert (figure.noise > 0) == timed


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    sheet = Sheet(tiny_group(tmp_path), SETTING, ['size'], point='x 1')
    figures = sheet.fill()
    assert set(found(figures)) == {'params', 'macs'}
    assert {*figures['point']} == {'x 1'}


def wider_group(folder: Path) -> Group:
    """A network for channels last, which compilers choose, too.

    There the backward pass of PyTorch's 1x1 convolution of stride 2 corrupts
    memory on some CPUs for only 4 channels.
    """
    cfg = tiny_config(folder)
    cfg.model.backbone.update(stem_channels=8, base_channels=8)
    cfg.model.head.in_channels = 64
    return make_group('tiny', cfg)


@pytest.mark.parametrize(
    ('layout', 'dtype'), [('channels_last', 'fp32'), ('contiguous', 'bf16')]
)
def test_other_settings(tmp_path: Path, layout: str, dtype: str) -> None:
    setting = Setting(2, '32x48', dtype, layout)
    sheet = Sheet(wider_group(tmp_path), setting, ['infer', 'train'], 2)
    figures = sheet.fill()
    assert len(figures) == 4
    assert {*figures['setting']} == {
        f'batch 2, 32x48, {dtype}, {layout}, eager, cpu'
    }


def test_images_of_other_channels(tmp_path: Path) -> None:
    cfg = tiny_config(tmp_path)
    cfg.model.backbone.in_channels = 5
    cfg.model.data_preprocessor = None
    sheet = Sheet(make_group('tiny', cfg), SETTING, ['memory', 'size'])
    assert sheet.channels == 5 and len(sheet.fill()) == 10


@pytest.mark.slow
def test_compiled(tmp_path: Path) -> None:
    setting = Setting(2, '32', mode='compiled')
    aspects = ['infer', 'train']
    figures = Sheet(wider_group(tmp_path), setting, aspects, repeats=2).fill()
    assert set(found(figures)) == {*aspects}


def test_kernels_take_the_place_of_launches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, 'count_kernels', lambda *args: 5)
    setting = Setting(2, '32', mode='compiled')
    figures = Sheet(tiny_group(tmp_path), setting, ['traffic']).fill()
    assert found(figures) == {
        f'kernels_{phase}': dict(baseline=5, MLFM=5)
        for phase in ('infer', 'train')
    }
