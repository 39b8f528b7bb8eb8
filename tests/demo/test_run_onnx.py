"""Pictures reach a file as they reach the network in its host."""

import runpy
from pathlib import Path

import mmcv
import numpy as np
import pytest

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


@pytest.mark.parametrize('words', [(), ('network.onnx',)])
def test_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run_python(DEMO, *words, cwd=tmp_path)
    assert done.returncode and not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith('usage: ') and 'network.onnx photo.jpg' in line
