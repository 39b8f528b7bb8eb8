"""Draw the inputs of the networks."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from torch import Tensor

from mlfm_mm import LowPass

TEXTURE = 'mlfm_mm.AddTexture'
MAX_CLASSES = 10


def save_pictures(cfg: Config, path: Path) -> None:
    """Draw a validation picture of each class, as the networks get it.

    If the config adds a texture, a first row shows the pictures without it;
    the last row shows the band that the memory gets after two low-passes.

    Args:
        cfg (Config): A config of the quickstart.
        path (Path): The picture to write.
    """
    dataset = cfg.val_dataloader.dataset
    rows = {'given': first_of_each_class(cfg, dataset)}
    plain = [t for t in dataset.pipeline if t.type != TEXTURE]
    if len(plain) < len(dataset.pipeline):
        bare = first_of_each_class(cfg, {**dataset, 'pipeline': plain})
        rows = {'without grain': bare, **rows}
    rows['low band'] = [low_band(picture) for picture in rows['given']]
    count = len(rows['given'])
    # Figure, not pyplot: it needs no display and leaves no state behind.
    figure = Figure(
        figsize=(count + 0.6, 1.15 * len(rows)), dpi=150, layout='constrained'
    )
    grid = figure.subplots(len(rows), count, squeeze=False)
    for axes, (name, pictures) in zip(grid, rows.items(), strict=True):
        axes[0].set_ylabel(name)
        for place, picture in zip(axes, pictures, strict=True):
            place.imshow(picture.flip(0).permute(1, 2, 0).numpy())  # BGR
            place.set(xticks=[], yticks=[])
    figure.savefig(path)


def low_band(picture: Tensor, levels: int = 2) -> Tensor:
    """Low-pass a picture, and bring the band to the picture's grey levels.

    Args:
        picture (Tensor): The picture, (3, H, W) of uint8.
        levels (int): The number of low-passes. Defaults to 2.

    Returns:
        Tensor: The band (3, H', W') of uint8.
    """
    band, low_pass = picture[None].float(), LowPass()
    for _ in range(levels):
        band = low_pass(band) / 2
    low, high = band.min(), band.max()
    # The band of a pale picture is pale: stretched, so that it can be seen.
    stretched = 255 * (band - low) / (high - low).clamp(min=1e-3)
    return stretched[0].to(picture.dtype)


def first_of_each_class(cfg: Config, settings: dict) -> list[Tensor]:
    """Take pictures of the first classes, in the order of the data set."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        dataset = DATASETS.build(settings)
    first: dict[int, int] = {}
    for index, label in enumerate(dataset.get_gt_labels()):
        first.setdefault(int(label), index)
    chosen = [first[label] for label in sorted(first)[:MAX_CLASSES]]
    return [dataset[index]['inputs'] for index in chosen]
