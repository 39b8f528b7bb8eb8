"""The memory units, and the neck that binds them to a backbone."""

from . import backbones
from .lfmu import LFMU
from .low_pass import LowPass
from .mlfm_neck import MLFMNeck
from .taps import Tap, find_taps

__all__ = [
    'LFMU',
    'LowPass',
    'MLFMNeck',
    'Tap',
    'backbones',
    'find_taps',
]
