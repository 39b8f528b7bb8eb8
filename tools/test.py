"""Test a model of mmpretrain or mmsegmentation, with or without MLFM."""

import argparse
import os
import sys
from pathlib import Path

from mmengine.config import DictAction

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.engine import UsageError, build_runner, prepare_testing
from mlfm_mm.engine.testing import run_test


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='the config file')
    parser.add_argument('checkpoint', help='the weights, a file or address')
    parser.add_argument(
        '--work-dir',
        metavar='DIR',
        help='where to save logs and metrics (default: work_dir of the '
        'config, else work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--out',
        metavar='PATH',
        help='where to save predictions: a .pkl file in mmpretrain, a '
        'folder of images in mmseg',
    )
    parser.add_argument(
        '--out-item',
        choices=['pred', 'metrics'],
        help='what --out holds (default: pred); metrics go to a .json, '
        '.yaml or .pkl file',
    )
    parser.add_argument(
        '--show-dir',
        metavar='DIR',
        help='where to save images with the predictions drawn on them',
    )
    parser.add_argument(
        '--show',
        action='store_true',
        help='show such images in a window',
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help="test with augmentation, by the config's tta_model and "
        'tta_pipeline (mmpretrain: by flipping where it has none)',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values of the config, such as '
        'test_dataloader.batch_size=8',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes (dist_test.sh: pytorch)',
    )
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)
    args = parser.parse_args()
    # Older launchers pass the local rank as an option only.
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main() -> None:
    """Test."""
    args = parse_args()
    try:
        runner = build_runner(prepare_testing(args))
    except UsageError as error:
        sys.exit(f'test.py: {error}')
    run_test(runner, args)


if __name__ == '__main__':
    main()
