"""Read pictures and masks in the same orientation."""

from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.registry import TRANSFORMS

from .kinds import dicts, is_kind


def read_as_stored(cfg: Config, loaders: tuple[str, ...]) -> None:
    """Let a segmentor's data sets read pictures as they are stored.

    The loader of pictures applies their EXIF orientation, the loader of masks
    never does, so that the two would not match. A config's own ``color_type``
    is kept.

    Args:
        cfg (Config): The config of a segmentor, changed in place.
        loaders (tuple[str, ...]): The names of its data loaders.

    Example:
        >>> step = dict(type='LoadImageFromFile')
        >>> loader = dict(dataset=dict(pipeline=[step]))
        >>> cfg = Config(dict(train_dataloader=loader))
        >>> read_as_stored(cfg, ('train_dataloader', 'val_dataloader'))
        >>> cfg.train_dataloader.dataset.pipeline[0].color_type
        'color_ignore_orientation'
    """
    scope = cfg.get('default_scope')
    places = [cfg.get(name) for name in (*loaders, 'tta_pipeline')]
    for settings in dicts(places):
        if not is_kind(settings, LoadImageFromFile, TRANSFORMS, scope):
            continue
        # Turbojpeg knows no such type, and never turns a picture.
        if settings.get('imdecode_backend') != 'turbojpeg':
            settings.setdefault('color_type', 'color_ignore_orientation')
