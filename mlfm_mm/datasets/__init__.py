"""Datasets; those built on a host exist where the host is installed."""

from importlib.util import find_spec

from .folders import FolderContents, FolderError, scan_folder

__all__ = ['FolderContents', 'FolderError', 'scan_folder']

if find_spec('mmpretrain') is not None:
    from .digits import Digits
    from .image_folder import ImageFolder
    from .imagenet100 import ImageNet100

    __all__ += ['Digits', 'ImageFolder', 'ImageNet100']
