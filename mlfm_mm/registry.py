"""The registries of the plugin.

Everything registered here is known as ``mlfm_mm.X`` from any scope, with no
``custom_imports``: MMEngine imports this module when it meets the prefix.
Models and hooks are also known by the bare ``X`` once the package has been
imported, because each registration is repeated in MMEngine's root registry,
which every host searches last. Data sets and transforms are not: their bare
names are too generic.
"""

from __future__ import annotations

from mmengine.registry import DATASETS as ROOT_DATASETS
from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import TRANSFORMS as ROOT_TRANSFORMS
from mmengine.registry import Registry


class SharedRegistry(Registry):
    """A registry that also registers its modules in its parent.

    Example:
        >>> from mlfm_mm.registry import MODELS
        >>> MODELS.scope, MODELS.parent.scope
        ('mlfm_mm', 'mmengine')
    """

    def _register_module(
        self,
        module: type,
        module_name: str | list[str] | None = None,
        force: bool = False,
    ) -> None:
        super()._register_module(module, module_name, force)
        self.parent._register_module(module, module_name, force)


MODELS = SharedRegistry(
    'model',
    parent=ROOT_MODELS,
    scope='mlfm_mm',
    locations=['mlfm_mm.models'],
)
DATASETS = Registry(
    'dataset',
    parent=ROOT_DATASETS,
    scope='mlfm_mm',
    locations=['mlfm_mm.datasets'],
)
TRANSFORMS = Registry(
    'transform',
    parent=ROOT_TRANSFORMS,
    scope='mlfm_mm',
    locations=['mlfm_mm.datasets'],
)
HOOKS = SharedRegistry(
    'hook',
    parent=ROOT_HOOKS,
    scope='mlfm_mm',
    locations=['mlfm_mm.engine', 'mlfm_mm.analysis.memory_hook'],
)

__all__ = [
    'DATASETS',
    'HOOKS',
    'MODELS',
    'TRANSFORMS',
    'SharedRegistry',
    'bare_name',
]


def bare_name(settings: dict) -> str:
    """Get the name in a ``type``, without a scope or a module.

    Example:
        >>> bare_name(dict(type='mmseg.UNet')), bare_name(dict(type=dict))
        ('UNet', 'dict')
    """
    kind = settings.get('type', '')
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.rpartition('.')[2]
