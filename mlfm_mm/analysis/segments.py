"""Test segmentors: IoU by class, and pictures of what they predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mmcv
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric

from ..engine import build_runner, prepare_testing
from ..engine.testing import iou_metrics_of
from .samples import spread_over
from .tables import Column, Table

METRICS = ('mIoU', 'mAcc', 'aAcc')
# What a config's own metric says of how to count.
KEPT = ('ignore_index', 'nan_to_num')


class ClassIoU(IoUMetric):
    """An ``IoUMetric`` that keeps the IoU of each class.

    Args:
        **kwargs: Of ``mmseg.IoUMetric``.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the metrics, and keep the IoU of each class."""
        areas = [sum(part) for part in zip(*results, strict=True)]
        found = self.total_area_to_metrics(*areas, self.metrics)
        self.by_class = [100 * float(iou) for iou in found['IoU']]
        return super().compute_metrics(results)


@dataclass(frozen=True)
class Score:
    """The test results of a segmentor.

    Args:
        classes (tuple[str, ...]): Names of the classes.
        iou (list[float]): IoU of each, in percent.
        overall (dict[str, float]): mIoU, mAcc and aAcc in percent.
        checkpoint (str): Name of the file with the weights.
    """

    classes: tuple[str, ...]
    iou: list[float]
    overall: dict[str, float]
    checkpoint: str


@dataclass
class Picture:
    """A test picture and the classes of its pixels.

    Args:
        image (np.ndarray): The picture (H, W, 3).
        truth (np.ndarray): Its true classes (H, W).
        predicted (list[np.ndarray]): Those of each network (H, W).
    """

    image: np.ndarray
    truth: np.ndarray
    predicted: list[np.ndarray] = field(default_factory=list)


def evaluate(
    cfg: Config,
    checkpoint: Path,
    data_root: str | None,
    allow_partial: bool = False,
) -> tuple[Runner, Score]:
    """Test a segmentor.

    Args:
        cfg (Config): The config in its work folder.
        checkpoint (Path): Its weights.
        data_root (str, optional): The data, if not where the config says.
        allow_partial (bool): Whether the weights may fit only in part.
            Defaults to False.

    Returns:
        tuple[Runner, Score]: The runner, and the result on its test set.
    """
    options = {}
    if data_root is not None:
        options['test_dataloader.dataset.data_root'] = data_root
    cfg = prepare_testing(
        cfg.filename,
        str(checkpoint),
        cfg_options=options,
        work_dir=str(checkpoint.parent / 'compared' / 'test'),
        allow_partial=allow_partial,
    )
    own = next(iter(iou_metrics_of(cfg)), {})
    kept = {key: own[key] for key in KEPT if key in own}
    cfg.test_evaluator = dict(type=ClassIoU, iou_metrics=['mIoU'], **kept)
    runner = build_runner(cfg, 'segments')
    overall = runner.test()
    (metric,) = runner.test_evaluator.metrics
    score = Score(
        tuple(metric.dataset_meta['classes']),
        metric.by_class,
        {name: float(overall[name]) for name in METRICS},
        checkpoint.name,
    )
    return runner, score


@torch.no_grad()
def add_predictions(
    runner: Runner, pictures: list[Picture], number: int
) -> None:
    """Add what a network predicts for some pictures of its test set.

    Args:
        runner (Runner): The runner that tested it.
        pictures (list[Picture]): With the predictions of the networks before
            it; filled by the first one.
        number (int): How many pictures, spread over the test set.
    """
    dataset = runner.test_dataloader.dataset
    for i, index in enumerate(spread_over(range(len(dataset)), number)):
        batch = {name: [value] for name, value in dataset[index].items()}
        (sample,) = runner.model.test_step(batch)
        if len(pictures) <= i:
            image = mmcv.imread(sample.img_path, channel_order='rgb')
            pictures.append(Picture(image, _labels(sample.gt_sem_seg)))
        pictures[i].predicted.append(_labels(sample.pred_sem_seg))


def _labels(pixels: PixelData) -> np.ndarray:
    # A mask of one channel comes as floating-point numbers.
    return pixels.data[0].long().cpu().numpy()


def tabulate(scores: Mapping[str, Score]) -> Table:
    """Tabulate the networks' IoU by class.

    Args:
        scores (Mapping[str, Score]): The scores of each network.

    Returns:
        Table: A row for each class and for the means.
    """
    columns = [Column('class', 'class')] + [
        Column(name, f'{name} IoU (%)', '{:.2f}'.format) for name in scores
    ]
    first = next(iter(scores.values()))
    rows: list[dict] = [{'class': name} for name in first.classes]
    rows += [{'class': f'**{name}**'} for name in METRICS]
    for name, score in scores.items():
        values = [*score.iou, *(score.overall[metric] for metric in METRICS)]
        for row, value in zip(rows, values, strict=True):
            row[name] = value
    weights = ', '.join(f'{n} {s.checkpoint}' for n, s in scores.items())
    return Table(columns, rows, f'On the test pictures: {weights}.')


def draw(
    pictures: Sequence[Picture],
    names: Sequence[str],
    classes: Mapping[str, Sequence[int]],
    path: Path,
) -> None:
    """Draw pictures, their ground truth and each network's predictions.

    Args:
        pictures (Sequence[Picture]): The rows.
        names (Sequence[str]): The networks.
        classes (Mapping[str, Sequence[int]]): The colour of each class.
        path (Path): The file to write.
    """
    colors = np.zeros((256, 3), np.uint8)  # what is ignored stays black
    colors[: len(classes)] = [*classes.values()]
    titles = ['picture', 'truth', *names]
    height, width = pictures[0].image.shape[:2]
    figure = Figure(
        figsize=(
            2.6 * len(titles),
            (2.6 * height / width + 0.1) * len(pictures) + 0.8,
        ),
        dpi=100,
        layout='constrained',
    )
    grid = figure.subplots(len(pictures), len(titles), squeeze=False)
    for axes_row, picture in zip(grid, pictures, strict=True):
        labels = (picture.truth, *picture.predicted)
        shown = [picture.image, *(colors[x] for x in labels)]
        for axes, image in zip(axes_row, shown, strict=True):
            axes.imshow(image)
            axes.set_axis_off()
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title)
    _name_colors(figure, pictures, classes)
    figure.savefig(path)


def _name_colors(
    figure: Figure,
    pictures: Sequence[Picture],
    classes: Mapping[str, Sequence[int]],
) -> None:
    """Add a legend of the classes that occur, below the pictures."""
    present = set[int]()
    for picture in pictures:
        for labels in (picture.truth, *picture.predicted):
            present.update(np.unique(labels).tolist())
    patches = [
        Patch(color='#{:02x}{:02x}{:02x}'.format(*color), label=name)
        for index, (name, color) in enumerate(classes.items())
        if index in present
    ]
    figure.legend(handles=patches, loc='outside lower center', ncols=6)
