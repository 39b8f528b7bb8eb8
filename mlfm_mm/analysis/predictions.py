"""Pictures, their truth, and what segmentors see in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from mmseg.apis import inference_model, init_model
from PIL import Image

ARMS = {'baseline': 'baseline', 'mlfm': 'MLFM'}


def show(
    runs: Mapping[str, tuple[Path, Path]],
    cfg: Config,
    path: Path,
    count: int,
    data_root: str | None,
) -> None:
    """Draw pictures, their truth and what each network saw.

    Args:
        runs (Mapping[str, tuple[Path, Path]]): Config and weights by arm.
        cfg (Config): The config that names the test set.
        path (Path): The picture to write.
        count (int): How many rows, spread over the test set.
        data_root (str, optional): The data, if not where the config says.
    """
    dataset_cfg = cfg.test_dataloader.dataset
    if data_root is not None:
        dataset_cfg.data_root = data_root
    with DefaultScope.overwrite_default_scope('mmseg'):
        dataset = DATASETS.build(dataset_cfg)
        models = [init_model(str(c), str(w), 'cpu') for c, w in runs.values()]
        rows = []
        for row in range(count):
            info = dataset.get_data_info(row * len(dataset) // count)
            truth = np.asarray(_read(info['seg_map_path']))
            seen = [
                np.asarray(
                    inference_model(m, info['img_path']).pred_sem_seg.data[0]
                )
                for m in models
            ]
            labels = [
                _paint(x, dataset.metainfo['palette']) for x in (truth, *seen)
            ]
            rows.append([np.asarray(_read(info['img_path'])), *labels])
    _draw(rows, ['picture', 'truth', *(ARMS[arm] for arm in runs)], path)


def _read(path: str) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image


def _paint(labels: np.ndarray, palette: Sequence[Sequence[int]]) -> np.ndarray:
    colors = np.zeros((256, 3), np.uint8)  # what is ignored stays black
    colors[: len(palette)] = palette
    return colors[labels.astype(np.uint8)]


def _draw(rows: list[list[np.ndarray]], titles: list[str], path: Path) -> None:
    figure = Figure(
        figsize=(2.6 * len(titles), 2.05 * len(rows)),
        dpi=100,
        layout='constrained',
    )
    grid = figure.subplots(len(rows), len(titles), squeeze=False)
    for axes_row, images in zip(grid, rows, strict=True):
        for axes, image in zip(axes_row, images, strict=True):
            axes.imshow(image)
            axes.set_axis_off()
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title)
    figure.savefig(path)
