"""Each network of the published table trains.

``make test`` takes the networks of ``FAST``, ``make test-slow`` the others.
"""

import csv
from pathlib import Path

import pytest
from mmengine.runner import Runner
from mmpretrain.datasets import CIFAR10, CIFAR100

from mlfm_mm import MLFMNeck

from .small_runs import (
    REPO,
    check_records,
    cifar_layout,
    imagenet_layout,
    kaggle_layout,
    train,
)

ARMS = ('baseline', 'mlfm')
# One of each family, among the smallest.
FAST = {'mobilenetv2_0.1', 'resnet10', 'regnety_200m', 'efficientnet_b0'}

# Parameters of the backbones in millions, from the reference of the networks;
# None: it gives none, see test_sizes_that_the_reference_lacks.
PARAMS: dict[str, float | None] = {
    'resnet10': 4.9058,
    'resnet18': 11.1765,
    'resnet34': 21.2847,
    'resnet50': 23.5080,
    'mobilenetv2_0.1': 0.0757,
    'mobilenetv2_0.35': 0.3961,
    'mobilenetv2_0.5': 0.6877,
    'mobilenetv2_0.75': 1.3554,
    'mobilenetv2_1.0': 2.2239,
    'regnetx_200m': 2.3158,
    'regnetx_400m': None,
    'regnetx_600m': 5.6670,
    'regnetx_800m': None,
    'regnety_200m': 2.7940,
    'regnety_400m': 3.9031,
    'regnety_600m': 5.4462,
    'regnety_800m': 5.4942,
    'efficientnet_b0': None,
    'efficientnet_b1': None,
    'efficientnet_b2': None,
    'efficientnet_b3': None,
    'efficientnet_b4': None,
    'senet10': 4.9503,
    'senet18': 11.2656,
    'senet34': 21.4459,
    'senet50': 26.0390,
    'convnext_k3_par1_8': 27.4972,
    'convnext_k3_par1_4': 27.5055,
    'convnext_k3_par1_2': 27.5220,
    'convnext_k3': 27.5552,
    'convnext_k5': 27.6612,
    'convnext_tiny': 27.8201,
    'convnext_small': None,
    'inceptionnext': None,
}


def runs() -> list:
    """Every network, each in both arms; most of them only if asked for."""
    return [
        pytest.param(
            network,
            arm,
            id=f'{network}-{arm}',
            marks=() if network in FAST else pytest.mark.slow,
        )
        for network in PARAMS
        for arm in ARMS
    ]


@pytest.fixture(scope='session')
def imagenet100(
    hundred_images: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    root = tmp_path_factory.mktemp('zoo') / 'imagenet100'
    return kaggle_layout(hundred_images, root)


def test_the_networks_are_those_of_the_published_table() -> None:
    path = REPO / 'configs/zoo/published_in100.csv'
    with open(path, newline='', encoding='utf-8') as file:
        rows = [row['network'].lower() for row in csv.DictReader(file)]
    assert len(rows) == 34 and sorted(rows) == sorted(PARAMS)


@pytest.mark.parametrize(('network', 'arm'), runs())
def test_trains_on_imagenet100(
    network: str,
    arm: str,
    imagenet100: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work_dir = tmp_path / f'{network}_{arm}'
    config = f'configs/{arm}/{network}_in100.py'
    runner = train(config, imagenet100, work_dir, monkeypatch)
    check_records(work_dir)
    check_size(runner, PARAMS[network])
    check_memory(runner, arm)


def check_size(runner: Runner, millions: float | None) -> None:
    """The backbone is as large as it is published to be, in either arm."""
    backbone = count(runner.model.backbone)
    if millions is not None:
        assert f'{backbone / 1e6:.4f}' == f'{millions:.4f}'
    rest = count(runner.model.head) + count(runner.model.neck)
    assert count(runner.model) == backbone + rest


def check_memory(runner: Runner, arm: str) -> None:
    """MLFM adds its units and nothing else; they have learned something."""
    neck = runner.model.neck
    if arm == 'baseline':
        assert not isinstance(neck, MLFMNeck) and count(neck) == 0
        return
    memory, units = 3, 0
    gates = zip(neck.taps, neck.units, strict=True)
    for tap, unit in gates:
        units += memory * tap.channels + 2 * tap.channels  # input gate
        if unit.supplement_gate is not None:
            units += 9 * 3 * tap.channels + 2 * tap.channels
        units += 2 * tap.channels  # output gate
        memory = tap.channels
    assert units > 0 and count(neck) == units
    # The optimizer keeps something of each parameter that had a gradient.
    moved = runner.optim_wrapper.optimizer.state
    assert all(parameter in moved for parameter in neck.parameters())


def count(module: object) -> int:
    """The number of parameters; no module has none."""
    if module is None:
        return 0
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize(
    ('stem', 'classes'),
    [
        ('resnet18_folder', 4),
        pytest.param('mobilenetv2_1.0_folder', 4, marks=pytest.mark.slow),
        pytest.param('resnet18_w16_folder', 4, marks=pytest.mark.slow),
        pytest.param('resnet18_tiny100', 100, marks=pytest.mark.slow),
        pytest.param('mobilenetv2_1.0_tiny100', 100, marks=pytest.mark.slow),
    ],
)
def test_trains_on_folders(
    stem: str,
    classes: int,
    arm: str,
    four_classes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work_dir = tmp_path / f'{stem}_{arm}'
    if classes == 100:
        # There are four here, which the hook against mistakes would refuse.
        more = ['custom_hooks=[]']
    else:
        # What the config tells its users to give.
        more = [f'model.head.num_classes={classes}']
        more += [f'data_preprocessor.num_classes={classes}']
    config = f'configs/{arm}/{stem}.py'
    train(config, four_classes, work_dir, monkeypatch, *more)
    check_records(work_dir)


@pytest.mark.slow
@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('network', ['resnet18', 'mobilenetv2_1.0'])
@pytest.mark.parametrize('kind', [CIFAR10, CIFAR100])
def test_trains_on_cifar(
    kind: type,
    network: str,
    arm: str,
    four_classes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photos = sorted(four_classes.glob('train/*/*.JPEG'))[::8]
    root = cifar_layout(photos, tmp_path / 'cifar', kind)
    # They are not CIFAR's own images, so that their sums differ.
    monkeypatch.setattr('mmpretrain.datasets.cifar.check_md5', lambda *_: True)
    stem = f'{network}_{kind.__name__.lower()}'
    work_dir = tmp_path / f'{stem}_{arm}'
    train(f'configs/{arm}/{stem}.py', root, work_dir, monkeypatch)
    check_records(work_dir)


@pytest.mark.slow
@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('network', ['resnet18', 'resnet50'])
def test_trains_on_imagenet_1k(
    network: str,
    arm: str,
    hundred_images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = imagenet_layout(hundred_images, tmp_path / 'imagenet')
    work_dir = tmp_path / f'{network}_{arm}'
    config = f'configs/{arm}/{network}_in1k.py'
    train(config, root, work_dir, monkeypatch)
    check_records(work_dir)
