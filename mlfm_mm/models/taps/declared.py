"""Taps by declaration: the networks of the paper, and some others."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from .checks import backbone_name, level_of, refusal
from .dry_run import Call, DryRun

# The wiring of the paper and, by the same rule, of the networks it names but
# whose code was never published. An entry is a pattern of module names, or
# alternatives of which one exists ('|'); '@' adds a class. Looked up by the
# names of a class and its bases: it serves subclasses, and imports no host.
WIRING: dict[str, tuple[str, ...]] = {
    'ResNet': ('relu|stem', 'maxpool', 'layer?'),
    'ResNet_CIFAR': ('relu|stem', 'layer?'),
    'RegNet': ('relu|stem', 'layer?'),
    'MobileNetV2': ('conv1', 'layer[2-6]'),
    'EfficientNet': ('layers.0', 'layers.[2-5]'),
    'ConvNeXt': ('downsample_layers.0', 'stages.?'),
    'UNet': ('encoder.?',),
    # Not in the paper. All others follow the rule, the end of each resolution;
    # these have more taps, or other ones.
    'VGG': ('features.*@MaxPool2d',),
    'DenseNet': ('stem', 'stages.?'),
    'ShuffleNetV1': ('conv1', 'maxpool', 'layers.?'),
    'ShuffleNetV2': ('conv1', 'maxpool', 'layers.?'),
    # Its last maps are the predictions, which no norm may change.
    'CPM': ('stem.0', 'stem.2', 'stem.4', 'cpm_stages.?'),
    # With with_cp=True it also recomputes the rest of the stem.
    'RepLKNet': ('stem.0', 'stages.?'),
}

# The way up of backbones that have one.
DECODERS: dict[str, tuple[str, ...]] = {'UNet': ('decoder.?',)}

# Deep ResNets carry one more unit inside stages 2 and 3, after the second of
# four and the third of six blocks.
MID_STAGE_BLOCKS = (3, 4, 6, 3)
MID_STAGE_TAPS = ('layer2.1', 'layer3.2')
NO_MID_STAGE = {'SEResNet', 'SEResNeXt', 'RegNet'}


def declared_taps(run: DryRun) -> list[Call]:
    """Take the taps that are declared for a kind of backbone.

    Another library may have a class of the same name with other modules. So a
    declaration applies only as a whole: each of its entries must match a call,
    and its taps must skip no resolution down to the coarsest map.

    Args:
        run (DryRun): The record of a dry run.

    Returns:
        list[Call]: The calls to tap, none if no declaration fits.
    """
    names = _names_of_classes(run)
    declared = next((name for name in names if name in WIRING), None)
    if declared is None:
        return []
    matching = [_matching(run, entry) for entry in WIRING[declared]]
    taps = [call for calls in matching for call in calls]
    if not all(matching) or not _reach_coarsest_map(run, taps):
        return []
    blocks = getattr(run.root.module, 'stage_blocks', None)
    if (
        'ResNet' in names
        and blocks == MID_STAGE_BLOCKS
        and NO_MID_STAGE.isdisjoint(names)
    ):
        taps += [c for name in MID_STAGE_TAPS for c in _matching(run, name)]
    return taps


def decoder_taps(run: DryRun) -> list[Call]:
    """Take the taps that are declared for the decoder of a backbone.

    Args:
        run (DryRun): The record of a dry run.

    Returns:
        list[Call]: The calls to tap.

    Raises:
        ValueError: No decoder of the backbone is known.
    """
    for name in _names_of_classes(run):
        calls = [
            call
            for entry in DECODERS.get(name, ())
            for call in _matching(run, entry)
        ]
        if calls:
            return calls
    raise ValueError(
        f'decoder=True: no decoder of {backbone_name(run)} is known '
        f'({", ".join(DECODERS)} has one); leave it out, or list its '
        'modules in `taps`.'
    )


def _names_of_classes(run: DryRun) -> list[str]:
    return [base.__name__ for base in type(run.root.module).__mro__]


def _reach_coarsest_map(run: DryRun, taps: Sequence[Call]) -> bool:
    maps = [call for call in run.calls if refusal(run, call) is None]
    coarsest = max(level_of(run, call) for call in maps)
    levels = {level_of(run, call) for call in taps}
    return levels == set(range(min(levels), coarsest + 1))


def _matching(run: DryRun, entry: str) -> list[Call]:
    return [
        call
        for call in run.calls
        if any(_matches(call, pattern) for pattern in entry.split('|'))
        and refusal(run, call) is None
    ]


def _matches(call: Call, pattern: str) -> bool:
    # A wildcard matches one name, not a path: 'layer?' is not 'layer1.0'.
    name, _, kind = pattern.partition('@')
    return (
        fnmatchcase(call.name, name)
        and call.name.count('.') == name.count('.')
        and kind in ('', type(call.module).__name__)
    )
