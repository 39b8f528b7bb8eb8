"""Pictures reach a file as they reach the network in its host."""

import runpy
from pathlib import Path

import mmcv
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mlfm_mm.analysis.export.preparation import preparation_of
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.engine.demo import prepare
from mlfm_mm.engine.hosts import HOSTS
from tests.processes import run_python

DEMO = Path(__file__).resolve().parents[2] / 'demo' / 'run_onnx.py'
TOOL = runpy.run_path(str(DEMO))


@pytest.mark.parametrize(
    'name', ['grey.png', 'grey.tif', 'grey.pgm', 'colour.png']
)
def test_16_bits_are_scaled_to_8(name: str, tmp_path: Path) -> None:
    shape = (8, 9, 3) if name.startswith('colour') else (8, 9)
    rng = np.random.default_rng(0)
    path = tmp_path / name
    mmcv.imwrite(rng.integers(0, 65536, shape, np.uint16), str(path))
    found = np.asarray(TOOL['read_picture'](path))
    assert (found == mmcv.imread(path, channel_order='rgb')).all()


@pytest.mark.parametrize(
    'steps',
    [
        [dict(type='Resize', scale=(48, 32))],
        [
            dict(type='Resize', scale=64),
            dict(type='CenterCrop', crop_size=56),
        ],
        [
            dict(type='ResizeEdge', scale=48),
            dict(type='CenterCrop', crop_size=40),
        ],
    ],
    ids=['squash', 'squash-crop', 'crop'],
)
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('shape', [(30, 20, 3), (300, 200, 3)])
def test_pictures_are_brought_to_a_size_as_by_the_host(
    steps: list[dict], shape: tuple, backend: str, tmp_path: Path
) -> None:
    steps = [dict(steps[0], backend=backend), *steps[1:]]
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = str(tmp_path / 'x.png')
    mmcv.imwrite(pixels, path)
    pipeline = [*steps, dict(type='PackInputs')]
    cfg = Config(dict(test_dataloader=dict(dataset=dict(pipeline=pipeline))))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        expected = prepare(cfg, HOSTS['mmpretrain'], path)['inputs'][0]
    facts = dict(vars(preparation_of(cfg, False)), size=image_size(cfg))
    found = TOOL['bring_to_size'](TOOL['read_picture'](path), facts)
    gap = np.asarray(found, int)[..., ::-1] - expected.numpy().transpose(
        1, 2, 0
    )
    assert np.abs(gap).max() <= 1


@pytest.mark.parametrize('words', [(), ('network.onnx',)])
def test_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run_python(DEMO, *words, cwd=tmp_path)
    assert done.returncode and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith('usage: ') and 'network.onnx photo.jpg' in line


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    done = run_python(DEMO, 'net.onnx', 'photo.jpg', cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == 'run_onnx.py: there is no file net.onnx\n'
