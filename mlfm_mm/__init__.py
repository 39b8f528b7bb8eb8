"""Multiscale Low-Frequency Memory for OpenMMLab networks.

Importing the package registers its models and hooks, so that
``custom_imports = dict(imports=['mlfm_mm'])`` makes their bare names known.
``mlfm_mm.X`` works for everything in its registries, without that import.
"""

try:
    # Before any host is imported that looks for mmcv's operators.
    from .mmcv_ops import stand_in

    stand_in()
    from . import engine
    from .analysis.memory_hook import MemoryViewHook
    from .engine.memory import add_memory
    from .models import LFMU, LowPass, MLFMNeck
    from .openmmlab import (
        know_mmseg_by_its_module,
        know_own_configs,
        register_models,
    )
except ModuleNotFoundError as error:
    absent = (error.name or '').partition('.')[0]
    if absent not in ('mmengine', 'mmcv'):
        raise
    raise ModuleNotFoundError(
        f'mlfm_mm is a plugin for OpenMMLab, and {absent} is not installed: '
        'install mmpretrain or mmsegmentation beside it, or its extra: '
        "pip install 'mlfm_mm[onedl]', in a clone '.[onedl]'.",
        name=absent,
    ) from None
from .version import __version__

know_mmseg_by_its_module()
know_own_configs()
register_models()

__all__ = [
    'LFMU',
    'LowPass',
    'MLFMNeck',
    'MemoryViewHook',
    '__version__',
    'add_memory',
    'engine',
]
