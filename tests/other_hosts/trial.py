"""A host's own Runner and its own weights, on images made here."""

import json
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner import Runner
from PIL import Image
from torch import nn

from mlfm_mm import MLFMNeck, add_memory
from model_zoo.costs import count
from model_zoo.records import read_json

SIDE = 96
KEYPOINTS = 17


def write_pictures(folder: Path, number: int = 4) -> Path:
    """Write images of one square each, with a box, a mask and keypoints."""
    random = np.random.default_rng(0)
    images, marks = [], []
    for i in range(number):
        x, y, side = map(int, random.integers([0, 0, 30], [50, 50, 46]))
        pixels = random.integers(0, 90, (SIDE, SIDE, 3), dtype=np.uint8)
        pixels[y : y + side, x : x + side] += 150
        Image.fromarray(pixels).save(folder / f'{i}.png')
        images.append(
            dict(id=i, file_name=f'{i}.png', width=SIDE, height=SIDE)
        )
        outline = [x, y, x + side, y, x + side, y + side, x, y + side]
        points = random.uniform([x, y], [x + side, y + side], (KEYPOINTS, 2))
        seen = np.full((KEYPOINTS, 1), 2)
        marks.append(
            dict(
                id=i + 1,
                image_id=i,
                category_id=1,
                bbox=[x, y, side, side],
                area=side * side,
                iscrowd=0,
                segmentation=[outline],
                keypoints=np.hstack([points, seen]).ravel().tolist(),
                num_keypoints=KEYPOINTS,
            )
        )
    kinds = [dict(id=1, name='person')]
    text = dict(images=images, annotations=marks, categories=kinds)
    (folder / 'marks.json').write_text(json.dumps(text))
    return folder


def our_config(name: str) -> str:
    """Find a config of the zoo."""
    return str(Path(__file__).parents[2] / 'configs' / 'baseline' / name)


def read(base: str, text: str, folder: Path) -> Config:
    """Read a config that inherits one of a host."""
    file = folder / 'config.py'
    file.write_text(f'_base_ = {base!r}\n{text}')
    cfg = Config.fromfile(file)
    cfg.work_dir = str(folder / 'work')
    return cfg


def make_runner(cfg: Config, name: str, count: int, every: int) -> Runner:
    """Make a Runner that trains for some iterations."""
    # Its own, or the second Runner of a process would find the first's.
    cfg.experiment_name = cfg.visualizer.name = name
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=count)
    cfg.default_hooks.checkpoint = dict(
        type='CheckpointHook', by_epoch=False, interval=every
    )
    cfg.param_scheduler = None
    for part in ('cfg', 'dataloader', 'evaluator'):
        cfg[f'val_{part}'] = None
    return Runner.from_cfg(cfg)


def train_twice(cfg: Config, name: str) -> str:
    """Train for two iterations, of which each unit learns; the weights."""
    cfg = add_memory(cfg)
    runner = make_runner(cfg, name, 2, every=2)
    units = neck_of(runner.model).units
    before = {k: v.clone() for k, v in units.named_parameters()}
    runner.train()
    assert runner.iter == 2
    after = dict(units.named_parameters())
    assert not [k for k in before if torch.equal(before[k], after[k])]
    return str(Path(cfg.work_dir) / 'iter_2.pth')


def neck_of(model: nn.Module) -> MLFMNeck:
    """Find the neck with the memory."""
    return next(m for m in model.modules() if isinstance(m, MLFMNeck))


def build(cfg: Config, seed: int) -> nn.Module:
    """Build a model of a host in inference, of which each weight is drawn."""
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
        model.init_weights()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model.eval()


def with_old_weights(cfg: Config, folder: Path) -> tuple[nn.Module, nn.Module]:
    """Load a checkpoint from before there was memory.

    Returns:
        tuple: The plain model, and the one that starts as it by
        ``identity_init``.
    """
    from mmengine.runner.checkpoint import load_checkpoint

    plain = build(cfg, 0)
    ours = build(add_memory(cfg, identity_init=True), 1)
    path = str(folder / 'old.pth')
    torch.save(dict(state_dict=plain.state_dict(), meta={}), path)
    seen = ours.load_state_dict(torch.load(path)['state_dict'], strict=False)
    assert not seen.unexpected_keys
    assert all('.units.' in name for name in seen.missing_keys)
    again = build(add_memory(cfg, identity_init=True), 2)
    load_checkpoint(again, path)  # MMEngine's way leads to the same
    for name, value in again.state_dict().items():
        if '.units.' not in name:
            assert torch.equal(value, ours.state_dict()[name]), name
    return plain, ours


def check_our_config(name: str) -> None:
    """Hold a config with memory against the one without.

    tests/test_configs.py does so for the hosts that are always there.
    """
    plain = Path(our_config(name))
    baseline = Config.fromfile(plain)
    mlfm = Config.fromfile(plain.parents[1] / 'mlfm' / name)
    expected = add_memory(baseline)
    if 'neck' not in baseline.model:
        assert expected.model.neck == dict(type='mlfm_mm.MLFMNeck')
    assert mlfm.to_dict() == expected.to_dict()
    costs = read_json(plain.parents[1] / 'zoo' / 'costs.json')
    assert count(baseline) == costs[f'configs/baseline/{name}']
    assert count(mlfm) == costs[f'configs/mlfm/{name}']
    mlfm.model.backbone.init_cfg = None
    model = build(mlfm, 0)
    strides = {tap.reduction for tap in neck_of(model).taps}
    assert strides == {2, 4, 8, 16, 32}
