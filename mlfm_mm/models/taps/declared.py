"""Taps by declaration: the networks of the paper, and some others."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from .checks import refusal
from .dry_run import Call, DryRun

# The wiring of the paper and, by the same rule, of the networks it names but
# whose code was never published: patterns of module names ('@' adds a class),
# of which those that the backbone calls are taken. Looked up by the names of
# a class and its bases, so that subclasses follow and no host is imported.
WIRING: dict[str, tuple[str, ...]] = {
    'ResNet': ('relu', 'stem', 'maxpool', 'layer?'),
    'RegNet': ('relu', 'stem', 'layer?'),
    'MobileNetV2': ('conv1', 'layer[2-6]'),
    'EfficientNet': ('layers.0', 'layers.[2-5]'),
    'ConvNeXt': ('downsample_layers.0', 'stages.?'),
    'UNet': ('encoder.?',),
    # Not in the paper: where it taps more or elsewhere than at the end of
    # each resolution, which is the rule for all others.
    'VGG': ('features.*@MaxPool2d',),
    'DenseNet': ('stem', 'stages.?'),
    'ShuffleNetV1': ('conv1', 'maxpool', 'layers.?'),
    'ShuffleNetV2': ('conv1', 'maxpool', 'layers.?'),
    # Its with_cp=True also recomputes the rest of the stem.
    'RepLKNet': ('stem.0', 'stages.?'),
}

# The way up of backbones that have one.
DECODERS: dict[str, tuple[str, ...]] = {'UNet': ('decoder.?',)}

# Deep ResNets carry one more unit inside stages 2 and 3, after the second of
# four and the third of six blocks.
MID_STAGE_BLOCKS = (3, 4, 6, 3)
MID_STAGE_TAPS = ('layer2.1', 'layer3.2')
NO_MID_STAGE = {'SEResNet', 'SEResNeXt', 'RegNet'}


def declared_taps(
    run: DryRun, wiring: Mapping[str, tuple[str, ...]] = WIRING
) -> list[Call]:
    """Take the taps that are declared for a kind of backbone.

    Args:
        run (DryRun): The record of a dry run.
        wiring (Mapping[str, tuple[str, ...]]): The declarations. Defaults
            to :data:`WIRING`.

    Returns:
        list[Call]: The calls to tap, none if nothing is declared.
    """
    for base in type(run.root.module).__mro__:
        if base.__name__ in wiring:
            patterns = wiring[base.__name__]
            return _matching(run, patterns + _mid_stage(run, base.__name__))
    return []


def _mid_stage(run: DryRun, wiring: str) -> tuple[str, ...]:
    backbone = run.root.module
    bases = {base.__name__ for base in type(backbone).__mro__}
    deep = getattr(backbone, 'stage_blocks', None) == MID_STAGE_BLOCKS
    if wiring == 'ResNet' and deep and not bases & NO_MID_STAGE:
        return MID_STAGE_TAPS
    return ()


def _matching(run: DryRun, patterns: tuple[str, ...]) -> list[Call]:
    # A star stands for one name, not for a path: 'layer?' is no 'layer1.0'.
    return [
        call
        for call in run.calls
        if any(_matches(call, pattern) for pattern in patterns)
        and refusal(run, call) is None
    ]


def _matches(call: Call, pattern: str) -> bool:
    name, _, kind = pattern.partition('@')
    return (
        fnmatchcase(call.name, name)
        and call.name.count('.') == name.count('.')
        and kind in ('', type(call.module).__name__)
    )
