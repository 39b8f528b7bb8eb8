"""Divide the batch of a step between the processes."""

from mmengine.config import Config
from mmengine.logging import print_log

from .errors import UsageError

SHARE_BATCH_SIZE = 'share_batch_size'


def shared_batch(cfg: Config) -> int:
    """Get the batch of all processes; 0 if the config counts by process."""
    loader = cfg.get('train_dataloader')
    return loader.batch_size if cfg.get(SHARE_BATCH_SIZE) and loader else 0


def share_batch_size(cfg: Config, processes: int) -> None:
    """Divide the batch between the processes, where the config asks for it.

    In OpenMMLab, ``train_dataloader.batch_size`` counts the images of one
    process. With ``share_batch_size = True`` in the config, it counts those of
    all processes, so that any number of them trains by the same recipe.

    Args:
        cfg (Config): The config, changed in place; it loses the key, since
            its batch size is then that of a process.
        processes (int): How many processes train.

    Raises:
        UsageError: If the batch cannot be shared out equally.

    Example:
        >>> loader = dict(batch_size=128)
        >>> cfg = Config(dict(share_batch_size=True, train_dataloader=loader))
        >>> share_batch_size(cfg, 8)
        >>> cfg.train_dataloader.batch_size, 'share_batch_size' in cfg
        (16, False)
    """
    total = shared_batch(cfg)
    if processes == 1 or not total:
        return
    if total % processes:
        raise UsageError(
            f'train_dataloader.batch_size={total} is the batch of all '
            'processes (share_batch_size = True) and cannot be shared out '
            f'equally to {processes}: start another number of processes, or '
            f'set a multiple of {processes} (with --auto-scale-lr)'
        )
    cfg.train_dataloader.batch_size = total // processes
    cfg.pop(SHARE_BATCH_SIZE)
    print_log(
        f'{total} images a step are shared out to {processes} processes: '
        f'{total // processes} each.',
        logger='current',
    )
