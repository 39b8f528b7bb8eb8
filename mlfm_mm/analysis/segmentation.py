"""Two segmentors side by side: numbers by class, curves and pictures."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mmengine.config import Config
from mmseg.evaluation import IoUMetric

from ..engine import UsageError, build_runner, prepare_testing
from .machine import describe_machine, place
from .plots import plot_curves
from .predictions import ARMS, show
from .runs import Curve, read_curve
from .tables import Column, Table

METRICS = ('mIoU', 'mAcc', 'aAcc')


class KeptIoU(IoUMetric):
    """IoU that remembers what it found for each class.

    Args:
        **kwargs: Of ``mmseg.IoUMetric``.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the metrics, and keep the IoU of each class."""
        metrics = super().compute_metrics(results)
        areas = [sum(part) for part in zip(*results, strict=True)]
        found = self.total_area_to_metrics(*areas, self.metrics)
        self.by_class = [100 * float(iou) for iou in found['IoU']]
        return metrics


@dataclass(frozen=True)
class Score:
    """How well a segmentor did.

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


def find_run(folder: Path) -> tuple[Path, Path]:
    """Find config and last weights in a work folder of ``tools/train.py``.

    Args:
        folder (Path): The work folder.

    Returns:
        tuple[Path, Path]: The config and the weights.

    Raises:
        UsageError: There is no config or no checkpoint.
    """
    configs = sorted(folder.glob('*.py'))
    last = folder / 'last_checkpoint'
    if len(configs) != 1 or not last.is_file():
        raise UsageError(
            f'{folder} holds {len(configs)} configs (*.py) and '
            f'{"a" if last.is_file() else "no"} last_checkpoint: give a work '
            'folder of tools/train.py'
        )
    # The folder may have been moved since.
    return configs[0], folder / Path(last.read_text().strip()).name


def score(
    config: Path, checkpoint: Path, work_dir: Path, data_root: str | None
) -> Score:
    """Test a segmentor.

    Args:
        config (Path): Its config.
        checkpoint (Path): Its weights.
        work_dir (Path): A folder for the log.
        data_root (str, optional): The data, if not where the config says.

    Returns:
        Score: The result on the config's test set.
    """
    options = {}
    if data_root is not None:
        options['test_dataloader.dataset.data_root'] = data_root
    args = Namespace(
        config=str(config),
        checkpoint=str(checkpoint),
        cfg_options=options,
        work_dir=str(work_dir),
        launcher='none',
        out=None,
        out_item=None,
        show=False,
        show_dir=None,
        tta=False,
    )
    runner = build_runner(prepare_testing(args))
    metric = KeptIoU(iou_metrics=['mIoU'])
    metric.dataset_meta = runner.test_dataloader.dataset.metainfo
    runner.test_evaluator.metrics[:] = [metric]
    overall = runner.test()
    return Score(
        tuple(metric.dataset_meta['classes']),
        metric.by_class,
        {name: float(overall[name]) for name in METRICS},
        checkpoint.name,
    )


def table_of(scores: Mapping[str, Score], caption: str) -> Table:
    """Set the IoU of each class side by side.

    Args:
        scores (Mapping[str, Score]): The scores by ``'baseline'`` and
            ``'mlfm'``.
        caption (str): What one must know to read the table.

    Returns:
        Table: A row for each class and for the means.
    """
    form = '{:.2f}'.format
    columns = [Column('class', 'class')]
    columns += [Column(arm, f'{ARMS[arm]} IoU (%)', form) for arm in scores]
    first = next(iter(scores.values()))
    rows = [
        {'class': name, **{arm: s.iou[i] for arm, s in scores.items()}}
        for i, name in enumerate(first.classes)
    ]
    rows += [
        {
            'class': f'**{name}**',
            **{arm: s.overall[name] for arm, s in scores.items()},
        }
        for name in METRICS
    ]
    return Table(columns, rows, caption)


def caption_of(
    scores: Mapping[str, Score], curves: Mapping[str, Curve], cfg: Config
) -> str:
    """Say what was trained how, and which one ended higher.

    Args:
        scores (Mapping[str, Score]): The scores.
        curves (Mapping[str, Curve]): The training runs.
        cfg (Config): The config of one of them.

    Returns:
        str: The caption.
    """
    seed = cfg.get('randomness', {}).get('seed')
    best = ', '.join(
        f'{ARMS[arm]} {curve.best:.2f} best and {curve.final:.2f} last'
        for arm, curve in curves.items()
    )
    gain = scores['mlfm'].overall['mIoU'] - scores['baseline'].overall['mIoU']
    side = 'above' if gain > 0 else 'below'
    return (
        f'Measured on the test pictures after {max(curves["mlfm"].score)} '
        f'epochs, one run each, seed {seed}, on '
        f'{place(describe_machine())}. mIoU on '
        f'the validation pictures: {best}. MLFM ends {abs(gain):.2f} points '
        f'of mIoU {side} the baseline; one seed tells no more than that.'
    )


def compare(
    folders: Mapping[str, Path],
    out: Path,
    pictures: int = 3,
    data_root: str | None = None,
) -> Table:
    """Compare two training runs, and write tables and pictures.

    Args:
        folders (Mapping[str, Path]): Work folders by ``'baseline'`` and
            ``'mlfm'``.
        out (Path): Where to write.
        pictures (int): How many test pictures to show. Defaults to 3.
        data_root (str, optional): The data, if not where the config says.
            Defaults to None.

    Returns:
        Table: The table that was written.
    """
    runs = {arm: find_run(folder) for arm, folder in folders.items()}
    curves = {
        arm: read_curve(folder, 'mIoU') for arm, folder in folders.items()
    }
    scores = {
        arm: score(*run, folders[arm] / 'compared', data_root)
        for arm, run in runs.items()
    }
    cfg = Config.fromfile(runs['mlfm'][0])
    table = table_of(scores, caption_of(scores, curves, cfg))
    out.mkdir(parents=True, exist_ok=True)
    table.save(
        out,
        'results',
        scores={arm: asdict(s) for arm, s in scores.items()},
        curves={arm: asdict(c) for arm, c in curves.items()},
    )
    plot_curves(
        {ARMS[arm]: curve for arm, curve in curves.items()},
        out / 'curves.png',
        Path(cfg.filename).stem,
        'validation mIoU (%)',
    )
    show(runs, cfg, out / 'predictions.png', pictures, data_root)
    return table


def read_results(folder: Path) -> str:
    """Read the table of a comparison, as Markdown.

    Args:
        folder (Path): Where it was written.

    Returns:
        str: The table with its caption, written anew from the JSON file.
    """
    content = json.loads((folder / 'results.json').read_text('utf-8'))
    scores = {
        arm: Score(**dict(values, classes=tuple(values['classes'])))
        for arm, values in content['scores'].items()
    }
    return table_of(scores, content['caption']).markdown().strip()
