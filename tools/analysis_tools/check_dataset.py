"""Look at every file of a config's data before training on them.

    python tools/analysis_tools/check_dataset.py CONFIG

Named are files that are empty or cannot be decoded, extreme sizes, labels that
are no class, classes without images, masks that do not fit their pictures, and
images that validation or test share with training. The exit status is 1 where
something was found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.config import Config, DictAction
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope
from rich.console import Console
from rich.progress import track

from mlfm_mm.datasets import FolderError
from mlfm_mm.datasets.inspection import (
    EXTREME,
    Item,
    Report,
    Seen,
    judge,
    look_at,
)
from mlfm_mm.datasets.unreadable import UnreadablePolicy
from mlfm_mm.engine import UsageError, find_host
from mlfm_mm.engine.options import load_config

SPLITS = ('train', 'val', 'test')
# So many findings of a kind are shown.
SHOWN = 5


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='the config file')
    parser.add_argument(
        '--out', metavar='FILE.json', help='write all findings to this file'
    )
    parser.add_argument(
        '--jobs',
        type=int,
        default=os.cpu_count(),
        help='processes (default: one for each processor)',
    )
    parser.add_argument(
        '--extreme',
        type=float,
        default=EXTREME,
        metavar='TIMES',
        help='a side is extreme beyond so many times the usual one, or below '
        f'this part of it (default: {EXTREME:g})',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values of the config, such as '
        'train_dataloader.dataset.data_root=FOLDER',
    )
    return parser.parse_args()


def build_datasets(cfg: Config) -> tuple[dict[str, BaseDataset], Report]:
    """Build the data sets of a config, each once.

    Args:
        cfg (Config): A config of a host.

    Returns:
        tuple[dict[str, BaseDataset], Report]: Data sets by split; the test
        set is left out where it is the validation set. Which splits are not
        there, and why.

    Raises:
        FolderError: None is there.
    """
    configs: dict[str, dict] = {}
    for split in SPLITS:
        loader = cfg.get(f'{split}_dataloader')
        if loader and loader.dataset not in configs.values():
            configs[split] = loader.dataset
    built, report = {}, Report()
    for split, config in configs.items():
        try:
            built[split] = DATASETS.build(without_checks(config))
            built[split].full_init()
        except (FolderError, OSError) as error:
            report.add('not there', split, [str(error)])
    if not built:
        raise FolderError(next(iter(report.findings['not there'].values()))[0])
    return built, report


def without_checks(config: dict) -> dict:
    """Let a data set list its files, whatever is wrong with them."""
    config = deepcopy(config)
    for key in ('dataset', 'datasets'):
        inner = config.get(key, [])
        inner = inner if isinstance(inner, list) else [inner]
        if inner:
            changed = [without_checks(part) for part in inner]
            config[key] = changed if key == 'datasets' else changed[0]
    if 'pipeline' in config:
        config['pipeline'] = []
    kind = str(config.get('type'))
    if kind.rpartition('.')[0] == 'mlfm_mm':
        if kind != 'mlfm_mm.Digits':
            config['unreadable'] = 'skip'
        if kind == 'mlfm_mm.CamVid':
            config['check'] = False
    return config


def list_items(dataset: BaseDataset) -> list[Item]:
    """List the images of a data set, and the files that it leaves out."""
    policy = getattr(dataset, 'unreadable', None)
    left_out = policy.left_out if isinstance(policy, UnreadablePolicy) else []
    items = [Item(path, dict(img_path=path)) for path in left_out]
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        items.append(Item(str(info.get('img_path', index)), info))
    return items


def look_at_all(items: list[Item], split: str, jobs: int) -> list[Seen]:
    """Look at all images of a split, by several processes."""
    with ProcessPoolExecutor(jobs) as pool:
        return list(
            track(
                pool.map(look_at, items, chunksize=8),
                f'looking at {split}',
                len(items),
                console=Console(stderr=True),
                transient=True,
            )
        )


def turns_pictures(cfg: Config) -> bool:
    """Say whether pictures are turned as their cameras noted."""
    pipeline = cfg.train_dataloader.dataset.get('pipeline', [])
    loaders = [t for t in pipeline if 'LoadImage' in str(t.get('type'))]
    return any(t.get('color_type', 'color') == 'color' for t in loaders)


def show(report: Report, splits: dict[str, list[Seen]]) -> None:
    """Print how many images there are and what was found."""
    for split, seen in splits.items():
        print(f'{split}: {len(seen)} images')
    for kind, found in report.findings.items():
        for split, texts in found.items():
            print(f'{split}, {kind}: {len(texts)}')
            for text in texts[:SHOWN]:
                print(f'  {text}')
            if len(texts) > SHOWN:
                print(f'  and {len(texts) - SHOWN} more (--out names all)')
    if not report.findings:
        print('nothing is wrong')


def check(args: argparse.Namespace) -> Report:
    """Look at all files of a config, and print what was found.

    Args:
        args (Namespace): The options.

    Returns:
        Report: The findings.

    Raises:
        UsageError: The config cannot be used.
        FolderError: A data set is not there.
    """
    cfg = load_config(args.config, args.cfg_options)
    init_default_scope(find_host(cfg).scope)
    datasets, report = build_datasets(cfg)
    splits = {
        split: look_at_all(list_items(dataset), split, args.jobs)
        for split, dataset in datasets.items()
    }
    classes = next(iter(datasets.values())).metainfo.get('classes') or ()
    judge(report, splits, classes, turns_pictures(cfg), args.extreme)
    show(report, splits)
    if args.out:
        text = json.dumps(report.to_dict(), indent=2)
        Path(args.out).write_text(text + '\n', encoding='utf-8')
        print(f'wrote {args.out}')
    return report


def main() -> None:
    """Check."""
    args = parse_args()
    try:
        report = check(args)
    except (UsageError, FolderError, OSError) as error:
        sys.exit(f'check_dataset.py: {error}')
    sys.exit(1 if report.findings else 0)


if __name__ == '__main__':
    main()
