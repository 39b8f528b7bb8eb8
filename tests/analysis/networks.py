"""Tiny networks with random weights, as if they had been trained."""

from pathlib import Path

import torch
from mmengine.config import Config
from torch import nn

from mlfm_mm.analysis.trained import Source, Trained, load_trained
from mlfm_mm.engine.hosts import find_host
from mlfm_mm.engine.models import build_model
from tests.models import builders
from tests.models.builders import shaken
from tests.tools.helpers import write_digits_config, write_segments_config


def save_weights(config: Path) -> Path:
    """Save weights of a config's network that no init would give."""
    torch.manual_seed(0)
    cfg = Config.fromfile(config)
    path = config.with_suffix('.pth')
    torch.save(dict(state_dict=shaken(build_model(cfg)).state_dict()), path)
    return path


def classifier(folder: Path, arm: str = 'mlfm', more: str = '') -> Trained:
    """A ResNet for digits; ``more`` is added to its config."""
    config = write_digits_config(folder, arm)
    config.write_text(config.read_text() + more)
    return load_trained(Source(arm, str(config), str(save_weights(config))))


def two_tests(folder: Path) -> list[str]:
    """Words for two networks on different test data, without weights."""
    words = []
    for arm, images in (('baseline', 2), ('mlfm', 1)):
        config = write_digits_config(folder, arm)
        more = f'test_dataloader.update(dataset=dict(max_per_class={images}))'
        config.write_text(f'{config.read_text()}{more}\n')
        words += [str(config), f'{arm}.pth']
    return words


# What makes a mask of one channel.
BINARY = """
model['decode_head'].update(
    out_channels=1,
    threshold=0.5,
    loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
)
"""
# A network on grey pictures.
GREY = """
model['backbone'].update(in_channels=1)
data_preprocessor = dict(
    _delete_=True, num_classes=10, mean=[78.0], std=[96.0], to_rgb=False
)
"""


def segmentor(folder: Path, more: str = '') -> Trained:
    """A U-Net for squares, of which six pictures lie in the folder."""
    config = write_segments_config(folder)
    # Without normalization across devices, which a CPU does not have.
    config.write_text(config.read_text().replace('SyncBN', 'BN') + more)
    return load_trained(Source('unet', str(config), str(save_weights(config))))


def toy_classifier(kind: type[nn.Module]) -> Trained:
    """A toy network of 8 channels at its end, with memory."""
    torch.manual_seed(0)
    cfg = Config(dict(default_scope='mmpretrain', model={}))
    model = shaken(builders.classifier(kind(), 8)).eval()
    return Trained('toy', cfg, find_host(cfg), model, {})
