"""The memory units, and the neck that binds them to a backbone.

Four files tell the method, in this order: :mod:`low_pass` keeps the low-low
band, :mod:`lfmu` is the unit with its gates, :mod:`memory_pass` is what flows
from unit to unit, :mod:`mlfm_neck` binds all of it to a backbone. The rest
serves them: :mod:`update` is the gate where memory and trunk meet,
:mod:`chain` builds the units, :mod:`adoption` introduces a neck to its
backbone, :mod:`taps` finds where units go, :mod:`kernels` runs a unit faster,
:mod:`fuse` folds its norms, :mod:`plain_weights` loads old checkpoints,
:mod:`refusals` says what cannot be, :mod:`timm_classifier` lets memory into
whole networks of timm, :mod:`torch_internals` asks PyTorch what
it tells nobody, :mod:`backbones` has what mmpretrain lacks.
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
