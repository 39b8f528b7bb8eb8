from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from mmengine.config import Config
from PIL import Image
from rich.console import Console

from mlfm_mm.analysis import machine
from mlfm_mm.analysis.benchmark.benchmark import Options, run_benchmark
from mlfm_mm.analysis.benchmark.files import save
from mlfm_mm.analysis.benchmark.layout import titled_tables
from mlfm_mm.analysis.benchmark.measure import measure
from mlfm_mm.analysis.benchmark.report import Report
from mlfm_mm.analysis.benchmark.scaling import AXES, sweep
from mlfm_mm.analysis.benchmark.setting import Setting
from mlfm_mm.analysis.benchmark.variants import make_group
from mlfm_mm.engine import UsageError
from tests.analysis.benchmark.tiny import row, tiny_config
from tests.tools.helpers import CONFIGS, write_digits_config

SETTING = Setting(batch=1, size=(32, 32))


@pytest.mark.parametrize(
    ('axis', 'name', 'values'),
    [
        ('size', 'resnet18', [32, 64]),
        ('batch', 'resnet18', [1, 2]),
        ('width', 'resnet18', [8, 16]),
        ('width', 'mobilenetv2_1.0', [0.1, 0.2]),
        ('depth', 'resnet18', [18, 50]),
    ],
)
def test_points(axis: str, name: str, values: list[float]) -> None:
    cfg = Config.fromfile(CONFIGS / 'mlfm' / f'{name}_in100.py')
    points = sweep(axis, cfg, SETTING, values)
    assert [point.value for point in points] == values
    sizes = []
    for point in points:
        group = make_group('net', point.cfg, plain=False)
        arms = group.build(point.setting)
        sizes.append(sum(p.numel() for p in arms[1].model.parameters()))
    assert (sizes[0] < sizes[1]) == (axis in ('width', 'depth'))
    settings = {point.setting for point in points}
    assert len(settings) == (2 if axis in ('size', 'batch') else 1)
    # The config that was given is as it was.
    assert cfg.model.head is not None


def test_a_network_without_a_head_runs(tmp_path: Path) -> None:
    point = sweep('width', tiny_config(tmp_path), SETTING, [4])[0]
    rows = measure(make_group('net', point.cfg), SETTING, repeats=2)
    assert len(rows) == 3


@pytest.mark.parametrize('axis', ['width', 'depth'])
def test_networks_without_such_an_option(axis: str) -> None:
    cfg = Config.fromfile(CONFIGS / 'mlfm' / 'convnext_tiny_in100.py')
    with pytest.raises(UsageError, match=f'--scale {axis}.*ResNet'):
        sweep(axis, cfg, SETTING)


@pytest.mark.parametrize('axis', AXES)
def test_report(tmp_path: Path, axis: str) -> None:
    rows = []
    for phase in ('infer', 'train'):
        for value in (1, 2, 4):
            setting = Setting(phase, batch=value, size=(32, 32))
            network = f'tiny, {axis} {value}'
            for variant, least in (('baseline', value), ('mlfm', 1.2 * value)):
                point = row(variant, least, setting, network=network)
                rows.append(replace(point, point=value))
    report = Report('x', rows, machine.describe_machine(), 1e9, [], axis)
    (_, infer), (_, train) = titled_tables(report)
    assert [cells['point'] for cells in infer.rows] == [1, 2, 4]
    assert infer.caption.startswith('inference, tiny')
    assert train.caption.startswith('training step')
    # 0.2 s for each image of 1024 pixels, whatever the batch.
    added = [cells['added'] for cells in infer.rows]
    assert added == pytest.approx([0.2 / 1024 * 1e9] * 3)
    with Image.open(save(report, tmp_path, 'sweep')[3]) as picture:
        assert picture.width == 1500


def test_wrong_options() -> None:
    with pytest.raises(UsageError, match='--scale length'):
        Options(['x.py'], scale='length')
    with pytest.raises(UsageError, match='--repeats 1'):
        Options(['x.py'], repeats=1)
    with pytest.raises(UsageError, match='--size 1 2 3'):
        Options(['x.py'], size=[1, 2, 3])


def test_a_sweep_needs_memory(tmp_path: Path) -> None:
    path = write_digits_config(tmp_path)
    options = Options([str(path)], scale='size')
    with pytest.raises(UsageError, match='--scale needs a config with an'):
        run_benchmark(options, 'x', Console(file=StringIO()))
