"""The memory units, and the neck that binds them to a backbone.

Four files hold the method; read them in this order: :mod:`low_pass` keeps the
low-low band, :mod:`lfmu` is the unit with its gates, of which :mod:`update`
has one, :mod:`memory_pass` is what flows from unit to unit, :mod:`mlfm_neck`
binds all of it to a backbone.

The rest serves them: :mod:`chain` builds the units, :mod:`adoption` tells a
neck which backbone it stands beside, :mod:`following` chooses the neck that
follows the memory, :mod:`taps` finds where units go, :mod:`kernels` runs a
unit faster, :mod:`fuse` folds its norms, :mod:`plain_weights` loads
checkpoints of networks without memory, :mod:`pretrained` finds the units
beside a pretrained backbone, :mod:`formula` tells for which options weights
were trained, :mod:`refusals` holds the error messages, :mod:`timm_classifier`
adds memory to whole networks of timm, :mod:`torch_internals` wraps private
names of PyTorch, and :mod:`backbones` has the networks that mmpretrain lacks.
"""

from . import backbones
from .following import ChannelsFirst
from .lfmu import LFMU
from .low_pass import LowPass
from .mlfm_neck import MLFMNeck
from .taps import Tap, find_taps
from .timm_classifier import *  # noqa: F403

__all__ = [
    'LFMU',
    'ChannelsFirst',
    'LowPass',
    'MLFMNeck',
    'Tap',
    'backbones',
    'find_taps',
]
