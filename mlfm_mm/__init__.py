"""Multiscale Low-Frequency Memory for OpenMMLab networks.

Importing the package registers everything it has, so that
``custom_imports = dict(imports=['mlfm_mm'])`` makes the bare names known.
"""

from . import datasets, engine
from .compat import know_mmseg_by_its_module
from .hub import register_models
from .models import LFMU, LowPass, MLFMNeck
from .version import __version__

know_mmseg_by_its_module()
register_models()

__all__ = [
    'LFMU',
    'LowPass',
    'MLFMNeck',
    '__version__',
    'datasets',
    'engine',
]
