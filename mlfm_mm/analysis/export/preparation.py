"""How a test pipeline brings pictures to a size, in words of metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmengine.config import Config

from ...engine import UsageError
from ...engine.demo import find_steps
from ...registry import bare_name

# The transforms that the words are for.
SIZING = ('CenterCrop', 'EfficientNetCenterCrop', 'Resize', 'ResizeEdge')
# Those that leave the pixels as they are.
NEUTRAL = (
    'Collect',
    'NumpyToPIL',
    'PILToNumpy',
    'ToNumpy',
    'ToPIL',
    'Transpose',
)
# What EfficientNetCenterCrop pads by unless told otherwise.
PADDING = 32


@dataclass(frozen=True)
class Preparation:
    """How pictures are brought to a size.

    Args:
        keep_ratio (bool): Whether they keep their proportions, and lose what
            lies outside of the size's. Defaults to True.
        crop_pct (float): The share of their shorter side, or else of both
            sides, that a centre crop keeps before. Defaults to 1.
        left_out (tuple[str, ...]): The transforms that these words cannot
            say. Defaults to none.
        antialias (bool): Whether they are smoothed when they shrink, as
            Pillow does and OpenCV does not. Defaults to False.
    """

    keep_ratio: bool = True
    crop_pct: float = 1.0
    left_out: tuple[str, ...] = ()
    antialias: bool = False


def preparation_of(cfg: Config, segments: bool) -> Preparation:
    """Put a test pipeline into words.

    Args:
        cfg (Config): The config.
        segments (bool): Whether it is a segmentor's, for which pictures are
            left as they are.

    Returns:
        Preparation: The words.

    Raises:
        UsageError: The config of a classifier has no test pipeline.

    Example:
        >>> crop = dict(type='CenterCrop', crop_size=224)
        >>> pipeline = [dict(type='ResizeEdge', scale=256), crop]
        >>> preparation_of(Config(dict(test_pipeline=pipeline)), False)
        Preparation(keep_ratio=True, crop_pct=0.875, left_out=(),
        antialias=False)
    """
    try:
        steps = [step for step in find_steps(cfg) if not _is_neutral(step)]
    except UsageError:
        if not segments:
            raise
        steps = []
    names = tuple(map(bare_name, steps))
    sizing = [step for step in steps if bare_name(step) in SIZING]
    words = _words(sizing)
    tested = (cfg.get('model') or {}).get('test_cfg') or {}
    if segments and tested.get('mode') == 'slide':
        names += ('sliding windows',)
    if segments or words is None:
        return Preparation(left_out=names)
    others = tuple(name for name in names if name not in SIZING)
    smooth = any(step.get('backend') == 'pillow' for step in sizing)
    return Preparation(*words, others, smooth)


def _is_neutral(step: dict) -> bool:
    name = bare_name(step)
    return name.startswith(('Load', 'Pack')) or name in NEUTRAL


def _words(steps: Sequence[dict]) -> tuple[bool, float] | None:
    """Say what transforms do, None if that cannot be said."""
    names = [bare_name(step) for step in steps]
    if not steps:
        return True, 1.0
    first, crop = steps[0], steps[-1]
    if names == ['EfficientNetCenterCrop']:
        size = crop['crop_size']
        return True, size / (size + crop.get('crop_padding', PADDING))
    if first.get('scale') is None or first.get('keep_ratio'):
        return None
    if names == ['Resize']:
        return False, 1.0
    keeps = names[0] == 'ResizeEdge' and first.get('edge', 'short') == 'short'
    if names[1:] != ['CenterCrop'] or not (keeps or names[0] == 'Resize'):
        return None
    sides = zip(_pair(crop['crop_size']), _pair(first['scale']), strict=True)
    shares = {kept / side for kept, side in sides}
    share = shares.pop()
    return None if shares or share > 1 else (keeps, share)


def _pair(size: int | Sequence[int]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)
