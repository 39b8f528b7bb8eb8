"""Train a model of mmpretrain or mmsegmentation, with or without MLFM."""

import argparse
import sys
from pathlib import Path

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from mlfm_mm.engine import (
        build_runner,
        leave_together,
        one_sentence,
        prepare_training,
    )
    from mlfm_mm.engine.arguments import (
        add_config_options,
        add_run_options,
        read_arguments,
    )
    from mlfm_mm.engine.weights import weights_only
except ModuleNotFoundError as error:
    sys.exit(
        f'train.py: {error.name} is not installed for {sys.executable}: use '
        "the environment's Python (.venv/bin/python after `make venv`), or "
        "`pip install -e '.[onedl]'`"
    )


def parse_args() -> dict:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='the config file')
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
        '--signal',
        dest='signals',
        nargs='+',
        metavar='NAME',
        help='save and leave with code 75 at one of these signals, such as '
        'SIGUSR1 for `sbatch --signal=USR1@60` (default: SIGTERM)',
    )
    add_run_options(parser, 'logs and checkpoints')
    add_config_options(
        parser,
        "train_cfg.max_epochs=3 or 'model.backbone.out_indices=[2,3]'",
        partial=False,
    )
    return read_arguments(parser)


def main() -> None:
    """Train."""
    remedy = 'the same command with --resume goes on'
    with one_sentence('train.py', remedy):
        options = parse_args()
        with weights_only(options.pop('trust')):
            build_runner(prepare_training(**options)).train()
            leave_together()


if __name__ == '__main__':
    main()
