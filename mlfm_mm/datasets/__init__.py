"""Datasets; those built on a host exist where the host is installed.

Of a folder of images, :mod:`folder_layout` finds splits and classes,
:mod:`folders` reads and divides them, :mod:`image_folder` is the dataset. What
to do with broken files is said by :mod:`unreadable`; :mod:`readable` lends it
to any dataset. :mod:`listing` and :mod:`inspection` check data before a run.
"""

from importlib import import_module
from importlib.util import find_spec

from .folders import FolderContents, FolderError, scan_folder
from .readable import ReadableDataset
from .texture import AddTexture

__all__ = [
    'AddTexture',
    'FolderContents',
    'FolderError',
    'ReadableDataset',
    'scan_folder',
]


def usable(module: str) -> bool:
    """Check whether a module of a host can be imported.

    mmseg may refuse the installed mmcv, which must not keep classifiers from
    training; it raises its own error when it is used.

    Example:
        >>> usable('json'), usable('no_such_host')
        (True, False)
    """
    try:
        import_module(module)
    except (AssertionError, ImportError):
        return False
    return True


if find_spec('mmpretrain') is not None:
    from .decoded_image_folder import DecodedImageFolder
    from .digits import Digits
    from .image_folder import ImageFolder
    from .imagenet100.dataset import ImageNet100

    __all__ += ['DecodedImageFolder', 'Digits', 'ImageFolder', 'ImageNet100']

if usable('mmseg.datasets'):
    from .camvid.dataset import CamVid

    __all__ += ['CamVid']
