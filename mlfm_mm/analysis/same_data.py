"""Check that runs can be compared: the same data, and seeds of one network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from ..engine import UsageError
from ..registry import bare_name


def check_data(
    configs: Mapping[str, Config], data_root: str | None = None
) -> None:
    """Raise an error if runs were on different data.

    Args:
        configs (Mapping[str, Config]): The runs' configs, by their folders.
        data_root (str, optional): Where the data are now; if given, the
            configs' own data roots may differ. Defaults to None.

    Raises:
        UsageError: The configs name different data.

    Example:
        >>> one, other = (
        ...     Config(dict(val_dataloader=dict(dataset=dict(split=split))))
        ...     for split in ('val', 'test')
        ... )
        >>> check_data({'a': one, 'b': one})
        >>> check_data({'a': one, 'b': other})
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: the runs are not on the same data:
        val_dataloader.dataset.split is 'val' in a and 'test' in b; give runs
        that differ in the network only, or --data FOLDER if the data were
        moved
    """
    ignored = () if data_root is None else ('data_root',)
    _refuse_others(
        {name: _data(cfg, ignored) for name, cfg in configs.items()},
        'the runs are not on the same data: ',
        '; give runs that differ in the network only, or --data FOLDER if the '
        'data were moved',
    )


def check_test_data(configs: Mapping[str, Config]) -> None:
    """Raise an error if networks would be tested on different data.

    Args:
        configs (Mapping[str, Config]): The networks' configs, by their files;
            their test pipelines may differ.

    Raises:
        UsageError: The configs name different test data.
    """
    _refuse_others(
        {f: _data(cfg, ('.pipeline',), 'test') for f, cfg in configs.items()},
        'the runs are not on the same data: ',
        '; give others, or set it for all by --cfg-options KEY=VALUE',
    )


def check_seeds(
    name: str,
    runs: Sequence[tuple[str | Path, Config | None]],
    seeds: Sequence[int] = (),
) -> None:
    """Raise an error if runs of one name are not seeds of one network.

    Args:
        name (str): The name.
        runs (Sequence[tuple]): The work folder or the checkpoint of each run,
            and its config, None where all have the same.
        seeds (Sequence[int]): Their seeds, where equal ones are refused.
            Defaults to none.

    Raises:
        UsageError: A run or a seed occurs twice, or their models differ.

    Example:
        >>> one, other = (Config(dict(model=dict(depth=d))) for d in (18, 50))
        >>> check_seeds('net', [('a/net', one), ('b/net', one)])
        >>> check_seeds('net', [('a/net', one), ('b/net', other)])
        Traceback (most recent call last):
        ...
        mlfm_mm.engine.errors.UsageError: net: model.depth is 18 in a/net and
        50 in b/net, so these are not seeds of one network: tell them apart
        by NAME=...
    """
    paths = [Path(path).resolve() for path, _ in runs]
    for values, what in (
        (paths, 'a run is given twice'),
        (seeds, 'two runs have the same seed'),
    ):
        if len(set(values)) < len(values):
            listed = ', '.join(str(path) for path, _ in runs)
            raise UsageError(
                f'{name}: {what} ({listed}): leave one out, or tell them '
                'apart by NAME=...'
            )
    _refuse_others(
        {path: _network(cfg) for path, cfg in runs},
        f'{name}: ',
        ', so these are not seeds of one network: tell them apart by NAME=...',
    )


def _refuse_others(
    settings: Mapping[str | Path, Mapping[str, object]], what: str, remedy: str
) -> None:
    """Refuse settings that are not the first ones, by a key that differs."""
    (start, first), *others = settings.items()
    for place, other in others:
        for key in sorted(first.keys() | other.keys()):
            if _plain(key, first.get(key)) != _plain(key, other.get(key)):
                raise UsageError(
                    f'{what}{key} is {first.get(key)!r} in {start} and '
                    f'{other.get(key)!r} in {place}{remedy}'
                )


def _plain(key: str, value: object) -> object:
    """Drop what only the way of writing a config makes differ."""
    if isinstance(value, str) and key.endswith('data_root'):
        return Path(value).resolve()
    if key.rpartition('.')[2] == 'type' and isinstance(value, str | type):
        return bare_name(dict(type=value))
    if isinstance(value, dict):
        inside = value.items()
        return {k: _plain(str(k), v) for k, v in inside if k != '_scope_'}
    if isinstance(value, list | tuple):
        return [_plain('', item) for item in value]
    return value


def _network(cfg: Config | None) -> dict[str, object]:
    """Collect a model's settings, without what each seed begins with."""
    found = _flatten(cfg and cfg.get('model'), 'model')
    begin = ('.checkpoint', '.pretrained')
    return {key: value for key, value in found if not key.endswith(begin)}


def _data(
    cfg: Config, ignored: tuple[str, ...], only: str = ''
) -> dict[str, object]:
    """Collect settings of data sets, of one split only, by dotted keys."""
    found: dict[str, object] = {}
    for split in ('train', 'val', 'test'):
        loader = f'{split}_dataloader'
        dataset = (cfg.get(loader) or {}).get('dataset')
        found.update(_flatten(dataset, f'{loader}.dataset'))
    endings = ('._scope_', '.test_mode', '.lazy_init', *ignored)
    # Training pipelines belong to the recipe, which may differ.
    return {
        key: value
        for key, value in found.items()
        if not (key.startswith('train') and key.endswith('.pipeline'))
        and key.startswith(only)
        and not key.endswith(endings)
    }


def _flatten(value: object, key: str) -> Iterator[tuple[str, object]]:
    """Go through the values of nested dicts, and of data sets in a list."""
    if isinstance(value, list) and key.endswith('.datasets'):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flatten(part, f'{key}.{name}')
    else:
        yield key, value
