"""Which class a ``type`` of a config stands for."""

from collections.abc import Callable, Iterator

from mmengine.config import Config
from mmengine.registry import HOOKS, Registry

from .errors import UsageError

WHOLE_WEIGHTS = 'mlfm_mm.WholeWeightsHook'


def kind_of(
    settings: dict, registry: Registry, scope: str | None = None
) -> Callable | None:
    """Find what the ``type`` of some settings stands for.

    Configs name it bare (``'SyncBN'``), with a scope (``'mmseg.IoUMetric'``)
    or a module (``'torch.nn.SyncBatchNorm'``), and those in pure Python hold
    the class itself.

    Args:
        settings (dict): May have a ``type``.
        registry (Registry): Where MMEngine would look for a name.
        scope (str, optional): The ``default_scope`` of the config. Defaults
            to None.

    Returns:
        Callable | None: Usually a class; None without a type, and where the
        registry does not know its name.

    Example:
        >>> from mmengine.registry import MODELS
        >>> kind_of(dict(type='SyncBN'), MODELS).__name__
        'SyncBatchNorm'
    """
    kind = settings.get('type')
    if not isinstance(kind, str):
        return kind
    with registry.switch_scope_and_registry(scope) as found:
        try:
            return found.get(kind)
        except RuntimeError:
            return None


def is_kind(
    settings: dict,
    parent: type,
    registry: Registry,
    scope: str | None = None,
) -> bool:
    """Check whether the ``type`` of some settings is a class or its child.

    Args:
        settings (dict): May have a ``type``.
        parent (type): The class.
        registry (Registry): Where MMEngine would look for a name.
        scope (str, optional): The ``default_scope`` of the config. Defaults
            to None.

    Returns:
        bool: Whether it is.
    """
    kind = kind_of(settings, registry, scope)
    return isinstance(kind, type) and issubclass(kind, parent)


def set_hook(cfg: Config, name: str, **options: object) -> None:
    """Set options of a hook, which is added where there is none of its kind.

    A config that a run has written down has our hooks already.

    Args:
        cfg (Config): The config, whose ``custom_hooks`` are changed.
        name (str): The hook's type.
        **options: Its arguments; others that it has stay.

    Example:
        >>> cfg = Config(dict(custom_hooks=[dict(type='EMAHook')]))
        >>> set_hook(cfg, 'EMAHook', momentum=0.1)
        >>> cfg.custom_hooks
        [{'type': 'EMAHook', 'momentum': 0.1}]
    """
    found = find_hooks(cfg, name)
    for hook in found:
        hook.update(options)
    if not found:
        others = cfg.get('custom_hooks') or []
        cfg.custom_hooks = [*others, dict(type=name, **options)]


def find_hooks(cfg: Config, name: str) -> list[dict]:
    """Find the custom hooks of a config that are of the kind of a name."""
    kind, scope = kind_of(dict(type=name), HOOKS), cfg.get('default_scope')
    hooks = cfg.get('custom_hooks') or []
    settings = [hook for hook in hooks if isinstance(hook, dict)]
    return [hook for hook in settings if kind_of(hook, HOOKS, scope) is kind]


def dicts(value: object) -> Iterator[dict]:
    """Yield the dicts within a config, outermost first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from dicts(item)


def find_datasets(cfg: Config) -> list[dict]:
    """Find the settings of the test data that have the transforms.

    Args:
        cfg (Config): The config.

    Returns:
        list[dict]: Settings with a ``pipeline``: of the data set, or of
        those that it wraps or concatenates.

    Raises:
        UsageError: If the config has none.
    """
    loader = cfg.get('test_dataloader') or {}
    found = [d for _, d in holders(loader.get('dataset'), 'pipeline')]
    if not found:
        raise UsageError(
            'the config has no test_dataloader.dataset.pipeline, which says '
            'how an image is prepared'
        )
    return found


def holders(
    value: object, key: str, path: str = ''
) -> Iterator[tuple[str, dict]]:
    """Yield path and content of the outermost dicts that have a key.

    Example:
        >>> list(holders(dict(a=[1, dict(b=2)]), 'b', 'model'))
        [('model.a[1]', {'b': 2})]
    """
    if isinstance(value, dict) and value.get(key):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from holders(item, key, f'{path}.{name}')
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from holders(item, key, f'{path}[{i}]')
