"""Check every file of a config's data before training on it.

    python tools/analysis_tools/check_dataset.py CONFIG

It finds files that are empty or cannot be decoded, extreme sizes, labels that
are no class, classes without images, masks that do not fit their pictures, and
images that validation or test share with training. The exit status is 1 if
something was found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.registry import init_default_scope
from rich.console import Console
from rich.progress import track

from mlfm_mm.datasets.inspection import (
    EXTREME,
    Seen,
    judge,
    look_at,
)
from mlfm_mm.datasets.listing import (
    build_datasets,
    list_infos,
    turns_pictures,
)
from mlfm_mm.engine import find_host, one_sentence
from mlfm_mm.engine.arguments import (
    add_overrides,
    factor,
    make_parser,
    positive,
)
from mlfm_mm.engine.hooks.check_data import moved_classes
from mlfm_mm.engine.options import load_config
from mlfm_mm.engine.outputs import make_parent

# What was found, by kind and by split.
Report = dict[str, dict[str, list[str]]]
# The most findings of a kind that are printed.
SHOWN = 5


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('config', help='the config file')
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE.json',
        help='write all findings to this file',
    )
    parser.add_argument(
        '--jobs',
        type=positive,
        default=os.cpu_count(),
        help='processes (default: one for each processor)',
    )
    parser.add_argument(
        '--extreme',
        type=factor,
        default=EXTREME,
        metavar='TIMES',
        help='a side is extreme if it is more than so many times longer or '
        f'shorter than usual (default: {EXTREME:g})',
    )
    add_overrides(parser, 'train_dataloader.dataset.data_root=FOLDER')
    return parser.parse_args()


def look_at_all(infos: list[dict], split: str, jobs: int) -> list[Seen]:
    """Inspect all images of a split, by several processes."""
    with ProcessPoolExecutor(jobs) as pool:
        return list(
            track(
                pool.map(look_at, infos, chunksize=8),
                f'looking at {split}',
                len(infos),
                console=Console(stderr=True),
                transient=True,
            )
        )


def show(report: Report, splits: dict[str, list[Seen]]) -> None:
    """Print how many images there are and what was found."""
    for split, seen in splits.items():
        print(f'{split}: {len(seen)} images')
    for kind, found in report.items():
        for split, texts in found.items():
            print(f'{split}, {kind}: {len(texts)}')
            for text in texts[:SHOWN]:
                print(f'  {text}')
            if len(texts) > SHOWN:
                print(f'  and {len(texts) - SHOWN} more (--out names all)')
    if not report:
        print('nothing is wrong')


def check(args: argparse.Namespace) -> Report:
    """Check all files of a config, and print what was found.

    Args:
        args (Namespace): The options.

    Returns:
        Report: The findings.

    Raises:
        UsageError: The config cannot be used, or ``--out`` is no file.
        FolderError: The files of a data set are missing.
    """
    cfg = load_config(args.config, args.cfg_options)
    if args.out:
        make_parent(args.out, '.json')
    init_default_scope(find_host(cfg).scope)
    datasets, absent = build_datasets(cfg)
    splits = {
        split: look_at_all(list_infos(dataset), split, args.jobs)
        for split, dataset in datasets.items()
    }
    first, *others = datasets
    classes = datasets[first].metainfo.get('classes') or ()
    findings = judge(splits, classes, turns_pictures(cfg), args.extreme)
    moved = [
        ('label', split, f'{text} (in {first} and here)')
        for split in others
        for text in moved_classes(datasets[first], datasets[split])
    ]
    report: Report = defaultdict(lambda: defaultdict(list))
    for kind, split, text in [*absent, *findings, *moved]:
        report[kind][split].append(text)
    show(report, splits)
    if args.out:
        text = json.dumps(report, indent=2)
        args.out.write_text(text + '\n', encoding='utf-8')
        print(f'wrote {args.out}')
    return report


def main() -> None:
    """Check."""
    with one_sentence('check_dataset.py'):
        report = check(parse_args())
    sys.exit(1 if report else 0)


if __name__ == '__main__':
    main()
