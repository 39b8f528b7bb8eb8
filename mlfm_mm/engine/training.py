"""From the options of ``tools/train.py`` to a config ready to run."""

from mmengine.config import Config
from mmengine.hooks import LoggerHook
from mmengine.registry import HOOKS

from .amp import enable_amp
from .errors import UsageError
from .hooks import SafeCheckpointHook
from .hosts import find_host
from .kinds import WHOLE_WEIGHTS, find_hooks, is_kind, kind_of, set_hook
from .options import load_config, set_common_options
from .survival import protect
from .weights import check_checkpoint

# Numbers of train_cfg that count epochs or iterations.
LENGTHS = ('max_epochs', 'max_iters')


def prepare_training(
    config: str,
    *,
    memory: bool = False,
    work_dir: str | None = None,
    resume: str | None = None,
    amp: bool = False,
    auto_scale_lr: bool = False,
    no_validate: bool = False,
    cfg_options: dict | None = None,
    signals: list[str] | None = None,
    launcher: str = 'none',
    timeout: float | None = None,
) -> Config:
    """Read a config and apply the options to it.

    Args:
        config (str): The config file.
        memory (bool): Whether to add memory to the config. Defaults to False.
        work_dir (str, optional): Where to write. Defaults to None, which
            leaves it to the config.
        resume (str, optional): A checkpoint to resume from, ``'auto'`` for
            the latest one in the work folder. Defaults to None, which leaves
            it to the config.
        amp (bool): Whether to train in mixed precision. Defaults to False.
        auto_scale_lr (bool): Whether to scale the learning rate with the
            batch of all processes. Defaults to False.
        no_validate (bool): Whether to skip validation. Defaults to False.
        cfg_options (dict, optional): Dotted keys of the config and their
            values. Defaults to None.
        signals (list[str], optional): At which signals to save and leave.
            Defaults to None, which leaves it to the config, or to SIGTERM.
        launcher (str): What started the processes: ``'none'``,
            ``'pytorch'``, ``'slurm'`` or ``'mpi'``. Defaults to ``'none'``.
        timeout (float, optional): Seconds without a step after which several
            processes are ended. Defaults to None, 540.

    Returns:
        Config: The config, complete and checked.

    Raises:
        UsageError: If the options or the config cannot work.
    """
    cfg = load_config(config, cfg_options, memory)
    set_common_options(
        cfg, find_host(cfg), config, work_dir, launcher, timeout
    )
    if not cfg.get('train_cfg') or not cfg.get('train_dataloader'):
        raise UsageError(
            f'{config} does not say how to train: it needs train_cfg '
            'and train_dataloader (inherit a schedule and a dataset)'
        )
    if no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if amp:
        enable_amp(cfg)
    if auto_scale_lr:
        enable_auto_scale_lr(cfg)
    check_lengths(cfg)
    protect(cfg, signals)
    log_as_counted(cfg)
    set_resume(cfg, resume)
    if cfg.get('load_from'):
        option = '--resume' if resume else 'load_from in the config'
        check_checkpoint(cfg.load_from, option)
    return cfg


def check_lengths(cfg: Config) -> None:
    """Refuse a training of no length, and intervals that divide by zero.

    Args:
        cfg (Config): The config.

    Raises:
        UsageError: A number is less than 1.
    """
    given = {f'train_cfg.{key}': cfg.train_cfg.get(key) for key in LENGTHS}
    if cfg.get('val_dataloader'):
        interval = cfg.train_cfg.get('val_interval')
        given['train_cfg.val_interval'] = interval
    scale = cfg.get('auto_scale_lr')
    if isinstance(scale, dict) and scale.get('enable'):
        given['auto_scale_lr.base_batch_size'] = scale.get('base_batch_size')
    for place, value in given.items():
        if isinstance(value, int | float) and value < 1:
            raise UsageError(f'{place}={value} must be at least 1')


def enable_auto_scale_lr(cfg: Config) -> None:
    """Scale the learning rate with the batch size of all processes.

    Args:
        cfg (Config): The config, changed in place.

    Raises:
        UsageError: If the config does not say for which batch size its
            learning rate was chosen.
    """
    if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
        raise UsageError(
            '--auto-scale-lr needs the batch size that the learning rate '
            'was chosen for: add auto_scale_lr = dict(base_batch_size=...) '
            'to the config'
        )
    cfg.auto_scale_lr.enable = True


def log_as_counted(cfg: Config) -> None:
    """Log the scores of a run by iterations at these, not all at epoch 0.

    Args:
        cfg (Config): The config, changed in place unless it says how.
    """
    logger = cfg.default_hooks.get('logger', dict(type='LoggerHook'))
    scope = cfg.get('default_scope')
    if not cfg.train_cfg.get('max_iters') or not logger:
        return
    # A child of it may not know the option.
    if kind_of(logger, HOOKS, scope) is LoggerHook:
        cfg.default_hooks.logger = {'log_metric_by_epoch': False, **logger}


def set_resume(cfg: Config, resume: str | None) -> None:
    """Set where to resume from.

    Args:
        cfg (Config): The config, changed in place; a checkpoint to resume
            from, but not weights to start from, must be of its own network.
        resume (str, optional): A checkpoint, ``'auto'`` for the latest one
            in the work folder, or None to follow the config.
    """
    checkpoint = cfg.default_hooks.get('checkpoint') or {}
    if resume == 'auto' and is_kind(
        checkpoint, SafeCheckpointHook, HOOKS, cfg.get('default_scope')
    ):
        # Weights for a folder without checkpoints. The config that a resumed
        # run wrote has them in start_from only.
        start = cfg.get('load_from') or checkpoint.get('start_from')
        cfg.default_hooks.checkpoint.start_from = start
    if resume is not None:
        cfg.resume = True
        cfg.load_from = None if resume == 'auto' else resume
    if cfg.get('resume') and not find_hooks(cfg, WHOLE_WEIGHTS):
        set_hook(cfg, WHOLE_WEIGHTS, only_resume=True)
