"""Strip a checkpoint to what others need: its weights, in half precision.

    python tools/model_converters/publish_model.py epoch_30.pth weights.pth

Optimizer, schedules and logs go; the data set's class names stay, or are given
in words by --class-names. Loaded into a network, the weights become single
precision again. Tensors with values too large for half precision stay.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.engine import UsageError, one_sentence
from mlfm_mm.engine.arguments import add_trust, make_parser
from mlfm_mm.engine.outputs import check_apart, make_parent, whole_file
from mlfm_mm.engine.weights import read_checkpoint, weights_only


def publish(
    checkpoint: dict[str, Any], half: bool, names: dict[str, str]
) -> dict[str, Any]:
    """Strip a checkpoint.

    Args:
        checkpoint (dict): What a Runner saved.
        half (bool): Whether weights are kept in half precision, as far as
            it can hold them.
        names (dict[str, str]): New names of classes by their old ones.

    Returns:
        dict: Its ``state_dict``, and ``meta`` with the classes and versions.

    Raises:
        UsageError: It is not what a Runner saved.

    Example:
        >>> state = dict(weight=torch.ones(1), count=torch.tensor(3))
        >>> kept = publish(dict(state_dict=state, optimizer={}), True, {})
        >>> dict(kept['state_dict'])
        {'weight': tensor([1.], dtype=torch.float16), 'count': tensor(3)}
    """
    if 'state_dict' not in checkpoint:
        raise UsageError('it has no state_dict: give what a Runner saved')
    meta = checkpoint.get('meta', {})
    dataset = dict(meta.get('dataset_meta') or {})
    if 'classes' in dataset:
        found = dataset['classes']
        dataset['classes'] = [names.get(name, name) for name in found]
    kept = {'dataset_meta': dataset} if dataset else {}
    for key in ('epoch', 'seed', 'mmengine_version'):
        if key in meta:
            kept[key] = meta[key]
    given = checkpoint['state_dict']
    state: Any = OrderedDict(
        (key, (halved(x) if half else x).contiguous())
        for key, x in given.items()
    )
    # By it, options for which the weights were not trained are noticed.
    state._metadata = getattr(given, '_metadata', {})
    return dict(state_dict=state, meta=kept)


def halved(x: torch.Tensor) -> torch.Tensor:
    """Halve the precision, unless that would make a value infinite.

    Example:
        >>> halved(torch.tensor([0.5])), halved(torch.tensor([1e6]))
        (tensor([0.5000], dtype=torch.float16), tensor([1000000.]))
    """
    half = x.half() if x.is_floating_point() else x
    return x if (half.isfinite() != x.double().isfinite()).any() else half


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('checkpoint', help='what a Runner saved')
    parser.add_argument('out', type=Path, help='the file to write')
    parser.add_argument(
        '--full', action='store_true', help='keep single precision'
    )
    parser.add_argument(
        '--class-names',
        type=Path,
        metavar='JSON',
        help='what classes are called, by the names of their folders',
    )
    add_trust(parser)
    return parser.parse_args()


def read_names(path: Path) -> dict[str, str]:
    """Read what classes are called."""
    try:
        names = json.loads(path.read_text('utf-8'))
    except (OSError, ValueError) as error:
        raise UsageError(f'--class-names {path}: {error}') from error
    are_words = isinstance(names, dict) and all(
        isinstance(name, str) for name in names.values()
    )
    if not are_words:
        raise UsageError(
            f'--class-names {path}: it must be {{"folder": "words", ...}}'
        )
    return names


def main() -> None:
    """Read, strip, write."""
    with one_sentence('publish_model.py'):
        args = parse_args()
        check_apart(args.out, args.checkpoint)
        names = read_names(args.class_names) if args.class_names else {}
        with weights_only(args.trust):
            checkpoint = read_checkpoint(args.checkpoint)
        kept = publish(checkpoint, not args.full, names)
        make_parent(args.out)
        with whole_file(args.out) as part:
            torch.save(kept, part)
        large = [
            key
            for key, x in kept['state_dict'].items()
            if x.is_floating_point() and x.dtype != torch.float16
        ]
        if large and not args.full:
            print(
                'kept in full precision, as half would make them infinite: '
                f'{", ".join(large)}'
            )
        print(f'wrote {args.out}, {args.out.stat().st_size / 1e6:.2f} MB')


if __name__ == '__main__':
    main()
