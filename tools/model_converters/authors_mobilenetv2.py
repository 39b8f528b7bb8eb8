"""Turn the MLFM authors' MobileNetV2-0.1 checkpoints into ours.

They published a plain network and one with the memory in its concat form.
The converted files load into ``configs/baseline/mobilenetv2_0.1_in100.py`` and
``configs/mlfm/mobilenetv2_0.1_concat_in100.py``, which they name:

    python tools/model_converters/authors_mobilenetv2.py SRC DST
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from torch import Tensor

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlfm_mm.datasets.images import shorten
from mlfm_mm.engine import UsageError, one_sentence
from mlfm_mm.engine.arguments import add_trust, make_parser
from mlfm_mm.engine.models import build_model
from mlfm_mm.engine.outputs import check_apart, make_parent
from mlfm_mm.engine.weights import (
    differences,
    read_checkpoint,
    weights_in,
    weights_only,
)
from mlfm_mm.openmmlab import own_config

State = dict[str, Tensor]

# Blocks of each stage; the plain network numbers them across stages.
BLOCKS = (1, 2, 3, 4, 3, 3, 1)
GATES = {
    'convinput': 'input_gate.conv',
    'bninput': 'input_gate.bn',
    'convsupplement': 'supplement_gate.conv',
    'bnsupplement': 'supplement_gate.bn',
    'bnx': 'output_gate',
}
# The published code stores its wavelet filters, which we compute.
IGNORED = re.compile(r'^dwt|\.dwt\.')


def convert(published: State) -> State:
    """Rename the published weights, and fold biases that a norm cancels.

    Args:
        published (dict[str, Tensor]): State dict of the authors' network.

    Returns:
        dict[str, Tensor]: State dict of an ``ImageClassifier``.

    Raises:
        KeyError: A name is not one of the authors' MobileNetV2.

    Example:
        >>> list(convert({'classifier.bias': torch.zeros(100)}))
        ['head.fc.bias']
    """
    kept = {k: v for k, v in published.items() if not IGNORED.search(k)}
    state = {rename(name): tensor for name, tensor in kept.items()}
    return _fold_biases(state)


def rename(name: str) -> str:
    """Get our model's name for a weight of the authors'.

    Args:
        name (str): The published name.

    Returns:
        str: Our name.

    Raises:
        KeyError: The name is not one of the authors' MobileNetV2.

    Example:
        >>> rename('features2.1.conv.3.weight')
        'backbone.layer3.1.conv.1.conv.weight'
        >>> rename('wavelet_1.bninput.bias')
        'neck.units.1.input_gate.bn.bias'
    """
    rules = (
        (r'classifier\.(.+)', lambda m: f'head.fc.{m[1]}'),
        (
            r'conv\.(\d)\.(.+)',
            lambda m: f'backbone.conv2.{_part(m[1])}.{m[2]}',
        ),
        (
            r'(?:featuresconv|features\.0)\.(\d)\.(.+)',
            lambda m: f'backbone.conv1.{_part(m[1])}.{m[2]}',
        ),
        (
            r'features(\d)\.(\d)\.conv\.(\d)\.(.+)',
            lambda m: _block(int(m[1]), int(m[2]), int(m[3]), m[4]),
        ),
        (
            r'features\.(\d+)\.conv\.(\d)\.(.+)',
            lambda m: _block(*_stage_of(int(m[1])), int(m[2]), m[3]),
        ),
        (
            r'wavelet_(conv|\d)\.(\w+)\.(.+)',
            lambda m: f'neck.units.{_unit(m[1])}.{GATES[m[2]]}.{m[3]}',
        ),
    )
    for pattern, ours in rules:
        match = re.fullmatch(pattern, name)
        if match:
            return ours(match)
    raise KeyError(
        f"{name!r} is not a weight of the authors' MobileNetV2; give "
        'their `mobilenetv2_x0.1` checkpoint, plain or with MLFM.'
    )


def _part(index: str) -> str:
    return {'0': 'conv', '1': 'bn'}[index]


def _block(stage: int, block: int, index: int, rest: str) -> str:
    # Published as conv, bn, relu, conv, bn, relu, conv, bn.
    name = f'backbone.layer{stage + 1}.{block}.conv.{index // 3}'
    return f'{name}.{_part(str(index % 3))}.{rest}'


def _stage_of(feature: int) -> tuple[int, int]:
    block = feature - 1
    for stage, blocks in enumerate(BLOCKS):
        if block < blocks:
            return stage, block
        block -= blocks
    raise KeyError(f'features.{feature} is beyond the last stage.')


def _unit(name: str) -> int:
    return 0 if name == 'conv' else int(name)


def _fold_biases(state: State) -> State:
    """Move the gates' biases, which we lack, into the norms behind them."""
    for gate in ('input_gate', 'supplement_gate'):
        for name in [k for k in state if k.endswith(f'{gate}.conv.bias')]:
            mean = name.replace('conv.bias', 'bn.running_mean')
            state[mean] = state[mean] - state.pop(name)
    return state


def origin_of(state: State) -> dict[str, str]:
    """Name the config that converted weights load into.

    Args:
        state (dict[str, Tensor]): The converted weights.

    Returns:
        dict[str, str]: The ``meta`` of the checkpoint, as MMEngine names a
        run and its config.

    Example:
        >>> origin_of({'head.fc.bias': torch.zeros(1)})['experiment_name']
        'mobilenetv2_0.1_in100'
    """
    has_memory = any(name.startswith('neck.') for name in state)
    folder, form = ('mlfm', '_concat') if has_memory else ('baseline', '')
    name = f'mobilenetv2_0.1{form}_in100'
    cfg = Config.fromfile(own_config(f'{folder}/{name}.py'))
    return dict(experiment_name=name, cfg=cfg.pretty_text)


def convert_file(src: Path, dst: Path) -> str:
    """Convert a checkpoint.

    Args:
        src (Path): The published file.
        dst (Path): The file to write.

    Returns:
        str: What has been written.

    Raises:
        UsageError: ``src`` is not one of the authors' checkpoints.
    """
    try:
        state = convert(weights_in(read_checkpoint(str(src), 'SRC')))
    except KeyError as error:
        raise UsageError(str(error.args[0])) from error
    meta = origin_of(state)
    check_apart(dst, src)
    make_parent(dst)
    # The network notes the options for which its weights were trained.
    model = build_model(Config.fromstring(meta['cfg'], '.py'))
    if found := differences(model, dict(state_dict=state)):
        raise UsageError(
            f'{src} is not the whole network: {shorten(found, comma="; ")}'
        )
    torch.save(dict(state_dict=model.state_dict(), meta=meta), dst)
    return f'{dst}: {len(state)} tensors of {meta["experiment_name"]}'


def main() -> None:
    """Convert one file."""
    parser = make_parser(__doc__)
    parser.add_argument('src', type=Path, help="the authors' checkpoint")
    parser.add_argument('dst', type=Path, help='the checkpoint to write')
    add_trust(parser)
    args = parser.parse_args()
    with one_sentence('authors_mobilenetv2.py'), weights_only(args.trust):
        print(convert_file(args.src, args.dst))


if __name__ == '__main__':
    main()
