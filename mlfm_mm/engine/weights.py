"""Checkpoints: read without running code, loaded whole or not at all."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeAlias

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import CheckpointLoader
from mmengine.utils import digit_version
from torch import Tensor, nn

from ..datasets.images import shorten
from .errors import UsageError, explain
from .origin import origin

Checkpoint: TypeAlias = dict[str, object]

# Variables that force every torch.load, MMEngine's too, to read weights only
# or anything; indexed by ``trust``.
SWITCHES = (
    'TORCH_FORCE_WEIGHTS_ONLY_LOAD',
    'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD',
)
# The functions that unpickle numpy's arrays and numbers, and the old and the
# new name of their module.
BUILDERS = {
    '_reconstruct': np.ones(1).__reduce__()[0],
    'scalar': np.float64(1).__reduce__()[0],
}
NUMPY_MODULES = ('numpy.core.multiarray', 'numpy._core.multiarray')
# Types of arrays, other than of objects and records.
CODES = np.typecodes['AllInteger'] + np.typecodes['AllFloat'] + '?SU'
# Whose functions pickles refer to by name: logs to those that average, a
# schedule to the shape of its curve.
OWNERS = {HistoryBuffer: '', OneCycleParamScheduler: '_annealing_'}
# What torch.load raises for a file that is no checkpoint.
READING = (UnpicklingError, RuntimeError, EOFError, OSError, KeyError)


@contextmanager
def weights_only(trust: bool = False) -> Iterator[None]:
    """Let this process and its children read no checkpoint that runs code.

    A checkpoint is a pickle, which may call any function when it is read.
    PyTorch can read weights only, but MMEngine falls back to unpickling
    where that is refused. MMEngine's own checkpoints also hold logs and
    schedules, whose classes are added to PyTorch's safe globals here.

    Args:
        trust (bool): Whether to allow it all the same. Defaults to False.

    Example:
        >>> with weights_only():
        ...     os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD']
        '1'
    """
    before = {name: os.environ.pop(name, None) for name in SWITCHES}
    os.environ[SWITCHES[trust]] = '1'
    torch.serialization.add_safe_globals(harmless())
    try:
        yield
    finally:
        os.environ.pop(SWITCHES[trust])
        given = {k: v for k, v in before.items() if v is not None}
        os.environ.update(given)


def harmless() -> list[Any]:
    """List what MMEngine's own checkpoints hold besides tensors.

    Returns:
        list: Classes and functions that no file can misuse.
    """
    found: list[Any] = [*OWNERS, np.dtype, np.ndarray]
    found += {type(np.dtype(code)) for code in CODES}
    builders = list(BUILDERS.values())
    if digit_version(torch.__version__) < digit_version('2.6.0'):
        return [*found, *builders, getattr, bytes]
    for name, builder in BUILDERS.items():
        found += [(builder, f'{m}.{name}') for m in NUMPY_MODULES]
    found.append((_nothing, 'builtins.bytes'))
    return [*found, (_function, 'builtins.getattr')]


def _function(owner: object, name: str) -> object:
    """Replace ``getattr``, by which pickles refer to functions of a class."""
    start = OWNERS.get(owner) if isinstance(owner, type) else None
    if start is None or name not in vars(owner) or not name.startswith(start):
        raise UnpicklingError(f'GLOBAL getattr of {name!r} is not allowed')
    return getattr(owner, name)


def _nothing(*size: object) -> bytes:
    """Replace ``bytes``, by which pickles write what an empty array holds."""
    if size:
        raise UnpicklingError('GLOBAL bytes is not allowed')
    return b''


def read_checkpoint(path: str, option: str = 'checkpoint') -> Checkpoint:
    """Read a checkpoint to the CPU, by default without running code.

    Args:
        path (str): A file, or an address that mmengine fetches
            (``https://``, ``open-mmlab://``, ...).
        option (str): The option or the key that it came from. Defaults to
            ``'checkpoint'``.

    Returns:
        dict: What it holds.

    Raises:
        UsageError: If there is no such file, or if it cannot be read, or not
            without running code.

    Example:
        >>> read_checkpoint('net.pth', '--resume')
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: --resume: there is no checkpoint
        'net.pth': check the path
    """
    if '://' not in path and not Path(path).is_file():
        raise UsageError(
            f'{option}: there is no checkpoint {path!r}: check the path'
        )
    try:
        found = _read(path)
    except READING as error:
        raise UsageError(f'{option} {path!r}: {explain(error)}') from error
    if not isinstance(found, dict):
        raise UsageError(
            f'{option} {path!r} holds no weights but a {type(found).__name__}'
        )
    return found


def _read(path: str) -> object:
    trusted = SWITCHES[True] in os.environ
    with weights_only(trust=trusted):
        if '://' in path:
            return CheckpointLoader.load_checkpoint(path, 'cpu', 'silent')
        return torch.load(path, 'cpu', weights_only=not trusted)


def check_checkpoint(path: str, option: str = 'checkpoint') -> None:
    """Refuse a checkpoint that cannot be read, before anything is built.

    Args:
        path (str): A file, or an address, which is fetched when it is needed.
        option (str): The option or the key that it came from. Defaults to
            ``'checkpoint'``.

    Raises:
        UsageError: As :func:`read_checkpoint` does.

    Example:
        >>> check_checkpoint('https://example.org/net.pth')
    """
    if '://' not in path:
        read_checkpoint(path, option)


def weights_in(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """Get the weights in a checkpoint, without a wrapper's ``module.``.

    Args:
        checkpoint (dict): It has a ``state_dict``, or is one.

    Returns:
        dict[str, Tensor]: The weights by name.

    Example:
        >>> dict(weights_in({'state_dict': {'module.bias': torch.zeros(1)}}))
        {'bias': tensor([0.])}
    """
    found = checkpoint.get('state_dict', checkpoint)
    assert isinstance(found, dict)
    weights: Any = OrderedDict(_unwrapped(found))
    # What modules have noted, such as their versions.
    weights._metadata = _unwrapped(getattr(found, '_metadata', {}))
    return weights


def _unwrapped(named: dict) -> dict:
    return {re.sub(r'^module(\.|$)', '', k): v for k, v in named.items()}


def differences(model: nn.Module, checkpoint: Checkpoint) -> list[str]:
    """Load the weights that fit, and list what does not.

    Args:
        model (nn.Module): The model, perhaps wrapped.
        checkpoint (dict): Its weights.

    Returns:
        list[str]: What is missing, left over, or of another shape.

    Example:
        >>> differences(nn.Linear(1, 1), {'weight': torch.zeros(1, 1)})
        ['bias is missing']
    """
    inner: Any = model
    while is_model_wrapper(inner) or isinstance(inner, BaseTTAModel):
        inner = inner.module
    state = weights_in(checkpoint)
    try:
        missing, unexpected = inner.load_state_dict(state, strict=False)
    except RuntimeError as error:
        # The first line is a title.
        return [line.strip() for line in str(error).splitlines()[1:]]
    # Older checkpoints lack these, which nothing depends on.
    counters = ('num_batches_tracked', '_metadata')
    return [
        *(f'{n} is missing' for n in missing if not n.endswith(counters)),
        # Not a name, but what a neck says of the options of its units?
        *(n if ' ' in n else f'{n} is left over' for n in unexpected),
    ]


def load_whole(
    model: nn.Module,
    checkpoint: Checkpoint,
    what: str,
    allow_partial: bool = False,
    remedy: str = '--allow-partial to go on with what fits',
) -> None:
    """Load weights, and refuse those that do not fit the network exactly.

    Args:
        model (nn.Module): The network, perhaps wrapped.
        checkpoint (dict): Its weights.
        what (str): The file and the config, to name in a message.
        allow_partial (bool): Whether to load what fits, and to warn.
            Defaults to False.
        remedy (str): What else to do than to give another config. Defaults
            to the option of the tools that have it.

    Raises:
        UsageError: If the weights are those of another network.
    """
    found = differences(model, checkpoint)
    if not found:
        return
    message = (
        f'{what}: the weights belong to {origin(checkpoint)}: '
        f'{shorten(found, comma="; ")}.'
    )
    if not allow_partial:
        raise UsageError(
            f'{message} Give the config of that network, or {remedy}'
        )
    print_log(f'{message} Going on with what fits.', logger='current')
