"""Class folders whose images are decoded once and held in memory."""

from typing import Any

import mmcv

from ..registry import DATASETS
from .folders import FolderError
from .image_folder import ImageFolder


@DATASETS.register_module()
class DecodedImageFolder(ImageFolder):
    """Images of class folders, decoded once and held in memory.

    For small images and many epochs, where a decoder would cost more than
    the network. Each sample holds its image as ``img`` (H, W, 3) of uint8 in
    BGR, just as ``LoadImageFromFile`` leaves it, so that a pipeline begins
    with the transform after that one.

    Args:
        data_root (str): The folder; see :class:`ImageFolder`.
        every_nth_class (int): Keep every n-th class in sorted order.
            Defaults to 1, all.
        check (bool): Whether to decode the images, which refuses broken ones;
            else they are only listed, as :class:`ImageFolder` lists them.
            Defaults to True.
        **kwargs: Arguments of :class:`ImageFolder`.

    Raises:
        ValueError: If ``every_nth_class`` is below 1 or leaves fewer than
            two classes.
        FolderError: If an image cannot be decoded.

    Example:
        >>> dataset = DecodedImageFolder('data/pets')  # doctest: +SKIP
        >>> dataset[0]['img'].shape  # doctest: +SKIP
        (64, 64, 3)
    """

    def __init__(
        self,
        data_root: str,
        every_nth_class: int = 1,
        check: bool = True,
        **kwargs: Any,
    ) -> None:
        if every_nth_class < 1:
            raise ValueError(
                f'every_nth_class={every_nth_class} must be 1 or more'
            )
        self.every_nth_class = every_nth_class
        self.check = check
        super().__init__(data_root, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Find the images of the chosen classes and decode them.

        Returns:
            list[dict]: ``img``, ``gt_label``, ``img_path``, and the size
            as ``img_shape`` and ``ori_shape``, of each; without ``check``
            only path and label.
        """
        infos = super().load_data_list()
        step = self.every_nth_class
        classes = self._metainfo['classes'][::step]
        if len(classes) < 2:
            raise ValueError(
                f'every_nth_class={step} leaves {len(classes)} class of '
                f'{self.data_root}: a classifier needs two or more'
            )
        self._metainfo['classes'] = classes
        chosen = [
            dict(info, gt_label=info['gt_label'] // step)
            for info in infos
            if info['gt_label'] % step == 0
        ]
        return list(map(_decode, chosen)) if self.check else chosen


def _decode(info: dict) -> dict:
    path = info['img_path']
    image = mmcv.imread(path)
    if image is None:
        raise FolderError(f'{path} cannot be decoded: mend or remove it')
    size = image.shape[:2]
    return dict(info, img=image, img_shape=size, ori_shape=size)
