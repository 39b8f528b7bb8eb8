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
        distribution (str): The package that provides it, for a message.
        visualization_hook (str): The hook that draws predictions.
        draw_switch (str): The argument of that hook which turns it on.
        visualizer (str): The visualizer that the hook asks to draw.
        inferencer (str): The host's own class that predicts for a picture.
        collates (bool): Whether its models take batches that are already
            stacked, so that data loaders need a ``collate_fn``. Defaults to
            False.
    """

    scope: str
    distribution: str
    visualization_hook: str
    draw_switch: str
    visualizer: str
    inferencer: str
    collates: bool = False


HOSTS = {
    host.scope: host
    for host in (
        Host(
            scope='mmpretrain',
            distribution='onedl-mmpretrain (or mmpretrain)',
            visualization_hook='VisualizationHook',
            draw_switch='enable',
            visualizer='UniversalVisualizer',
            inferencer='mmpretrain.ImageClassificationInferencer',
            collates=True,
        ),
        Host(
            scope='mmseg',
            distribution='onedl-mmsegmentation (or mmsegmentation)',
            visualization_hook='SegVisualizationHook',
            draw_switch='draw',
            visualizer='SegLocalVisualizer',
            inferencer='mmseg.apis.MMSegInferencer',
        ),
        Host(
            scope='mmdet',
            distribution='onedl-mmdetection (or mmdet)',
            visualization_hook='DetVisualizationHook',
            draw_switch='draw',
            visualizer='DetLocalVisualizer',
            inferencer='mmdet.apis.DetInferencer',
        ),
        Host(
            scope='mmrotate',
            distribution='onedl-mmrotate',
            visualization_hook='mmdet.DetVisualizationHook',
            draw_switch='draw',
            visualizer='RotLocalVisualizer',
            inferencer='mmdet.apis.DetInferencer',
        ),
        Host(
            scope='mmyolo',
            distribution='mmyolo',
            visualization_hook='mmdet.DetVisualizationHook',
            draw_switch='draw',
            visualizer='mmdet.DetLocalVisualizer',
            inferencer='mmdet.apis.DetInferencer',
        ),
        Host(
            scope='mmpose',
            distribution='mmpose',
            visualization_hook='PoseVisualizationHook',
            draw_switch='enable',
            visualizer='PoseLocalVisualizer',
            inferencer='mmpose.apis.MMPoseInferencer',
        ),
        Host(
            scope='mmaction',
            distribution='mmaction2',
            visualization_hook='VisualizationHook',
            draw_switch='enable',
            visualizer='ActionVisualizer',
            inferencer='mmaction.apis.MMAction2Inferencer',
        ),
    )
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
            f'pip install {HOSTS[scope].distribution}'
        )
    return HOSTS[scope]
