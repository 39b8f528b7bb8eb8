"""Differences between the two families of OpenMMLab distributions."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from mmengine.config.utils import MODULE2PACKAGE


def know_mmseg_by_its_module() -> None:
    """Let ``_base_ = 'mmseg::...'`` find onedl-mmsegmentation.

    MMEngine looks such bases up by the name of a distribution,
    ``mmsegmentation``, which the onedl family does not have; the name of the
    module serves both. The other hosts' two names are one and the same.

    Example:
        >>> know_mmseg_by_its_module()
        >>> from mmengine.config import Config
        >>> base = 'mmseg::_base_/models/fcn_unet_s5-d16.py'
        >>> Config.fromstring(f'_base_ = {base!r}', '.py').model.type
        'EncoderDecoder'
    """
    try:
        version('mmsegmentation')
    except PackageNotFoundError:
        MODULE2PACKAGE['mmseg'] = 'mmseg'
