"""Drawn predictions, each in a file named after its image."""

from collections.abc import Sequence
from logging import WARNING
from pathlib import Path

import mmcv
import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.registry import VISBACKENDS
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from mmengine.visualization import BaseVisBackend, LocalVisBackend

from .hosts import Host
from .kinds import is_kind, set_hook
from .ranks import read_ranks

# What the hooks of mmdet and mmpose call every picture.
NAMELESS = 'test_img'


class UniqueNames:
    """Number names that repeat.

    Example:
        >>> names = UniqueNames()
        >>> names.take('street'), names.take('street')
        ('street', 'street_2')
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """Take a name, which is free no more.

        Args:
            name (str): The name.

        Returns:
            str: Itself, or with the first number that makes it a free one.
        """
        found = name
        while found in self._taken:
            # The first of a name has no number.
            count = self._counts[name] = self._counts.get(name, 1) + 1
            found = f'{name}_{count}'
        self._taken.add(found)
        return found


class PictureBackend(BaseVisBackend):
    """Write the images that a visualizer draws, and nothing else.

    MMEngine's own backend writes ``0.png`` to
    ``vis_data/vis_image/test_0.png_1.png``. Configs name this one by its
    whole path, which needs no registration.

    Args:
        save_dir (str): The folder.

    Example:
        >>> backend = PictureBackend('shown')
        >>> backend.path_of('test_street.jpg').name
        'street.png'
        >>> backend.path_of('test_street.jpg').name  # of another folder
        'street_2.png'
    """

    def __init__(self, save_dir: str) -> None:
        super().__init__(save_dir)
        self._names = UniqueNames()
        # The images of the batch that are still to be drawn.
        self.waiting: list[str] = []

    def _init_env(self) -> None:
        """Nothing is needed before the first image."""

    @property
    def experiment(self) -> 'PictureBackend':
        """PictureBackend: itself, as it wraps no other library."""
        return self

    def path_of(self, name: str) -> Path:
        """Choose the file for an image.

        Args:
            name (str): What the host's hook calls it.

        Returns:
            Path: The file; images of the same name are numbered.
        """
        if name == NAMELESS and self.waiting:
            name = self.waiting.pop(0)
        stem = self._names.take(Path(name.removeprefix('test_')).stem)
        return Path(self._save_dir) / f'{stem}.png'

    def add_image(
        self, name: str, image: np.ndarray, step: int = 0, **kwargs: object
    ) -> None:
        """Write an image.

        Args:
            name (str): Its name.
            image (np.ndarray): RGB of shape (H, W, 3).
            step (int): Not used. Defaults to 0.
            **kwargs: Not used.
        """
        mmcv.imwrite(mmcv.rgb2bgr(image), str(self.path_of(name)))


class PictureNamesHook(Hook):
    """Tell :class:`PictureBackend` the images that a batch consists of.

    The hooks of mmdet and mmpose draw one picture of each, in their order, but
    call it ``test_img``.
    """

    priority = 'HIGH'  # before the hook that draws

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: Sequence[BaseDataElement] | None = None,
    ) -> None:
        """Note the names of the images.

        Args:
            runner (Runner): The runner, whose visualizer draws.
            batch_idx (int): Not used.
            data_batch (object): Not used. Defaults to None.
            outputs (Sequence, optional): The predictions. Defaults to None.
        """
        names = [Path(s.get('img_path') or '').name for s in outputs or ()]
        for backend in runner.visualizer._vis_backends.values():
            if isinstance(backend, PictureBackend):
                backend.waiting = list(names)


def draw_predictions(
    cfg: Config, host: Host, show: bool, show_dir: str | None
) -> None:
    """Turn on the hook that draws predictions.

    Args:
        cfg (Config): The config, changed in place.
        host (Host): The host that the config is written for.
        show (bool): Whether to open a window.
        show_dir (str, optional): Where to write pictures.
    """
    launcher = cfg.get('launcher', 'none')
    if launcher != 'none' and read_ranks(launcher)[0] > 1:
        # The hosts' visualizers do nothing in the others.
        print_log(
            'Of several processes only the first one draws, and only the '
            'images that it tests: to draw all, test in one process.',
            logger='current',
            level=WARNING,
        )
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    hook = dict(hooks.get('visualization') or {})  # None removes it
    hook.setdefault('type', host.visualization_hook)
    hook.update({host.draw_switch: True, 'show': show, 'interval': 1})
    hooks.visualization = hook
    visualizer = cfg.setdefault('visualizer', ConfigDict())
    visualizer.setdefault('type', host.visualizer)
    backends = visualizer.get('vis_backends') or [dict(type='LocalVisBackend')]
    if show_dir is not None:
        others = [
            settings
            for settings in backends
            if not is_kind(settings, LocalVisBackend, VISBACKENDS, host.scope)
        ]
        kind = f'{__name__}.{PictureBackend.__name__}'
        backends = [*others, dict(type=kind, save_dir=show_dir)]
        # MMEngine keeps one of a name, which draws where the first one did.
        visualizer.pop('name', None)
        set_hook(cfg, f'{__name__}.{PictureNamesHook.__name__}')
    visualizer.vis_backends = backends
