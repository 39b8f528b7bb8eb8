"""Our configs as bases and under names, in a clone and installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmpretrain import get_model, list_models
from mmpretrain.apis import ModelHub

from mlfm_mm import MLFMNeck, openmmlab

REPO = Path(__file__).resolve().parents[1]


def write_user_config(folder: Path) -> Path:
    """Write a config of a user's, which lies anywhere."""
    path = folder / 'mine.py'
    path.write_text(
        "_base_ = 'mlfm_mm::mlfm/resnet18_w16_digits.py'\n"
        'model = dict(head=dict(num_classes=7))\n'
    )
    return path


def test_own_configs_as_bases(tmp_path: Path) -> None:
    cfg = Config.fromfile(write_user_config(tmp_path))
    ours = Config.fromfile(REPO / 'configs/mlfm/resnet18_w16_digits.py')
    ours.model.head.num_classes = 7
    # No scope of ours, in which nothing of the host's would be found.
    assert cfg.to_dict() == ours.to_dict()
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    assert isinstance(model.neck, MLFMNeck) and model.head.num_classes == 7


def test_own_config_that_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError, match='there is no such config'):
        Config.fromstring("_base_ = 'mlfm_mm::mlfm/no.py'", '.py')
    monkeypatch.setattr(openmmlab, 'PACKAGE', tmp_path / 'mlfm_mm')
    with pytest.raises(FileNotFoundError, match='came without its configs'):
        openmmlab.own_config('mlfm/resnet18_in100.py')


def test_hosts_configs_as_bases_keep_their_scope() -> None:
    base = "_base_ = 'mmpretrain::_base_/models/resnet18.py'"
    assert Config.fromstring(base, '.py').model._scope_ == 'mmpretrain'


def test_own_configs_of_an_installed_package(tmp_path: Path) -> None:
    """What pip installs from a wheel: the package with ``.mim`` in it."""
    site = tmp_path / 'site-packages'
    shutil.copytree(
        REPO / 'mlfm_mm',
        site / 'mlfm_mm',
        ignore=shutil.ignore_patterns('.mim', '__pycache__'),
    )
    shutil.copytree(REPO / 'configs', site / 'mlfm_mm/.mim/configs')
    shutil.copy(REPO / 'model-index.yml', site / 'mlfm_mm/.mim')
    code = (
        'import mlfm_mm; from mmengine.config import Config; '
        f'cfg = Config.fromfile({str(write_user_config(tmp_path))!r}); '
        'print(mlfm_mm.__file__, cfg.filename, cfg.model.neck.type)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(site)},
    )
    assert done.returncode == 0, done.stderr
    assert str(site) in done.stdout and 'mlfm_mm.MLFMNeck' in done.stdout


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
    assert len(in100) == 35


def test_hosts_own_models_are_still_there() -> None:
    # A name that is taken would break the host's own list.
    names = list_models()
    assert 'resnet18_8xb32_in1k' in names and 'resnet18-mlfm_in100' in names
    configs = (REPO / 'configs').glob('*/*_in100.py')
    assert len(list_models('*_in100')) == len(list(configs)) > 70


def test_get_model() -> None:
    model = get_model('mobilenetv2_0.1-mlfm_in100')
    assert isinstance(model.neck, MLFMNeck) and model.head.num_classes == 100
    assert get_model('mobilenetv2_0.1_in100').neck is not model.neck
    classifiers = list_models('*mlfm_in100', task='Image Classification')
    assert len(classifiers) == 35


def test_segmentors_are_left_to_their_host() -> None:
    assert not list_models('*mlfm*', task='Semantic Segmentation')
    assert not [n for n in list_models() if n.startswith(('fcn_r', 'unet_'))]


def test_a_second_call_does_nothing() -> None:
    before = dict(ModelHub._models_dict)
    openmmlab.register_models()
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
    monkeypatch.setattr(openmmlab, 'PACKAGE', package)
    openmmlab.register_models()
    config = Path(empty_hub['resnet18-mlfm_in100'].config)
    assert config == mim / 'configs/mlfm/resnet18_in100.py'
    neck = ModelHub._models_dict['resnet18-mlfm_in100']
    assert neck.metadata.flops > neck.metadata.parameters > 0


def test_a_package_without_configs(
    empty_hub: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openmmlab, 'PACKAGE', tmp_path / 'mlfm_mm')
    openmmlab.register_models()
    assert not empty_hub


def test_without_mmpretrain(
    empty_hub: dict,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(openmmlab, 'find_spec', lambda name: None)
    openmmlab.register_models()
    assert not empty_hub and capsys.readouterr() == ('', '')
