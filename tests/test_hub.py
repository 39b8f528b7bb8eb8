"""The configs under names, in a clone and in an installed package."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

from mmpretrain import get_model, list_models
from mmpretrain.apis import ModelHub

from mlfm_mm import MLFMNeck, hub

REPO = Path(__file__).resolve().parents[1]


def test_importing_the_package_is_enough() -> None:
    code = (
        'import mlfm_mm; from mmpretrain import list_models; '
        'print(*list_models("*mlfm*"), sep="\\n")'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, cwd=REPO
    )
    assert done.returncode == 0, done.stderr
    names = done.stdout.splitlines()
    in100 = [name for name in names if name.endswith('-mlfm_in100')]
    assert len(in100) == 34


def test_hosts_own_models_are_still_there() -> None:
    # A name that is taken would break the host's own list.
    names = list_models()
    assert 'resnet18_8xb32_in1k' in names and 'resnet18-mlfm_in100' in names
    assert len(list_models('*_in100')) == 68


def test_get_model() -> None:
    model = get_model('mobilenetv2_0.1-mlfm_in100')
    assert isinstance(model.neck, MLFMNeck) and model.head.num_classes == 100
    assert get_model('mobilenetv2_0.1_in100').neck is not model.neck
    classifiers = list_models('*mlfm_in100', task='Image Classification')
    assert len(classifiers) == 34


def test_segmentors_are_left_to_their_host() -> None:
    assert not list_models('*mlfm*', task='Semantic Segmentation')
    assert not [n for n in list_models() if n.startswith(('fcn_r', 'unet_'))]


def test_a_second_call_does_nothing() -> None:
    before = dict(ModelHub._models_dict)
    hub.register_models()
    assert ModelHub._models_dict == before


@pytest.fixture
def empty_hub(monkeypatch: pytest.MonkeyPatch) -> dict:
    """The host's list before anything is in it."""
    models: dict = {}
    monkeypatch.setattr(ModelHub, '_models_dict', models)
    return models


def test_installed_package(
    empty_hub: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / 'site-packages' / 'mlfm_mm'
    mim = package / '.mim'
    mim.mkdir(parents=True)
    shutil.copytree(REPO / 'configs', mim / 'configs')
    shutil.copy(REPO / 'model-index.yml', mim)
    monkeypatch.setattr(hub, 'PACKAGE', package)
    hub.register_models()
    config = Path(empty_hub['resnet18-mlfm_in100'].config)
    assert config == mim / 'configs/mlfm/resnet18_in100.py'
    neck = ModelHub._models_dict['resnet18-mlfm_in100']
    assert neck.metadata.flops > neck.metadata.parameters > 0


def test_a_package_without_configs(
    empty_hub: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, 'PACKAGE', tmp_path / 'mlfm_mm')
    hub.register_models()
    assert not empty_hub


def test_without_mmpretrain(
    empty_hub: dict,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(hub, 'find_spec', lambda name: None)
    hub.register_models()
    assert not empty_hub and capsys.readouterr() == ('', '')
