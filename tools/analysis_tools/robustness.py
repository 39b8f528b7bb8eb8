"""Test trained networks on pictures that have lost something.

python tools/analysis_tools/robustness.py \
    --model plain plain.py plain_s0.pth plain_s1.pth \
    --model mlfm mlfm.py mlfm_s0.pth mlfm_s1.pth

Prints a table with a row for each corruption (low-pass, noise, blur, JPEG) and
a column for each network. The first network is the baseline; checkpoints of
several seeds are paired in the order in which they are given.
"""

import argparse
import json
import sys
from pathlib import Path

from mmengine.config import DictAction
from rich.console import Console

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.analysis.robustness import (
    CORRUPTIONS,
    FAMILIES,
    Scores,
    measure_robustness,
    tabulate,
)
from mlfm_mm.engine import UsageError


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--model',
        dest='models',
        action='append',
        nargs='+',
        required=True,
        metavar=('NAME', 'CONFIG'),
        help='a name, a config, and checkpoints trained by it',
    )
    parser.add_argument(
        '--only',
        nargs='+',
        choices=list(FAMILIES),
        default=list(FAMILIES),
        help='families of corruptions (default: all)',
    )
    parser.add_argument(
        '--out', type=Path, metavar='JSON', help='where to save the scores'
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override values of all configs, such as '
        'test_dataloader.dataset.data_root=FOLDER',
    )
    args = parser.parse_args()
    for model in args.models:
        if len(model) < 3:
            parser.error(
                f'--model {" ".join(model)}: give a name, a config and a '
                'checkpoint or more'
            )
    return args


def main() -> None:
    """Test, print, save."""
    args = parse_args()
    corruptions = tuple(c for c in CORRUPTIONS if c.family in args.only)
    try:
        scores: Scores = {
            name: [
                measure_robustness(config, path, corruptions, args.cfg_options)
                for path in checkpoints
            ]
            for name, config, *checkpoints in args.models
        }
    except UsageError as error:
        sys.exit(f'robustness.py: {error}')
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(scores, indent=1) + '\n')
    Console().print(tabulate(scores).rich())


if __name__ == '__main__':
    main()
