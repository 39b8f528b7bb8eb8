"""The memory of a backbone that is initialized from a checkpoint.

A config that loads a backbone only, as those for segmentation and detection
do, leaves out what lies beside it in the checkpoint. If the backbone was
trained with memory, it is of little use without these units.
"""

from __future__ import annotations

import re
from logging import WARNING
from typing import TYPE_CHECKING

from mmengine.logging import print_log
from mmengine.model import PretrainedInit
from mmengine.runner import CheckpointLoader

from ..registry import bare_name
from .formula import other_options

if TYPE_CHECKING:
    from .mlfm_neck import MLFMNeck

InitCfg = dict | list[dict] | None


def pretrained_of(init_cfg: InitCfg) -> dict | None:
    """Find the settings in an ``init_cfg`` that load a checkpoint.

    Args:
        init_cfg (dict | list[dict], optional): The ``init_cfg`` of a module.

    Returns:
        dict | None: The settings, if there are any.

    Example:
        >>> pretrained_of([dict(type='Kaiming'), dict(type='Pretrained')])
        {'type': 'Pretrained'}
    """
    cfgs = [init_cfg] if isinstance(init_cfg, dict) else init_cfg or []
    # Behind a scope; or, in a dumped config, the class behind its module.
    names = 'Pretrained', PretrainedInit.__name__
    return next((cfg for cfg in cfgs if bare_name(cfg) in names), None)


def load_beside(neck: MLFMNeck, backbone: InitCfg) -> None:
    """Load units from the checkpoint of a pretrained backbone, if it has any.

    Args:
        neck (MLFMNeck): The neck of the units, changed in-place.
        backbone (dict | list[dict], optional): The ``init_cfg`` of the
            backbone. With a ``prefix`` such as ``'backbone.'`` it loads a
            part of the checkpoint of a whole network.
    """
    cfg = pretrained_of(backbone) or {}
    prefix = (cfg.get('prefix') or '').removesuffix('.')
    if not prefix.endswith('backbone'):
        return
    parent = re.escape(prefix.removesuffix('backbone'))
    content = CheckpointLoader.load_checkpoint(cfg['checkpoint'], 'cpu')
    state = content.get('state_dict', content)
    for key in state:
        if found := re.match(rf'({parent}neck(\.\d+)?)\.units\.', key):
            notes = getattr(state, '_metadata', {}).get(found[1], {})
            for text in other_options(neck, notes):
                print_log(
                    f'{found[1]}.units of {cfg["checkpoint"]} {text}.',
                    'current',
                    WARNING,
                )
            return PretrainedInit(cfg['checkpoint'], found[0])(neck.units)
