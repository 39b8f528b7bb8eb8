from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip('mmpretrain')

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.hooks import CheckDataHook
from mlfm_mm.engine.hooks.check_data import (
    check_batches,
    check_labels,
    check_last_batch,
    check_share,
    moved_classes,
)
from mlfm_mm.engine.options import load_config
from mlfm_mm.engine.runner import build_runner
from tests.datasets.camvid.pictures import write
from tests.hosts import needs_mmseg
from tests.tools.helpers import CONFIGS, write_digits_config, write_image


class Data(list):
    """Samples of three classes."""

    metainfo = dict(classes=('cat', 'dog', 'hen'))


class Head(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes


def network(**heads: int) -> nn.Module:
    model = nn.Module()
    model.backbone = nn.Sequential(nn.BatchNorm2d(3))
    # As mmpretrain's VGG has it.
    model.backbone.num_classes = -1
    for name, count in heads.items():
        setattr(model, name, Head(count))
    return model


def test_heads_that_fit() -> None:
    hook = CheckDataHook(ignore=['auxiliary_head'])
    model = network(decode_head=3, auxiliary_head=2)
    hook.check_classes(model, Data())
    # Data that do not name their classes.
    hook.check_classes(network(head=7), [1, 2])


class RPNHead(Head):
    """As mmdet's: its one class is whatever is not the background."""


def test_proposals_know_no_classes() -> None:
    two_stages = network(rpn_head=1)
    two_stages.roi_head = network(bbox_head=3, semantic_head=183)
    CheckDataHook().check_classes(two_stages, Data())
    alone = network()
    alone.bbox_head = RPNHead(1)
    CheckDataHook().check_classes(alone, Data())
    two_stages.roi_head.bbox_head.num_classes = 80
    with pytest.raises(
        UsageError,
        match=r'but roi_head.bbox_head has 80: '
        r'set model.roi_head.bbox_head.num_classes=3$',
    ):
        CheckDataHook().check_classes(two_stages, Data())


def test_heads_of_things_only() -> None:
    class Panoptic(Data):
        metainfo = dict(Data.metainfo, thing_classes=('cat', 'dog'))

    model = network(bbox_head=2, panoptic_head=3)
    CheckDataHook().check_classes(model, Panoptic())
    with pytest.raises(UsageError, match='bbox_head has 2: set'):
        CheckDataHook().check_classes(model, Data())


def test_all_heads_that_do_not_fit_are_named() -> None:
    model = network(decode_head=19, auxiliary_head=19, data_preprocessor=3)
    with pytest.raises(
        UsageError,
        match=r'\(Data\) have 3 classes \(cat, dog, hen\), but decode_head '
        r'has 19 and auxiliary_head has 19: set model.decode_head.num_classes'
        '=3 and model.auxiliary_head.num_classes=3',
    ):
        CheckDataHook().check_classes(model, Data())


class Classifier(BaseModel):
    """Batch norm sees as many values as a batch has images, times area."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout()

    def forward(self, x: Tensor, mode: str) -> dict:
        return dict(loss=self.drop(self.norm(x)).sum())


def loader(
    images: int, size: int, area: int = 1, drop_last: bool = False
) -> DataLoader:
    samples = Data(dict(x=torch.rand(3, 1, area)) for _ in range(images))
    return DataLoader(samples, size, drop_last=drop_last)


@pytest.mark.parametrize(
    'fine',
    [
        loader(9, 4, area=2),
        loader(9, 4, drop_last=True),
        loader(8, 4),
        loader(9, 1),
    ],
)
def test_last_batches_that_can_be_trained(fine: DataLoader) -> None:
    model = Classifier()
    mean, draw = model.norm.running_mean, torch.random.get_rng_state()
    check_last_batch(model, fine)
    # The trial leaves no trace.
    assert model.norm.running_mean is mean and not mean.any()
    assert torch.equal(torch.random.get_rng_state(), draw)


@pytest.mark.parametrize('images', [9, 1])
def test_a_last_batch_of_one(images: int) -> None:
    with pytest.raises(
        UsageError,
        match=r'one image .*train_dataloader.drop_last=True.*Expected more',
    ):
        check_last_batch(Classifier(), loader(images, 4))


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_a_batch_that_nobody_shared_out(launcher: str) -> None:
    """A host's own train.py does not know the key."""
    cfg = load_config(str(CONFIGS / 'mlfm/resnet18_in100.py'))
    cfg.launcher = launcher
    check_share(cfg, 1, 128)
    with pytest.raises(
        UsageError,
        match=r'batch_size=128 .* of all 8 processes.*'
        r'batch_size=16 share_batch_size=False',
    ):
        check_share(cfg, 8, 128)
    cfg.merge_from_dict(
        {'train_dataloader.batch_size': 16, 'share_batch_size': False}
    )
    check_share(cfg, 8, 16)


def test_the_share_is_checked_before_a_run() -> None:
    class Runner:
        cfg = Config(
            dict(share_batch_size=True, train_dataloader=dict(batch_size=8))
        )
        world_size = 2
        train_dataloader = DataLoader([0] * 8, batch_size=8)

    with pytest.raises(UsageError, match='batch_size=4 share_batch_size'):
        CheckDataHook().before_train(Runner())
    # Our tools have shared it out.
    check_share(Runner.cfg, 2, 4)


def test_nothing_to_train() -> None:
    with pytest.raises(UsageError, match='3 training images make no batch of'):
        check_batches(loader(3, 4, drop_last=True))


def test_batch_samplers_of_others() -> None:
    sampler = BatchSampler(RandomSampler(range(9)), 4, False)
    theirs = DataLoader(Data(range(9)), batch_sampler=sampler)
    check_batches(theirs)
    check_last_batch(Classifier(), theirs)


def test_stand_ins_for_data() -> None:
    # Mmpretrain's vis_scheduler.py trains on such.
    dataset = SimpleNamespace(metainfo=None)
    runner = SimpleNamespace(
        cfg=Config(),
        world_size=1,
        model=network(head=7),
        train_dataloader=SimpleNamespace(dataset=dataset),
    )
    CheckDataHook().before_train(runner)


def test_a_run_ends_before_it_starts(tmp_path: Path) -> None:
    cfg = load_config(
        str(write_digits_config(tmp_path)), {'model.head.num_classes': 9}
    )
    cfg.custom_hooks = [dict(type='mlfm_mm.CheckDataHook')]
    cfg.work_dir, cfg.launcher = str(tmp_path), 'none'
    runner = build_runner(cfg)
    with pytest.raises(UsageError, match=r'set model.head.num_classes=10'):
        runner.train()


@needs_mmseg
def test_a_segmentor_of_other_classes(tmp_path: Path) -> None:
    for split in ('train', 'val'):
        write(tmp_path / 'camvid', split=split)
    cfg = load_config(
        str(CONFIGS / 'baseline' / 'unet_w8_camvid.py'),
        {
            'model.decode_head.num_classes': 19,
            'train_dataloader.batch_size': 2,
            **{
                f'{split}_dataloader.{key}': value
                for split in ('train', 'val', 'test')
                for key, value in (
                    ('dataset.data_root', str(tmp_path / 'camvid')),
                    ('num_workers', 0),
                    ('persistent_workers', False),
                )
            },
        },
    )
    cfg.work_dir = str(tmp_path)
    with pytest.raises(
        UsageError, match=r'11 classes .*decode_head has 19: set model'
    ):
        build_runner(cfg).train()


def test_classes_with_other_labels_in_validation() -> None:
    def loop(*names: str) -> SimpleNamespace:
        dataset = SimpleNamespace(metainfo=dict(classes=names))
        return SimpleNamespace(dataloader=SimpleNamespace(dataset=dataset))

    for same in (None, loop(), loop('cat', 'dog', 'hen'), loop('hen', 'dog')):
        check_labels(Data(), same)
    with pytest.raises(UsageError, match='cat is 0 and 1, dog is 1 and 2'):
        check_labels(Data(), loop('bird', 'cat', 'dog'))


def test_class_folders_that_differ(tmp_path: Path) -> None:
    """MMPretrain numbers those of each split by themselves."""
    for place in ('train/ant', 'train/bee', 'val/ant', 'val/aaa'):
        write_image(tmp_path / place / '0.png', len(place), 90)
    cfg = load_config(str(write_digits_config(tmp_path)))
    cfg.model.head.num_classes = 2
    cfg.data_preprocessor.num_classes = 2
    cfg.train_dataloader.batch_size = 2
    for split in ('train', 'val'):
        cfg[f'{split}_dataloader'].dataset = dict(
            type='CustomDataset', data_root=str(tmp_path / split)
        )
    cfg.custom_hooks = [dict(type='mlfm_mm.CheckDataHook')]
    cfg.work_dir, cfg.launcher = str(tmp_path), 'none'
    with pytest.raises(UsageError, match='than in validation: ant is 0 and 1'):
        build_runner(cfg).train()


def test_many_classes_are_compared_one_by_one() -> None:
    class Name(str):
        comparisons = 0

        def __eq__(self, other: object) -> bool:
            Name.comparisons += 1
            return str.__eq__(self, other)

        __ne__ = object.__ne__
        __hash__ = str.__hash__

    first, second = (
        SimpleNamespace(metainfo=dict(classes=[*map(Name, range(100))]))
        for _ in range(2)
    )
    assert moved_classes(first, second) == []
    assert Name.comparisons <= 2 * 100
