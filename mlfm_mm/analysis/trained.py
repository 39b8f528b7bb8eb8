"""Find and load the trained networks that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope

from ..engine import Host, UsageError, find_host
from ..engine.demo import find_names
from ..engine.models import build_model
from ..engine.options import load_config
from ..engine.weights import load_whole, read_checkpoint, weights_only
from ..models import MLFMNeck
from ..openmmlab import own_config
from .runs import (
    find_checkpoint,
    find_runs,
    name_of,
    read_config,
    seed_in,
    split_name,
)
from .same_data import check_seeds, check_test_data

# How the names of MMEngine's configs end.
CONFIGS = ('.py', '.json', '.yaml', '.yml')
# The classifiers that come with trained weights, within configs/evidence.
SHIPPED = {
    'plain': 'mobilenetv2_0.35_tiny20',
    'MLFM': 'mobilenetv2_0.35-mlfm_tiny20',
}


@dataclass(frozen=True)
class Source:
    """The files of a trained network.

    Args:
        name (str): Its name in tables and figures.
        config (str): Its config file.
        checkpoint (str): Its weights.
    """

    name: str
    config: str
    checkpoint: str


def find_sources(words: Sequence[str]) -> list[Source]:
    """Find the networks that a command line names.

    Args:
        words (Sequence[str]): Work folders, or folders of them such as the
            quickstart's, and configs, each followed by one checkpoint or
            more; folders and configs may have a prefix ``NAME=``. Without
            any word: the two networks that come with trained weights,
            without memory and with.

    Returns:
        list[Source]: The networks. Those of the same name are one network
        trained with several seeds.

    Raises:
        UsageError: A word is none of these, a checkpoint is missing, or what
            has one name is not one network.

    Example:
        >>> [source.name for source in find_sources([])]
        ['plain', 'MLFM']
        >>> find_sources(['a=net.py', 's0.pth', 's1.pth'])[1]
        Source(name='a', config='net.py', checkpoint='s1.pth')
    """
    sources = _find(words)
    for name in dict.fromkeys(source.name for source in sources):
        same = [source for source in sources if source.name == name]
        # A config that all have in common need not be read.
        several = len({source.config for source in same}) > 1
        check_seeds(
            name,
            [
                (s.checkpoint, load_config(s.config) if several else None)
                for s in same
            ],
        )
    return sources


def _find(words: Sequence[str]) -> list[Source]:
    if not words:
        return _shipped()
    sources: list[Source] = []
    name = config = None
    for word in words:
        given, path = split_name(word)
        if path.endswith(CONFIGS):
            _check_complete(name, config, sources)
            name, config = given or Path(path).stem, path
        elif Path(path).is_dir():
            _check_complete(name, config, sources)
            sources += _sources_in(Path(path), given)
            config = None
        elif config is not None and name is not None:
            sources.append(Source(name, config, path))
        else:
            raise UsageError(
                f'{word!r} is no folder: give the work folder of a run, or '
                'a config (*.py) and behind it a checkpoint'
            )
    _check_complete(name, config, sources)
    return sources


def find_source(words: Sequence[str]) -> Source:
    """Find the one network that a command line names.

    Args:
        words (Sequence[str]): See :func:`find_sources`.

    Returns:
        Source: The network; of several the first with memory, if there is
        one, else the first.

    Raises:
        UsageError: A word is no network, or a checkpoint is missing.

    Example:
        >>> find_source([]).name
        'MLFM'
    """
    sources = _find(words)
    for source in sources if len(sources) > 1 else []:
        neck = load_config(source.config).model.get('neck')
        if MLFMNeck.__name__ in str(neck):
            return source
    return sources[0]


def check_sources(
    sources: Sequence[Source],
    cfg_options: dict | None = None,
    memory: bool = False,
) -> None:
    """Raise an error if networks would be tested on different data.

    Args:
        sources (Sequence[Source]): The networks.
        cfg_options (dict, optional): Dotted keys of the config and their
            values. Defaults to None.
        memory (bool): Whether to add memory to the config. Defaults to
            False.

    Raises:
        UsageError: A config cannot be read, or names other test data than the
            first.

    Example:
        >>> check_sources(find_sources([]))
    """
    files = dict.fromkeys(source.config for source in sources)
    check_test_data(
        {file: load_config(file, cfg_options, memory) for file in files}
    )


def find_seed(checkpoint: str) -> int | None:
    """Find the seed that a checkpoint was trained with.

    Args:
        checkpoint (str): The file.

    Returns:
        int | None: That of the config in its work folder; None where the file
        lies elsewhere, or no seed was set.

    Example:
        >>> find_seed('https://example.org/net.pth')
    """
    folder = Path(checkpoint).parent
    # Elsewhere, a lone Python file may be any program.
    if any(folder.glob('*/vis_data/scalars.json')):
        with suppress(UsageError):
            return seed_in(read_config(folder))
    return None


def _shipped() -> list[Source]:
    sources = []
    for name, file in SHIPPED.items():
        config = own_config(f'evidence/recipes/{file}.py')
        weights = own_config(f'evidence/weights/{file}.pth')
        sources.append(Source(name, str(config), str(weights)))
    return sources


def _sources_in(folder: Path, name: str | None) -> list[Source]:
    found = []
    for run in find_runs(folder):
        config = read_config(run).filename
        weights = str(find_checkpoint(run))
        found.append(Source(name or name_of(run), config, weights))
    return found


def _check_complete(
    name: str | None, config: str | None, sources: Sequence[Source]
) -> None:
    complete = [(source.name, source.config) for source in sources[-1:]]
    if config is not None and (name, config) not in complete:
        raise UsageError(f'{config} needs its weights: give a checkpoint, too')


@dataclass(frozen=True)
class Trained:
    """A network with its weights, ready for analysis.

    Args:
        name (str): Its name in tables and figures.
        cfg (Config): Its config.
        host (Host): The host that the config is written for.
        model (BaseModel): The network, in evaluation mode.
        meta (dict): May have ``classes`` and a ``palette``.
    """

    name: str
    cfg: Config
    host: Host
    model: BaseModel
    meta: dict

    @property
    def segments(self) -> bool:
        """bool: Whether it is a segmentor."""
        return self.host.scope == 'mmseg'


def load_trained(
    source: Source,
    cfg_options: dict | None = None,
    device: str = 'cpu',
    memory: bool = False,
    allow_partial: bool = False,
    trust: bool = False,
) -> Trained:
    """Build a network and load its weights, all of them.

    Args:
        source (Source): Its files.
        cfg_options (dict, optional): Dotted keys of the config and their
            values. Defaults to None.
        device (str): The device to load it to. Defaults to ``'cpu'``.
        memory (bool): Whether to add memory to the config. Defaults to
            False.
        allow_partial (bool): Whether the weights may fit only in part.
            Defaults to False.
        trust (bool): Whether to unpickle the checkpoint in full, which may
            run code. Defaults to False.

    Returns:
        Trained: The network.

    Raises:
        UsageError: A file does not exist or cannot be read, or the weights
            are those of another network.

    Example:
        >>> network = load_trained(find_source([]))
        >>> len(network.meta['classes']), len(network.model.neck.units)
        (20, 6)
    """
    cfg = load_config(source.config, cfg_options, memory)
    host = find_host(cfg)
    with weights_only(trust):
        weights = read_checkpoint(source.checkpoint)
    model = build_model(cfg, device)
    with DefaultScope.overwrite_default_scope(host.scope):
        what = f'{source.checkpoint} in {source.config}'
        load_whole(model, weights, what, allow_partial)
        meta = find_names(cfg, weights)
    return Trained(source.name, cfg, host, model, meta)
