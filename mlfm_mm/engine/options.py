"""From the options that all tools share to a config."""

from argparse import Namespace
from pathlib import Path

import torch
from mmengine.config import Config

from .errors import UsageError
from .hosts import Host

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def load_config(path: str, overrides: dict | None = None) -> Config:
    """Read a config file and override some of its values.

    Args:
        path (str): The config file.
        overrides (dict, optional): Dotted keys and their values, as
            ``--cfg-options`` gives them. Defaults to None.

    Returns:
        Config: The config.

    Raises:
        UsageError: If there is no such file, or if a key cannot be set.
    """
    if not Path(path).is_file():
        raise UsageError(
            f'there is no config file {path!r}: check the path (this '
            "project's configs lie in configs/baseline and configs/mlfm)"
        )
    cfg = Config.fromfile(path)
    try:
        cfg.merge_from_dict(overrides or {})
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(
            f'--cfg-options {overrides} does not fit {path}: {error}'
        ) from error
    return cfg


def check_checkpoint(path: str, option: str) -> None:
    """Refuse a checkpoint that does not exist.

    Args:
        path (str): A file, or an address that mmengine fetches
            (``https://``, ``open-mmlab://``, ...), which is not checked.
        option (str): The option or the key that it came from.

    Raises:
        UsageError: If there is no such file.

    Example:
        >>> check_checkpoint('https://example.org/net.pth', '--resume')
        >>> check_checkpoint('net.pth', '--resume')
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: --resume: there is no checkpoint
        'net.pth': check the path
    """
    if '://' in path or Path(path).is_file():
        return
    raise UsageError(
        f'{option}: there is no checkpoint {path!r}: check the path'
    )


def set_common_options(cfg: Config, args: Namespace, host: Host) -> None:
    """Set what training and testing have in common.

    Args:
        cfg (Config): The config, changed in place.
        args (Namespace): Has ``config``, ``work_dir`` and ``launcher``.
        host (Host): The host that the config is written for.
    """
    cfg.launcher = args.launcher
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(args.config).stem)
    for name in LOADERS:
        if cfg.get(name):
            set_loader_defaults(cfg[name], host)


def set_loader_defaults(loader: dict, host: Host) -> None:
    """Complete the settings of a data loader, keeping what is set.

    Args:
        loader (dict): The settings, changed in place.
        host (Host): The host; a segmentor's batches must stay lists, which
            its own preprocessor stacks, so that it gets no ``collate_fn``.
    """
    # Pinning is for copies to a GPU; without one, PyTorch warns about it.
    loader.setdefault('pin_memory', torch.cuda.is_available())
    # PyTorch refuses workers that persist where there are none.
    loader.setdefault('persistent_workers', loader.get('num_workers', 0) > 0)
    if host.collates:
        loader.setdefault('collate_fn', dict(type='default_collate'))
