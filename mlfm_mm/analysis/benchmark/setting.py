"""The circumstances of a measurement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch

from ...engine import UsageError

DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16}
LAYOUTS = {
    'contiguous': torch.contiguous_format,
    'channels_last': torch.channels_last,
}
MODES = ('eager', 'compiled')
PHASES = {'infer': 'inference', 'train': 'training step'}


@dataclass(frozen=True)
class Setting:
    """How networks are run while they are measured.

    Args:
        phase (str): ``'infer'``, a forward pass without gradients, or
            ``'train'``: forward, backward and an update by SGD with
            momentum. Defaults to ``'infer'``.
        batch (int): Images in a batch. Defaults to 4.
        size (tuple[int, int]): Height and width. Defaults to (256, 256).
        dtype (str): ``'fp32'``, or ``'bf16'``: autocast to bfloat16.
            Defaults to ``'fp32'``.
        layout (str): ``'contiguous'`` or ``'channels_last'``. Defaults to
            ``'contiguous'``.
        mode (str): ``'eager'`` or ``'compiled'``. Defaults to ``'eager'``.
        device (str): ``'cpu'`` or ``'cuda'``. Defaults to ``'cpu'``.
        folded (bool): Whether norms are folded into the convolutions
            before them, for inference only. Defaults to False.

    Raises:
        UsageError: A value is unknown or too small.

    Example:
        >>> print(Setting(batch=2, size=(64, 64)))
        inference, batch 2, 64x64, fp32, contiguous, eager, cpu
    """

    phase: str = 'infer'
    batch: int = 4
    size: tuple[int, int] = (256, 256)
    dtype: str = 'fp32'
    layout: str = 'contiguous'
    mode: str = 'eager'
    device: str = 'cpu'
    folded: bool = False

    def __post_init__(self) -> None:
        for name, known in (
            ('phase', PHASES),
            ('dtype', DTYPES),
            ('layout', LAYOUTS),
            ('mode', MODES),
        ):
            value = getattr(self, name)
            if value not in known:
                raise UsageError(
                    f'--{name} {value} is unknown: give one of '
                    f'{", ".join(known)}'
                )
        for name, least in (('batch', self.batch), ('size', min(self.size))):
            if least < 1:
                raise UsageError(f'--{name} {least} is too small: give 1')

    def __str__(self) -> str:
        folded = ', norms folded' if self.folded else ''
        height, width = self.size
        return (
            f'{PHASES[self.phase]}{folded}, batch {self.batch}, '
            f'{height}x{width}, {self.dtype}, {self.layout}, {self.mode}, '
            f'{self.device}'
        )

    @property
    def training(self) -> bool:
        """bool: Whether training steps are measured."""
        return self.phase == 'train'

    @property
    def element_size(self) -> int:
        """int: Bytes of an element of a map."""
        return DTYPES[self.dtype].itemsize


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have.

    Args:
        device (str): ``'cpu'``, ``'cuda'`` or ``'cuda:1'``.

    Raises:
        UsageError: If it is none, or cannot be used.

    Example:
        >>> check_device('cpu')
    """
    kind = device.split(':')[0]
    if kind not in ('cpu', 'cuda'):
        raise UsageError(f'--device {device} is unknown: give cpu or cuda')
    if kind == 'cuda' and not torch.cuda.is_available():
        raise UsageError(
            f'--device {device}: this PyTorch finds no GPU; give --device cpu'
        )


def all_settings(
    phases: list[str], fold: bool = False, **choices: list
) -> Iterator[Setting]:
    """Combine choices.

    Args:
        phases (list[str]): The phases.
        fold (bool): Whether to measure inference with folded norms, too.
            Defaults to False.
        **choices (list): Lists of values for other fields of
            :class:`Setting`.

    Yields:
        Setting: Each combination, the phases of one together.

    Example:
        >>> for setting in all_settings(['infer', 'train'], batch=[1, 2]):
        ...     print(setting.phase, setting.batch)
        infer 1
        train 1
        infer 2
        train 2
    """
    for values in product(*choices.values()):
        fields = dict(zip(choices, values, strict=True))
        for phase in phases:
            yield Setting(phase, **fields)
            if fold and phase == 'infer':
                yield Setting(phase, folded=True, **fields)
