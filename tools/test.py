"""Test a model of mmpretrain or mmsegmentation, with or without MLFM."""

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
        prepare_testing,
    )
    from mlfm_mm.engine.arguments import (
        add_config_options,
        add_run_options,
        read_arguments,
    )
    from mlfm_mm.engine.testing import run_test
    from mlfm_mm.engine.weights import weights_only
except ModuleNotFoundError as error:
    sys.exit(
        f'test.py: {error.name} is not installed for {sys.executable}: use '
        "the environment's Python (.venv/bin/python after `make venv`), or "
        "`pip install -e '.[onedl]'`"
    )


def parse_args() -> dict:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='the config file')
    parser.add_argument('checkpoint', help='the weights, a file or address')
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
    add_run_options(parser, 'logs and metrics')
    add_config_options(parser, 'test_dataloader.batch_size=8')
    return read_arguments(parser)


def main() -> None:
    """Test."""
    with one_sentence('test.py'):
        options = parse_args()
        with weights_only(options.pop('trust')):
            runner = build_runner(prepare_testing(**options))
            run_test(runner, options['out'], options['out_item'])
            leave_together()


if __name__ == '__main__':
    main()
