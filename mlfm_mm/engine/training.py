"""From the options of ``tools/train.py`` to a config ready to run."""

from argparse import Namespace

from mmengine.config import Config

from .errors import UsageError
from .hosts import find_host
from .options import check_checkpoint, load_config, set_common_options
from .survival import protect

AMP_WRAPPERS = ('OptimWrapper', 'AmpOptimWrapper')


def prepare_training(args: Namespace) -> Config:
    """Read the config and merge the options of the command line.

    Args:
        args (Namespace): The options of ``tools/train.py``.

    Returns:
        Config: The config, complete and checked.

    Raises:
        UsageError: If the options or the config cannot work.
    """
    cfg = load_config(args.config, args.cfg_options)
    set_common_options(cfg, args, find_host(cfg))
    if not cfg.get('train_cfg') or not cfg.get('train_dataloader'):
        raise UsageError(
            f'{args.config} does not say how to train: it needs train_cfg '
            'and train_dataloader (inherit a schedule and a dataset)'
        )
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        enable_amp(cfg)
    if args.auto_scale_lr:
        enable_auto_scale_lr(cfg)
    protect(cfg)
    set_resume(cfg, args.resume)
    if cfg.get('load_from'):
        option = '--resume' if args.resume else 'load_from in the config'
        check_checkpoint(cfg.load_from, option)
    return cfg


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
    kind = wrapper.get('type', 'OptimWrapper')
    if kind not in AMP_WRAPPERS:
        raise UsageError(
            f'--amp cannot be used with optim_wrapper.type={kind!r}: it '
            "replaces 'OptimWrapper' only; set the precision in the config"
        )
    wrapper.type = 'AmpOptimWrapper'
    wrapper.setdefault('loss_scale', 'dynamic')


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the batch size of all processes.

    Args:
        cfg (Config): The config, changed in place.

    Raises:
        UsageError: If the config does not say for which batch size its
            learning rate was chosen.
    """
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise UsageError(
            '--auto-scale-lr needs the batch size that the learning rate '
            'was chosen for: add auto_scale_lr = dict(base_batch_size=...) '
            'to the config'
        )
    cfg.auto_scale_lr.enable = True


def set_resume(cfg: Config, resume: str | None) -> None:
    """Say where to resume from.

    Args:
        cfg (Config): The config, changed in place.
        resume (str, optional): A checkpoint, ``'auto'`` for the latest one
            in the work folder, or None to follow the config.
    """
    if resume is None:
        return
    cfg.resume = True
    cfg.load_from = None if resume == 'auto' else resume
