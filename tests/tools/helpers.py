"""Run the tools as a user does, on data that takes seconds."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.processes import run_python

REPO = Path(__file__).resolve().parents[2]
TOOLS = REPO / 'tools'
CONFIGS = REPO / 'configs'


def run(
    command: list[str], cwd: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a command and keep what it prints."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={
            **os.environ,
            # For the shell scripts.
            'PYTHON': sys.executable,
            # Threads that wait for one another must not hold up the others'.
            'GOMP_SPINCOUNT': '3000',
            **env,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def run_tool(
    name: str, *args: object, cwd: Path, fails: bool = False, **env: str
) -> str:
    """Run a Python or shell script of tools/; return what it printed."""
    if name.endswith('.py'):
        done = run_python(TOOLS / name, *args, cwd=cwd, **env)
    else:
        command = ['bash', str(TOOLS / name), *map(str, args)]
        done = run(command, cwd, **env)
    printed = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, printed
    return printed


DIGITS = """
_base_ = {base!r}
model = dict(
    backbone=dict(stem_channels=4, base_channels=4),
    head=dict(in_channels=32),
)
train_dataloader = dict(batch_size=8, dataset=dict(max_per_class=4))
val_dataloader = dict(dataset=dict(max_per_class=2))
test_dataloader = dict(dataset=dict(max_per_class=2))
train_cfg = dict(max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
randomness = dict(seed=0)
"""


def write_digits_config(folder: Path, arm: str = 'baseline') -> Path:
    """Write a config with a tiny network and 40 digits: 5 steps."""
    base = CONFIGS / arm / 'resnet18_w16_digits.py'
    path = folder / f'digits_{arm}.py'
    path.write_text(DIGITS.format(base=str(base)))
    return path


SEGMENTS = """
_base_ = 'mmseg::_base_/default_runtime.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
classes = ('ground', 'square')
dataset = dict(
    type='BaseSegDataset',
    metainfo=dict(classes=classes, palette=[[0, 0, 0], [255, 0, 0]]),
    data_root={root!r},
    data_prefix=dict(img_path='images', seg_map_path='labels'),
    img_suffix='.png',
    reduce_zero_label=False,
)
load = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
pack = [dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    dataset=dict(
        **dataset, pipeline=[*load, dict(type='RandomFlip', prob=0.5), *pack]
    ),
    sampler=dict(type='InfiniteSampler', shuffle=True),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    dataset=dict(**dataset, pipeline=[*load, *pack]),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[127.5] * 3,
        std=[60.0] * 3,
        size=(32, 32),
        seg_pad_val=255,
    ),
    backbone=dict(
        type='UNet',
        base_channels=4,
        num_stages=3,
        strides=(1, 1, 1),
        enc_num_convs=(1, 1, 1),
        dec_num_convs=(1, 1),
        downsamples=(True, True),
        enc_dilations=(1, 1, 1),
        dec_dilations=(1, 1),
        norm_cfg=norm_cfg,
    ),
    neck=dict(type='mlfm_mm.MLFMNeck'),
    decode_head=dict(
        type='FCNHead',
        in_channels=4,
        in_index=2,
        channels=4,
        num_convs=1,
        concat_input=False,
        num_classes=2,
        norm_cfg=norm_cfg,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9)
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=4, val_interval=4)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
)
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='RandomFlip', prob=p) for p in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            pack,
        ],
    ),
]
"""


def write_segments_config(folder: Path) -> Path:
    """Write a config with a tiny U-Net, and six images of squares."""
    generator = np.random.default_rng(0)
    for name in ('images', 'labels'):
        (folder / 'squares' / name).mkdir(parents=True)
    for index in range(6):
        mask = np.zeros((32, 32), np.uint8)
        y, x = generator.integers(0, 16, 2)
        mask[y : y + 16, x : x + 16] = 1
        noise = generator.integers(0, 60, (32, 32, 3))
        image = (noise + 150 * mask[..., None]).astype(np.uint8)
        root = folder / 'squares'
        Image.fromarray(image).save(root / 'images' / f'{index}.png')
        Image.fromarray(mask).save(root / 'labels' / f'{index}.png')
    path = folder / 'squares.py'
    path.write_text(SEGMENTS.format(root=str(folder / 'squares')))
    return path


def write_image(path: Path, seed: int, brightness: int) -> None:
    """Write an image of noise around a brightness."""
    noise = np.random.default_rng(seed).integers(-40, 40, (40, 40, 3))
    pixels = np.clip(noise + brightness, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_image_folder(folder: Path, images: int = 10) -> Path:
    """Write class folders of dark and of bright images."""
    for index in range(images):
        write_image(folder / 'bright' / f'{index}.png', index, 190)
        write_image(folder / 'dark' / f'{index}.png', index, 60)
    return folder


class Harmful:
    """What calls a function as it is read."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ('harmed',)
