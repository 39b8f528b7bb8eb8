"""Compare two trained segmentors, one without memory and one with MLFM.

    python tools/analysis_tools/compare_segmentations.py \
        work_dirs/camvid/baseline work_dirs/camvid/mlfm

tests both and writes IoU by class (Markdown, CSV, JSON), the learning curves
and pictures side by side.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

# A clone need not be installed: its package lies above this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.config import Config

from mlfm_mm.analysis.machine import describe_machine, place
from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.runs import (
    Curve,
    find_checkpoint,
    read_config,
    read_curve,
)
from mlfm_mm.analysis.tables import Column, Table
from mlfm_mm.engine import UsageError, one_sentence
from segmentors import METRICS, Picture, Score, draw, evaluate, look

ARMS = {'baseline': 'baseline', 'mlfm': 'MLFM'}


def compare(
    folders: Mapping[str, Path],
    out: Path,
    pictures: int = 3,
    data_root: str | None = None,
) -> Table:
    """Compare two training runs, and write tables and pictures.

    Args:
        folders (Mapping[str, Path]): Work folders by the names of
            :data:`ARMS`.
        out (Path): Where to write.
        pictures (int): How many test pictures to show. Defaults to 3.
        data_root (str, optional): The data, if not where the configs say.
            Defaults to None.

    Returns:
        Table: The table that was written.

    Raises:
        UsageError: A folder holds no run, or the runs cannot be compared.
    """
    configs = {arm: read_config(folder) for arm, folder in folders.items()}
    check_arms(configs)
    check_data(configs, data_root)
    weights = {arm: find_checkpoint(f) for arm, f in folders.items()}
    curves = {arm: read_curve(f, 'mIoU') for arm, f in folders.items()}
    scores: dict[str, Score] = {}
    shown: list[Picture] = []
    for arm, cfg in configs.items():
        runner, scores[arm] = evaluate(cfg, weights[arm], data_root)
        look(runner, shown, pictures)
    table = tabulate(scores, caption(configs, curves, scores))
    out.mkdir(parents=True, exist_ok=True)
    table.save(
        out,
        'results',
        scores={arm: asdict(score) for arm, score in scores.items()},
        curves={arm: asdict(curve) for arm, curve in curves.items()},
        machine=describe_machine(),
    )
    plot_curves(
        {ARMS[arm]: curve for arm, curve in curves.items()},
        out / 'curves.png',
        Path(configs['mlfm'].filename).stem,
        'validation mIoU (%)',
        unit_of(configs['mlfm']),
    )
    palette = runner.test_dataloader.dataset.metainfo['palette']
    draw(shown, list(ARMS.values()), palette, out / 'predictions.png')
    return table


def check_arms(configs: Mapping[str, Config]) -> None:
    """Refuse folders in the wrong order, whose rows would be swapped."""
    for arm, cfg in configs.items():
        if ('MLFMNeck' in str(cfg.model)) != (arm == 'mlfm'):
            raise UsageError(
                f'the network of {cfg.filename} has '
                f'{"no " if arm == "mlfm" else ""}MLFMNeck: give first the '
                'work folder of the run without memory, then that with MLFM'
            )


def check_data(configs: Mapping[str, Config], data_root: str | None) -> None:
    """Refuse runs on different data.

    Args:
        configs (Mapping[str, Config]): The configs of both runs.
        data_root (str, optional): The data, if not where the configs say.

    Raises:
        UsageError: They name different data.
    """
    plain, mlfm = map(_data, configs.values())
    for key in sorted(plain.keys() | mlfm.keys()):
        one, other = plain.get(key), mlfm.get(key)
        moved = key.endswith('data_root')
        if one == other or (moved and data_root is not None):
            continue
        raise UsageError(
            f'the two runs are not on the same data: {key} is {one!r} '
            f'without memory and {other!r} with MLFM; give two runs that '
            'differ in the network only'
            + (', or --data FOLDER if the data were moved' if moved else '')
        )


def _data(cfg: Config) -> dict[str, Any]:
    """Gather what a config says of its data, by dotted keys."""
    found: dict[str, Any] = {}
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        dataset = (cfg.get(loader) or {}).get('dataset')
        found.update(_flatten(dataset, f'{loader}.dataset'))
    # Runs may be compared that were trained by different recipes.
    return {
        key: value
        for key, value in found.items()
        if not (key.startswith('train') and key.endswith('.pipeline'))
    }


def _flatten(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Go through the values of nested dicts."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flatten(part, f'{key}.{name}')
    else:
        yield key, value


def tabulate(scores: Mapping[str, Score], caption: str) -> Table:
    """Set the IoU of each class side by side.

    Args:
        scores (Mapping[str, Score]): The scores of both networks.
        caption (str): What one must know to read the table.

    Returns:
        Table: A row for each class and for the means.
    """
    columns = [Column('class', 'class')] + [
        Column(arm, f'{ARMS[arm]} IoU (%)', '{:.2f}'.format) for arm in scores
    ]
    names = scores['mlfm'].classes
    rows: list[dict[str, Any]] = [{'class': name} for name in names]
    rows += [{'class': f'**{name}**'} for name in METRICS]
    for arm, score in scores.items():
        values = [*score.iou, *(score.overall[name] for name in METRICS)]
        for row, value in zip(rows, values, strict=True):
            row[arm] = value
    return Table(columns, rows, caption)


def caption(
    configs: Mapping[str, Config],
    curves: Mapping[str, Curve],
    scores: Mapping[str, Score],
) -> str:
    """Say what was trained how, and which one ended higher.

    Args:
        configs (Mapping[str, Config]): The configs of both runs.
        curves (Mapping[str, Curve]): How they went.
        scores (Mapping[str, Score]): Their results.

    Returns:
        str: The caption.
    """
    lengths = [curve.last for curve in curves.values()]
    seeds = [cfg.get('randomness', {}).get('seed') for cfg in configs.values()]
    best = ', '.join(
        f'{ARMS[arm]} {curve.best:.2f} best and {curve.final:.2f} last'
        for arm, curve in curves.items()
    )
    gain = scores['mlfm'].overall['mIoU'] - scores['baseline'].overall['mIoU']
    side = 'above' if gain > 0 else 'below'
    return (
        f'Measured on the test pictures after {_both(lengths)} '
        f'{unit_of(configs["mlfm"])}s, one run each, seed {_both(seeds)}, '
        f'on {place(describe_machine())}. mIoU on the validation pictures: '
        f'{best}. MLFM ends {abs(gain):.2f} points of mIoU {side} the '
        'baseline; one seed tells no more than that.'
    )


def _both(values: Sequence[object]) -> str:
    """Name a value of both runs once if it is the same."""
    return ' and '.join(map(str, dict.fromkeys(values)))


def unit_of(cfg: Config) -> str:
    """Name what a run counts in its log."""
    return 'epoch' if cfg.train_cfg.get('max_epochs') else 'iteration'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('baseline', type=Path, help='work folder without')
    parser.add_argument('mlfm', type=Path, help='work folder with MLFM')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='where to write (default: compared/ in the folder with MLFM)',
    )
    parser.add_argument(
        '--pictures',
        type=int,
        default=3,
        metavar='N',
        help='how many pictures to show (default: %(default)s)',
    )
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        help='the data, if not where the configs say',
    )
    return parser.parse_args()


def main() -> None:
    """Compare."""
    args = parse_args()
    folders = dict(baseline=args.baseline, mlfm=args.mlfm)
    out = args.out or args.mlfm / 'compared'
    with one_sentence('compare_segmentations.py'):
        table = compare(folders, out, args.pictures, args.data)
    print(table.markdown())
    print(
        f'Saved in {out}: results.md, results.csv, results.json, curves.png '
        'and predictions.png.'
    )


if __name__ == '__main__':
    main()
