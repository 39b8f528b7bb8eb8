"""What differs between the host libraries, in one table."""

from dataclasses import dataclass
from importlib.util import find_spec

from mmengine.config import Config

from .errors import UsageError


@dataclass(frozen=True)
class Host:
    """What the tools must know about a host library.

    Args:
        scope (str): Name of the library and of its registry scope.
        collates (bool): Whether its models take batches that are already
            stacked, so that data loaders need a ``collate_fn``.
        visualization_hook (str): The hook that draws predictions.
        draw_switch (str): The argument of that hook which turns it on.
        visualizer (str): The visualizer that the hook asks to draw.
    """

    scope: str
    collates: bool
    visualization_hook: str
    draw_switch: str
    visualizer: str


HOSTS = {
    host.scope: host
    for host in (
        Host(
            scope='mmpretrain',
            collates=True,
            visualization_hook='VisualizationHook',
            draw_switch='enable',
            visualizer='UniversalVisualizer',
        ),
        Host(
            scope='mmseg',
            collates=False,
            visualization_hook='SegVisualizationHook',
            draw_switch='draw',
            visualizer='SegLocalVisualizer',
        ),
    )
}
# The distributions that provide each host, to name in a message.
DISTRIBUTIONS = {
    'mmpretrain': 'onedl-mmpretrain (or mmpretrain)',
    'mmseg': 'onedl-mmsegmentation (or mmsegmentation)',
}


def find_host(cfg: Config) -> Host:
    """Find the host that a config is written for.

    Args:
        cfg (Config): A config with a ``default_scope``.

    Returns:
        Host: The entry of :data:`HOSTS`.

    Raises:
        UsageError: If the scope is missing or unknown, or if its library is
            not installed.

    Example:
        >>> from mmengine.config import Config
        >>> find_host(Config(dict(default_scope='mmpretrain'))).collates
        True
    """
    scope = cfg.get('default_scope')
    known = ' or '.join(repr(name) for name in HOSTS)
    if scope is None:
        raise UsageError(
            'the config has no default_scope: inherit a default_runtime.py '
            f'of the host library, or add default_scope = {known}'
        )
    if scope not in HOSTS:
        raise UsageError(
            f'default_scope={scope!r} is not known here: it must be {known}'
        )
    if find_spec(scope) is None:
        raise UsageError(
            f'default_scope={scope!r} needs a package that is not installed: '
            f'pip install {DISTRIBUTIONS[scope]}'
        )
    return HOSTS[scope]
