"""The configs under names: ``mmpretrain.get_model('resnet18-mlfm_in100')``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
# A model that is known once all are.
KNOWN = 'resnet18-mlfm_in100'
TASK = 'Image Classification'


def model_index() -> Path | None:
    """Find the model index that lies beside the configs.

    Returns:
        Path | None: The one inside an installed package, else the one of
        the clone; None where the configs are not shipped.
    """
    for top in (PACKAGE / '.mim', PACKAGE.parent):
        index = top / 'model-index.yml'
        if index.is_file() and (top / 'configs' / 'mlfm').is_dir():
            return index
    return None


def register_models() -> None:
    """Make ``get_model`` and ``list_models`` of mmpretrain know the configs.

    Nothing happens where mmpretrain or the configs are missing, and the
    second call of a process does nothing. Segmentors are left out, which
    mmpretrain cannot build.

    Example:
        >>> from mmpretrain import list_models
        >>> register_models()
        >>> list_models('resnet10-mlfm*')
        ['resnet10-mlfm_in100']
    """
    index = model_index()
    if index is None or find_spec('mmpretrain') is None:
        return
    from mmpretrain.apis import ModelHub

    if ModelHub.has(KNOWN):
        return
    others = set(ModelHub._models_dict)
    ModelHub.register_model_index(index, config_prefix=index.parent)
    for name in set(ModelHub._models_dict) - others:
        results = ModelHub._models_dict[name].results or []
        if TASK not in [result.task for result in results]:
            del ModelHub._models_dict[name]
