"""Each segmentor of the zoo learns for one step, on crops of any size."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from mlfm_mm import MLFMNeck
from tests.hosts import needs_mmseg

pytestmark = [
    needs_mmseg,
    pytest.mark.usefixtures('host_indexes_read_once'),
]

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
ARMS = ('baseline', 'mlfm')
FCNS = [f'fcn_r{depth}_d{s}' for depth in (18, 50, 101) for s in (8, 32)]
DATA = {
    'cityscapes': 19,
    'voc12aug': 21,
    'ade20k': 150,
    'drive': 2,
    'camvid': 11,
}
# Data sets differ in the number of classes only: one of them stands for all.
NETWORKS = [f'{network}_camvid' for network in (*FCNS, 'unet_s5_d16')]
FAST = ['fcn_r18_d8_camvid', 'fcn_r50_d32_camvid', 'unet_w8_camvid']
ALL = [f'{n}_{data}' for n in (*FCNS, 'unet_s5_d16') for data in DATA]
# Height and width of crops.
CROPS = [(64, 64), (512, 1024), (769, 769)]


def build(stem: str, arm: str, crop: tuple[int, int]) -> nn.Module:
    """Build a segmentor as for training, with crops of this size."""
    cfg = Config.fromfile(CONFIGS / arm / f'{stem}.py')
    # What a user would change with --cfg-options.
    if cfg.model.data_preprocessor.get('size'):
        cfg.model.data_preprocessor.size = crop
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        return revert_sync_batchnorm(ROOT_MODELS.build(cfg.model)).train()


def batch(model: nn.Module, crop: tuple[int, int], count: int) -> dict:
    """Make crops as a data loader gives them."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    generator = torch.Generator().manual_seed(0)
    classes = model.decode_head.num_classes
    labels = torch.randint(classes, (count, 1, *crop), generator=generator)
    pixels = torch.randint(256, (count, 3, *crop), generator=generator)
    samples = [
        SegDataSample(gt_sem_seg=PixelData(data=label)) for label in labels
    ]
    return dict(inputs=list(pixels.byte()), data_samples=samples)


def step(model: nn.Module, crop: tuple[int, int], count: int) -> Tensor:
    """Learn from one batch, as the Runner does, short of the optimizer."""
    data = model.data_preprocessor(batch(model, crop, count), training=True)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    return loss


def check(stem: str, arm: str, crop: tuple[int, int], count: int = 2) -> None:
    """Build, learn for a step, and see that all of it learns."""
    model = build(stem, arm, crop)
    necks = [m for m in model.modules() if isinstance(m, MLFMNeck)]
    assert len(necks) == (arm == 'mlfm')
    for head in (model.decode_head, model.auxiliary_head):
        assert head.num_classes == DATA[stem.rpartition('_')[2]]
    assert step(model, crop, count).isfinite()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_every_network_meets_every_data_set() -> None:
    for arm in ARMS:
        found = {path.stem for path in (CONFIGS / arm).glob('*.py')}
        assert found >= {*ALL, 'unet_w8_camvid'}


@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('stem', FAST)
def test_learns_from_small_crops(stem: str, arm: str) -> None:
    check(stem, arm, (64, 64))


@pytest.mark.parametrize('crop', [(96, 160), (97, 97)])
@pytest.mark.parametrize('arm', ARMS)
def test_learns_from_odd_crops(arm: str, crop: tuple[int, int]) -> None:
    check('unet_w8_camvid', arm, crop)


@pytest.mark.slow
@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('stem', [stem for stem in ALL if stem not in FAST])
def test_all_learn_from_small_crops(stem: str, arm: str) -> None:
    check(stem, arm, (64, 64))


@pytest.mark.slow
@pytest.mark.parametrize('crop', CROPS[1:])
@pytest.mark.parametrize('arm', ARMS)
@pytest.mark.parametrize('stem', NETWORKS)
def test_learns_from_large_crops(
    stem: str, arm: str, crop: tuple[int, int]
) -> None:
    check(stem, arm, crop, count=1)
