"""The hosts' own tools, on configs with memory, as their users run them."""

import re
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config

from mlfm_mm.engine.models import build_model
from tests.hosts import needs_mmseg
from tests.processes import run_python
from tests.robustness.test_inferencers import photograph

REPO = Path(__file__).resolve().parents[2]
DIGITS = 'resnet18_w16_digits.py'
CAMVID = 'fcn_r18_d8_camvid.py'
SIDES = {DIGITS: [32], CAMVID: [64, 64]}

pytestmark = pytest.mark.slow


def run(host: str, tool: str, *words: object, cwd: Path) -> str:
    """Run a tool that comes with a host, and return what it prints."""
    package = find_spec(host)
    assert package is not None and package.origin is not None
    file = Path(package.origin).parent / '.mim/tools' / tool
    # Where mlfm_mm is imported already: it finds the 'mmseg::' of our configs
    # with any distribution.
    done = run_python(file, *words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def count(folder: str, name: str, cwd: Path) -> tuple[float, float]:
    """FLOPs in millions and parameters, by the tool of a config's host."""
    file = REPO / 'configs' / folder / name
    host = Config.fromfile(file).default_scope
    tool = 'analysis_tools/get_flops.py'
    printed = run(host, tool, file, '--shape', *SIDES[name], cwd=cwd)
    counted = re.search(r'Flops: ([\d.]+)([MG])\s+Params: ([\d.]+)M', printed)
    assert counted is not None, printed
    flops, unit, params = counted.groups()
    return float(flops) * dict(M=1, G=1000)[unit], float(params)


@pytest.mark.parametrize(
    'name', [DIGITS, pytest.param(CAMVID, marks=needs_mmseg)]
)
def test_get_flops_counts_the_units(name: str, tmp_path: Path) -> None:
    flops, params = count('mlfm', name, tmp_path)
    plain_flops, plain_params = count('baseline', name, tmp_path)
    model = build_model(Config.fromfile(REPO / 'configs/mlfm' / name))
    units = sum(p.numel() for p in model.neck.parameters()) / 1e6
    assert params - plain_params == pytest.approx(units, abs=2e-3)
    assert flops > plain_flops


def test_vis_cam_draws(tmp_path: Path) -> None:
    pytest.importorskip('pytorch_grad_cam')
    config = REPO / 'configs/mlfm/resnet18_w16_folder.py'
    model = build_model(Config.fromfile(config))
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'w')
    cv2.imwrite(str(tmp_path / 'a.png'), photograph(32, 32))
    words = tmp_path / 'a.png', config, tmp_path / 'w'
    options = '--save-path', 'cam.png', '--target-category', 3
    run(
        'mmpretrain',
        'visualization/vis_cam.py',
        *words,
        *options,
        cwd=tmp_path,
    )
    assert cv2.imread(str(tmp_path / 'cam.png')).std() > 0


def test_vis_scheduler_draws(tmp_path: Path) -> None:
    config = REPO / 'configs/mlfm' / DIGITS
    options = '--save-path', 'lr.png', '--not-show'
    run(
        'mmpretrain',
        'visualization/vis_scheduler.py',
        config,
        *options,
        cwd=tmp_path,
    )
    assert cv2.imread(str(tmp_path / 'lr.png')).std() > 0
