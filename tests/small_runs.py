"""Train a config as it is, by tools/train.py, for two small steps."""

import json
import math
import pickle
import shutil
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

REPO = Path(__file__).resolve().parents[1]
# Of the images; networks that halve them five times get features of 2x2.
SIZE = 64
BATCH = 4
STEPS = 2
# What sets a size in the pipelines, by the names of their transforms.
SIZES = {
    'RandomResizedCrop': 'scale',
    'EfficientNetRandomCrop': 'scale',
    'ResizeEdge': 'scale',
    'Resize': 'scale',
    'CenterCrop': 'crop_size',
    'EfficientNetCenterCrop': 'crop_size',
    'RandomCrop': 'crop_size',
}


def load_tool() -> ModuleType:
    """Load tools/train.py anew, as a program of its own would."""
    path = REPO / 'tools' / 'train.py'
    spec = spec_from_file_location('tool_train', path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train(
    config: str,
    folder: Path,
    work_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    *more: str,
) -> Runner:
    """Call the program in this process, which saves seconds of imports.

    Args:
        config (str): A config, from the top of the repository.
        folder (Path): The data set.
        work_dir (Path): Where the run writes.
        monkeypatch (MonkeyPatch): For the command line.
        *more (str): Further ``--cfg-options``.

    Returns:
        Runner: What the program ran.
    """
    cfg = Config.fromfile(REPO / config)
    command = ['train.py', str(REPO / config), '--work-dir', str(work_dir)]
    command += ['--cfg-options', *small(cfg, folder), *more]
    # Both arms have one name, by which MMEngine keeps loggers apart.
    command += [f'experiment_name={work_dir.name}_{id(work_dir)}']
    tool = load_tool()
    runners = []
    build = tool.build_runner

    def build_runner(cfg: Config) -> Runner:
        runners.append(build(cfg))
        return runners[-1]

    monkeypatch.setattr('sys.argv', command)
    monkeypatch.setattr(tool, 'build_runner', build_runner)
    tool.main()
    return runners[0]


def small(cfg: Config, folder: Path) -> Iterator[str]:
    """Give the options that make a run short, and change nothing else."""
    yield 'train_cfg.max_epochs=1'
    schedulers = cfg.param_scheduler
    for i, scheduler in enumerate(
        schedulers if isinstance(schedulers, list) else []
    ):
        if scheduler.get('begin'):
            # After the warm-up, which is longer than this run.
            yield f'param_scheduler.{i}.begin=0'
    yield 'default_hooks.logger.interval=1'
    # Weights and moments of 50 million parameters would take their time.
    yield 'default_hooks.checkpoint.interval=9'
    yield 'default_hooks.checkpoint.save_last=False'
    yield 'default_hooks.checkpoint.save_best=None'
    for split, images in (('train', BATCH * STEPS), ('val', BATCH)):
        loader = f'{split}_dataloader'
        yield f'{loader}.batch_size={BATCH}'
        yield f'{loader}.num_workers=0'
        dataset = cfg[loader].dataset
        yield f'{loader}.dataset.indices={images}'
        if 'data_root' in dataset:
            yield f'{loader}.dataset.data_root={folder}'
        for i, transform in enumerate(dataset.pipeline):
            key = SIZES.get(transform.type)
            if key and transform[key] > SIZE:
                yield f'{loader}.dataset.pipeline.{i}.{key}={SIZE}'


def records(work_dir: Path) -> list[dict]:
    """Read what a run logged."""
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines()]


def check_records(work_dir: Path) -> None:
    """Two steps with sound losses, and a validation."""
    logged = records(work_dir)
    losses = [r['loss'] for r in logged if 'loss' in r]
    assert len(losses) == STEPS and all(map(math.isfinite, losses)), logged
    (top1,) = (r['accuracy/top1'] for r in logged if 'accuracy/top1' in r)
    assert 0 <= top1 <= 100


# ---- Real photographs in the layouts of the data sets ----------------------


def kaggle_layout(samples: Path, root: Path) -> Path:
    """Serve the sample of each class for training, too."""
    root.mkdir()
    (root / 'val.X').symlink_to(samples / 'val.X')
    shutil.copy(samples / 'Labels.json', root)
    for i, folder in enumerate(sorted((samples / 'val.X').iterdir())):
        part = root / f'train.X{i // 25 + 1}'
        part.mkdir(exist_ok=True)
        (part / folder.name).symlink_to(folder)
    return root


def imagenet_layout(samples: Path, root: Path) -> Path:
    """Serve the samples as ImageNet-1k, by lists of names and labels."""
    (root / 'meta').mkdir(parents=True)
    photos = sorted(samples.glob('val.X/*/*.JPEG'))
    for split in ('train', 'val'):
        (root / split).symlink_to(samples / 'val.X')
        rows = [
            f'{path.parent.name}/{path.name} {label}'
            for label, path in enumerate(photos)
        ]
        (root / 'meta' / f'{split}.txt').write_text('\n'.join(rows))
    return root


def cifar_layout(photos: list[Path], root: Path, kind: type) -> Path:
    """Write photographs in the format of CIFAR, at 32x32 pixels."""
    base = root / kind.base_folder
    base.mkdir(parents=True)
    images = [Image.open(p).convert('RGB').resize((32, 32)) for p in photos]
    rows = np.stack([np.asarray(image).transpose(2, 0, 1) for image in images])
    labels = [i % 10 for i in range(len(rows))]
    batch = dict(data=rows.reshape(len(rows), -1), labels=labels)
    batch['fine_labels'] = labels
    for name, _ in [*kind.train_list, *kind.test_list]:
        (base / name).write_bytes(pickle.dumps(batch))
    count = 10 if kind.base_folder == 'cifar-10-batches-py' else 100
    meta = {kind.meta['key']: [str(i) for i in range(count)]}
    (base / kind.meta['filename']).write_bytes(pickle.dumps(meta))
    return root
