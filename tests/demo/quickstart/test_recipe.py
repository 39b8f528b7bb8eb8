from pathlib import Path

import pytest
from mmengine.registry import DATASETS, DefaultScope

from demo.quickstart.recipe import Settings, make_config
from mlfm_mm.analysis.sizes import image_size
from mlfm_mm.datasets import scan_folder
from mlfm_mm.engine import UsageError
from tests.tools.helpers import write_image_folder


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(epochs=0), '--epochs 0 is too small: give 1'),
        (dict(image_size=8), '--image-size 8 is too small: give 32'),
        (dict(max_per_class=1), '--max-per-class 1 is too small: give 2'),
        (dict(seed=-1), '--seed -1 is too small: give 0'),
        (dict(seeds=0), '--seeds 0 is too small: give 1'),
    ],
)
def test_mistakes(changes: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings(**changes)
    assert message in str(caught.value)


def test_digits_by_default() -> None:
    cfg = make_config('mlfm', 0, Settings(), None)
    assert image_size(cfg) == (32, 32)
    assert cfg.train_cfg.max_epochs == 6
    assert cfg.randomness.seed == 0


def test_seeds() -> None:
    assert Settings().all_seeds == [0, 1, 2, 3, 4]
    assert Settings(data='images', seed=2).all_seeds == [2]
    assert Settings(data='images', seeds=2).all_seeds == [0, 1]


@pytest.mark.parametrize('name', ['digits', 'folder'])
def test_size_reaches_the_images(name: str, tmp_path: Path) -> None:
    data = None
    if name == 'folder':
        data = str(write_image_folder(tmp_path))
    settings = Settings(data=data, image_size=48, epochs=3, max_per_class=5)
    cfg = make_config('baseline', 0, settings, None)
    assert image_size(cfg) == (48, 48) and cfg.train_cfg.max_epochs == 3
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            dataset = DATASETS.build(loader.dataset)
        assert dataset[0]['inputs'].shape == (3, 48, 48)


def test_small_folders_get_small_batches(tmp_path: Path) -> None:
    data = str(write_image_folder(tmp_path, 20))
    contents = scan_folder(data)
    settings = Settings(data=data)
    cfg = make_config('baseline', 0, settings, contents)
    # 32 training images: four batches of eight.
    assert cfg.train_dataloader.batch_size == 8
    assert cfg.optim_wrapper.optimizer.lr == 0.05 / 8
    assert cfg.model.head.num_classes == 2


def test_smallest_folder(tmp_path: Path) -> None:
    contents = scan_folder(str(write_image_folder(tmp_path, 2)))
    cfg = make_config('baseline', 0, Settings(data=str(tmp_path)), contents)
    assert cfg.train_dataloader.batch_size == 2
