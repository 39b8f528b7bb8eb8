"""Mixed precision on a machine without GPU, where MMEngine has none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from .errors import UsageError
from .kinds import kind_of

# Arguments of MMEngine's wrapper that bfloat16 has no use for: its range is
# that of float32, so that no loss has to be scaled.
UNUSED = ('loss_scale', 'use_fsdp', 'dtype')
# Hosts whose heads make NumPy's arrays of predictions in training, which know
# no bfloat16.
WITHOUT_BFLOAT16 = ('mmpose',)


class CPUAmpOptimWrapper(OptimWrapper):
    """Mixed precision in bfloat16 on the CPU.

    MMEngine's ``AmpOptimWrapper`` refuses to be built without an
    accelerator. This one casts to bfloat16, the only type that its
    ``autocast`` supports on the CPU. Configs name it by its whole path,
    which needs no registration.

    Args:
        **kwargs: Arguments of :class:`mmengine.optim.OptimWrapper`.

    Example:
        >>> model = nn.Linear(2, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> wrapper = CPUAmpOptimWrapper(optimizer=optimizer)
        >>> with wrapper.optim_context(model):
        ...     model(torch.zeros(1, 2)).dtype
        torch.bfloat16
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Cast to bfloat16 within the context.

        Args:
            model (nn.Module): The model that is trained.
        """
        # Not MMEngine's autocast, which the compiler cannot follow here.
        cast = torch.autocast('cpu', dtype=torch.bfloat16)
        with super().optim_context(model), cast:
            yield


def enable_amp(cfg: Config) -> None:
    """Turn on automatic mixed precision.

    Args:
        cfg (Config): The config, changed in place.

    Raises:
        UsageError: If the config's optimizer wrapper cannot do it.

    Example:
        >>> cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper')))
        >>> enable_amp(cfg)
        >>> cfg.optim_wrapper
        {'type': 'AmpOptimWrapper', 'loss_scale': 'dynamic'}
    """
    wrapper = cfg.optim_wrapper
    if wrapper.get('constructor') and 'optimizer' not in wrapper:
        raise UsageError(
            f'--amp cannot be used with {wrapper.constructor}, which builds '
            'several optimizers: set the precision of each in the config'
        )
    wrapper.setdefault('type', 'OptimWrapper')
    kind = kind_of(wrapper, OPTIM_WRAPPERS, cfg.get('default_scope'))
    if kind not in (OptimWrapper, AmpOptimWrapper):
        raise UsageError(
            f'--amp cannot be used with optim_wrapper.type={wrapper.type!r}: '
            "it replaces 'OptimWrapper' only; set the precision in the config"
        )
    wrapper.type = 'AmpOptimWrapper'
    wrapper.setdefault('loss_scale', 'dynamic')


def adapt_amp(cfg: Config) -> None:
    """Let a config with mixed precision run without a GPU.

    Args:
        cfg (Config): The config, changed in place.

    Example:
        >>> cfg = Config(dict(optim_wrapper=dict(type='OptimWrapper')))
        >>> adapt_amp(cfg)
        >>> cfg.optim_wrapper.type
        'OptimWrapper'
    """
    wrapper = cfg.get('optim_wrapper') or ConfigDict()
    kind = kind_of(wrapper, OPTIM_WRAPPERS, cfg.get('default_scope'))
    if kind is not AmpOptimWrapper or get_device() != 'cpu':
        return
    for key in UNUSED:
        wrapper.pop(key, None)
    scope = cfg.get('default_scope')
    if scope in WITHOUT_BFLOAT16:
        wrapper.type = 'OptimWrapper'
        print_log(
            f'No GPU: full precision, as {scope} cannot train in bfloat16.',
            logger='current',
        )
        return
    wrapper.type = f'{__name__}.{CPUAmpOptimWrapper.__name__}'
    print_log('No GPU: mixed precision runs in bfloat16.', logger='current')
