"""Train a model of mmpretrain or mmsegmentation, with or without MLFM."""

import argparse
import os
import sys
from pathlib import Path

from mmengine.config import DictAction

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.engine import UsageError, build_runner, prepare_training


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='the config file')
    parser.add_argument(
        '--work-dir',
        metavar='DIR',
        help='where to save logs and checkpoints (default: work_dir of the '
        'config, else work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='resume from this checkpoint, or without one, from the latest '
        'in the work folder',
    )
    parser.add_argument(
        '--amp',
        action='store_true',
        help='automatic mixed precision (bfloat16 on a CPU)',
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate with the batch size of all processes',
    )
    parser.add_argument(
        '--no-validate',
        action='store_true',
        help='do not validate during training',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values of the config, such as train_cfg.max_epochs=3 '
        "or 'model.backbone.out_indices=[2,3]'",
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes (dist_train.sh: pytorch)',
    )
    parser.add_argument('--local-rank', '--local_rank', type=int, default=0)
    args = parser.parse_args()
    # Older launchers pass the local rank as an option only.
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main() -> None:
    """Train."""
    args = parse_args()
    try:
        runner = build_runner(prepare_training(args))
    except UsageError as error:
        sys.exit(f'train.py: {error}')
    runner.train()


if __name__ == '__main__':
    main()
