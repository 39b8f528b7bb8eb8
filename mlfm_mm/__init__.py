"""Multiscale Low-Frequency Memory for OpenMMLab networks.

Importing the package registers its models and hooks, so that
``custom_imports = dict(imports=['mlfm_mm'])`` makes their bare names known;
``mlfm_mm.X`` names whatever it has, and needs no import.
"""

from . import engine
from .models import LFMU, LowPass, MLFMNeck
from .openmmlab import (
    know_mmseg_by_its_module,
    know_own_configs,
    register_models,
)
from .version import __version__

know_mmseg_by_its_module()
know_own_configs()
register_models()

__all__ = ['LFMU', 'LowPass', 'MLFMNeck', '__version__', 'engine']
