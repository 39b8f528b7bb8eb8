"""From a config file, and the options that all tools share, to a config."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from difflib import get_close_matches
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from types import ModuleType

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.hub import get_config
from mmengine.runner import Runner

from ..datasets.images import shorten
from .batch import SHARE_BATCH_SIZE
from .errors import UsageError
from .hosts import Host
from .kinds import set_hook
from .memory import add_memory
from .orientation import read_as_stored
from .outputs import check_folder

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
# What the Runner, the tools and the hosts read at the top of a config.
KNOWN_KEYS = {
    *list(signature(Runner.__init__).parameters)[1:],
    SHARE_BATCH_SIZE,
    'custom_imports',
    'find_unused_parameters',
    'model_wrapper_cfg',
    'runner_type',
    'sync_bn',
}
# Keys of the hosts' own configs that look like misspelt ones of these.
HOSTS_KEYS = {'gallery_dataloader', 'models', 'tta_model', 'tta_pipeline'}
# What a config may hold besides; its pipelines cannot be overridden.
NOT_MISSPELT = HOSTS_KEYS | {f'{s}_pipeline' for s in ('train', 'val', 'test')}


def load_config(
    path: str, overrides: dict | None = None, memory: bool = False
) -> Config:
    """Read a config file and override some of its values.

    Args:
        path (str): The config file, or that of an installed host, as
            ``'mmpretrain::resnet/resnet18_8xb32_in1k.py'``.
        overrides (dict, optional): Dotted keys and their values, as
            ``--cfg-options`` gives them. Defaults to None.
        memory (bool): Whether to add memory, before the overrides. Defaults
            to False.

    Returns:
        Config: The config.

    Raises:
        UsageError: If there is no such file, if it cannot be read, if a
            value cannot be set, or would not be read, if a key looks
            misspelt, or if a hook is none.
    """
    path = str(path)
    host, is_hosts, _ = path.partition('::')
    if is_hosts and find_spec(host) is None:
        # MMEngine would install it.
        raise UsageError(f'{path}: there is no package {host!r}')
    if not (is_hosts or Path(path).is_file()):
        raise UsageError(
            f'there is no config file {path!r}: check the path (this '
            "project's configs lie in configs/baseline and configs/mlfm)"
        )
    try:
        cfg = get_config(path) if is_hosts else Config.fromfile(path)
    except Exception as error:
        # A config is code, which may raise anything.
        raise UsageError(
            f'{path} cannot be read: {type(error).__name__}: {error}'
        ) from error
    if memory:
        cfg = add_memory(cfg)
    refuse_variables(cfg, overrides or {})
    try:
        # MMEngine takes `_delete_` out of what it is given.
        cfg.merge_from_dict(deepcopy(overrides or {}))
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(
            f'--cfg-options {overrides} does not fit {path}: {error}'
        ) from error
    check_keys(cfg)
    check_hooks(cfg)
    return cfg


def refuse_variables(cfg: Config, overrides: dict) -> None:
    """Refuse to set variables whose values a config has copied elsewhere.

    Args:
        cfg (Config): The config, without the overrides.
        overrides (dict): Dotted keys and their values.

    Raises:
        UsageError: Nothing would read a value; the message names what does.

    Example:
        >>> cfg = Config(dict(lr=1, optim_wrapper=dict(optimizer=dict(lr=1))))
        >>> refuse_variables(cfg, {'lr': 2})
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: --cfg-options lr=...: nothing reads
        it once the file is read: set optim_wrapper.optimizer.lr (a variable
        of your own needs another name)
    """
    read = {
        key: without_scopes(cfg[key])
        for key in KNOWN_KEYS
        if cfg.get(key) is not None
    }
    first = {name.partition('.')[0] for name in overrides}
    for name in sorted(first - KNOWN_KEYS - HOSTS_KEYS):
        value = without_scopes(cfg.get(name))
        copies = set(copies_of(read, name, value)) - {*overrides}
        if copies:
            raise UsageError(
                f'--cfg-options {name}=...: nothing reads it once the file is '
                f'read: set {shorten(sorted(copies, key=len))} (a variable of '
                'your own needs another name)'
            )


def without_scopes(value: object) -> object:
    """Leave out the scopes by which MMEngine marks what a host's base holds.

    It marks the outermost dicts only, and so not a copy within another.

    Example:
        >>> without_scopes([dict(type='Resize', _scope_='mmpretrain')])
        [{'type': 'Resize'}]
    """
    if isinstance(value, dict):
        kept = value.items()
        return {k: without_scopes(v) for k, v in kept if k != '_scope_'}
    if isinstance(value, list | tuple):
        return type(value)(map(without_scopes, value))
    return value


def copies_of(part: object, name: str, value: object) -> Iterator[str]:
    """Find where a config has copied a variable, or a key of its name.

    Numbers and words may be equal by chance; under another name, only lists
    and dicts count as copies.
    """
    if isinstance(part, list | tuple):
        part = dict(enumerate(part))
    if not isinstance(part, dict):
        return
    can_be_copied = isinstance(value, dict | list | tuple) and value
    for key, inner in part.items():
        is_named = key == name and value in (None, inner)
        if is_named or (can_be_copied and inner == value):
            yield str(key)
        else:
            for place in copies_of(inner, name, value):
                yield f'{key}.{place}'


def check_keys(cfg: Config) -> None:
    """Refuse keys that look like misspelt known ones.

    A config may hold variables of any name, so MMEngine does not complain
    about ``modle.head.num_classes=7``.

    Args:
        cfg (Config): The config.

    Raises:
        UsageError: If a key resembles a known one.

    Example:
        >>> check_keys(Config(dict(load_form='net.pth')))
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: nothing reads the key 'load_form':
        did you mean 'load_from'? (A variable of your own needs a name less
        alike.)
    """
    known = [cfg[key] for key in KNOWN_KEYS if isinstance(cfg.get(key), dict)]
    for key in sorted(set(cfg) - KNOWN_KEYS - NOT_MISSPELT):
        meant = get_close_matches(key, KNOWN_KEYS, 1, cutoff=0.8)
        # A config in pure Python holds what it imports, such as OptimWrapper;
        # others hold what several keys share, such as an evaluator.
        fine = isinstance(cfg[key], ModuleType | Callable)
        if meant and not (fine or any(_holds(d, cfg[key]) for d in known)):
            raise UsageError(
                f'nothing reads the key {key!r}: did you mean {meant[0]!r}? '
                '(A variable of your own needs a name less alike.)'
            )


def check_hooks(cfg: Config) -> None:
    """Refuse what is no hook, such as a letter of a word given for a list.

    Args:
        cfg (Config): The config.

    Raises:
        UsageError: An entry of its hooks is neither settings nor a hook.

    Example:
        >>> check_hooks(Config(dict(custom_hooks=['EMAHook'])))
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: custom_hooks[0]='EMAHook' is no
        hook: give dict(type=...) in a config file, since --cfg-options takes
        no dict
    """
    named, listed = cfg.get('default_hooks'), cfg.get('custom_hooks')
    if not isinstance(named, dict | None):
        raise UsageError(
            f'default_hooks={named!r}: give dict(NAME=dict(type=...))'
        )
    if not isinstance(listed, list | tuple | None):
        raise UsageError(f'custom_hooks={listed!r}: give [dict(type=...)]')
    given = {f'default_hooks.{k}': v for k, v in (named or {}).items() if v}
    given |= {f'custom_hooks[{i}]': v for i, v in enumerate(listed or ())}
    for place, hook in given.items():
        if not isinstance(hook, dict | Hook):
            raise UsageError(
                f'{place}={hook!r} is no hook: give dict(type=...) in a '
                'config file, since --cfg-options takes no dict'
            )


def _holds(settings: dict, value: object) -> bool:
    """Tell whether a variable may have been unpacked into some settings."""
    if not isinstance(value, dict):
        return False
    return all(k in settings and settings[k] == v for k, v in value.items())


def set_common_options(
    cfg: Config,
    host: Host,
    name: str,
    work_dir: str | None = None,
    launcher: str = 'none',
    timeout: float | None = None,
) -> None:
    """Set what training and testing have in common.

    Args:
        cfg (Config): The config, changed in place.
        host (Host): The host that the config is written for.
        name (str): The config's file, for the default work folder.
        work_dir (str, optional): Where to write. Defaults to None.
        launcher (str): What started the processes. Defaults to ``'none'``.
        timeout (float, optional): Seconds without a step after which several
            processes are ended. Defaults to None, what the config says, or
            the hook's default.

    Raises:
        UsageError: The work folder is empty, or it or one above is a file.
    """
    if work_dir == '':
        raise UsageError('--work-dir is empty: give a folder')
    cfg.launcher = launcher
    if launcher != 'none':
        given = {} if timeout is None else dict(timeout=timeout)
        set_hook(cfg, 'mlfm_mm.StallHook', **given)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = str(Path('work_dirs') / Path(name).stem)
    check_folder(Path(cfg.work_dir))
    for loader in LOADERS:
        if cfg.get(loader):
            set_loader_defaults(cfg[loader], host)
    if host.scope == 'mmseg':
        read_as_stored(cfg, LOADERS)


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
