"""Predict for a picture, and draw the label or the mask on it."""

from __future__ import annotations

from pathlib import Path

import mmcv
import numpy as np
import torch
from mmcv.transforms import LoadAnnotations, LoadImageFromFile
from mmengine.config import Config
from mmengine.dataset import Compose, default_collate, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, TRANSFORMS, DefaultScope

from ..datasets.images import decodes
from .drawing import show_classes, show_segments
from .errors import UsageError
from .hosts import Host
from .kinds import find_datasets, is_kind, kind_of
from .outputs import check_apart, make_folder
from .weights import Checkpoint

# How a prediction is drawn.
SHOWS = dict(mmpretrain=show_classes, mmseg=show_segments)


def show_prediction(
    model: BaseModel, cfg: Config, host: Host, meta: dict, image: str, out: str
) -> str:
    """Predict, and draw the prediction on the picture.

    Args:
        model (BaseModel): A classifier or a segmentor.
        cfg (Config): Its config.
        host (Host): The host that the config is written for.
        meta (dict): May have ``classes`` and a ``palette``.
        image (str): The picture.
        out (str): The picture to write.

    Returns:
        str: The prediction in words.

    Raises:
        UsageError: If ``image`` or ``out`` is no picture, if they are one
            file, or if the network is of another host.
    """
    if host.scope not in SHOWS:
        raise UsageError(
            f'labels and masks are drawn here, for {host.scope} use '
            f'{host.inferencer}'
        )
    if Path(out).suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise UsageError(f'--out {out}: give a file that ends in .png or .jpg')
    check_apart(Path(out), image)
    make_folder(Path(out).parent)
    pixels = read_picture(image)
    with DefaultScope.overwrite_default_scope(host.scope), torch.no_grad():
        (sample,) = model.test_step(prepare(cfg, host, image))
        return SHOWS[host.scope](pixels, sample.cpu(), meta, out)


def read_picture(path: str) -> np.ndarray:
    """Read a picture.

    Args:
        path (str): The file.

    Returns:
        np.ndarray: RGB of shape (H, W, 3).

    Raises:
        UsageError: If there is no such file, or if it is no picture.
    """
    if not Path(path).is_file():
        raise UsageError(f'there is no picture {path!r}: check the path')
    if not decodes(path):
        raise UsageError(f'{path} is no picture that can be read')
    return mmcv.bgr2rgb(mmcv.imread(path))


def prepare(cfg: Config, host: Host, image: str) -> dict:
    """Pass a picture through the test pipeline.

    Args:
        cfg (Config): The config of a network.
        host (Host): The host that it is written for.
        image (str): The picture.

    Returns:
        dict: A batch of one picture, as the network's preprocessor takes it.

    Raises:
        UsageError: If the config does not say how an image is prepared.
    """
    steps = find_steps(cfg)
    # Rotated by its EXIF data, for the network as for the viewer.
    pixels = mmcv.imread(image)
    height, width = size = pixels.shape[:2]
    info = dict(img_path=image, img=pixels, img_shape=size, ori_shape=size)
    # A pose estimator looks into a box: here, the whole picture.
    box = np.array([[0, 0, width, height]], np.float32)
    info.update(bbox=box, bbox_score=np.ones(1, np.float32))
    inputs = Compose([step for step in steps if not _loads(step)])(info)
    return collate([inputs], host)


def find_steps(cfg: Config) -> list[dict]:
    """Find the transforms of the test pipeline.

    Args:
        cfg (Config): The config of a network.

    Returns:
        list[dict]: Their settings.

    Raises:
        UsageError: If the config does not say how an image is prepared.
    """
    if cfg.get('test_dataloader'):
        return find_datasets(cfg)[0]['pipeline']
    if cfg.get('test_pipeline'):
        return cfg.test_pipeline
    raise UsageError(
        'the config does not say how an image is prepared: it needs '
        'test_dataloader or test_pipeline'
    )


def collate(items: list[dict], host: Host) -> dict:
    """Make a batch of what a pipeline has packed.

    Args:
        items (list[dict]): The pictures.
        host (Host): The host.

    Returns:
        dict: The batch, as the host's preprocessor takes it.
    """
    return (default_collate if host.collates else pseudo_collate)(items)


def _loads(step: dict) -> bool:
    """Check whether a transform loads a colour image or annotations."""
    is_colour = step.get('color_type', 'color').startswith('color')
    kinds = (LoadImageFromFile,) if is_colour else ()
    return any(
        is_kind(step, kind, TRANSFORMS) for kind in (LoadAnnotations, *kinds)
    )


def find_names(cfg: Config, checkpoint: Checkpoint) -> dict:
    """Find the names of the classes.

    Args:
        cfg (Config): Its data set may have them.
        checkpoint (dict): The names in its ``meta`` take precedence.

    Returns:
        dict: May have ``classes`` and a ``palette``.
    """
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, dict) else {}
    old = {
        k.lower(): v for k, v in meta.items() if k in ('CLASSES', 'PALETTE')
    }
    found = meta.get('dataset_meta') or old
    if not found and cfg.get('test_dataloader'):
        dataset = find_datasets(cfg)[0]
        kind = kind_of(dataset, DATASETS)
        found = dataset.get('metainfo') or getattr(kind, 'METAINFO', {})
    kept = ('classes', 'palette')
    return {k: list(found[k]) for k in kept if found.get(k) is not None}
