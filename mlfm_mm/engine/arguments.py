"""The options that the tools have in common."""

import argparse
import os
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import TypeVar

from mmengine.config import DictAction

Number = TypeVar('Number', int, float)


def make_parser(
    text: str | None, prog: str | None = None
) -> argparse.ArgumentParser:
    """Make a parser whose help shows a program's docstring verbatim."""
    return argparse.ArgumentParser(
        prog=prog,
        description=text,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class Overrides(DictAction):
    """MMEngine's ``KEY=VALUE``, without its habit to drop spaces in words.

    A path that has some would name another folder.
    """

    @classmethod
    def _parse_iterable(cls, val: str) -> object:
        val = val.strip(' \'"')
        depths = _depths(val)
        kind = {'[': list, '(': tuple}.get(val[:1])
        if kind and 0 not in depths[:-1]:  # one pair of brackets around all
            return kind(map(cls._parse_iterable, _split(val[1:-1])))
        if any(a == ',' and not d for a, d in zip(val, depths, strict=True)):
            return [*map(cls._parse_iterable, _split(val))]
        return cls._parse_int_float_bool(val)


def _depths(text: str) -> list[int]:
    """Count for each character how many brackets are open behind it."""
    return [*accumulate((a in '([') - (a in ')]') for a in text)]


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets; the last may have none behind."""
    parts = ['']
    for letter, depth in zip(text, _depths(text), strict=True):
        if letter == ',' and depth == 0:
            parts.append('')
        else:
            parts[-1] += letter
    return parts if parts[-1].strip() else parts[:-1]


def pair(text: str) -> str:
    """Refuse an override that is no ``KEY=VALUE``."""
    key, _, value = text.partition('=')
    if not key or key == text:
        raise argparse.ArgumentTypeError(f'takes KEY=VALUE, not {text!r}')
    depths = [0, *_depths(value)]
    if (',' in value or value[:1] in '[(') and (depths[-1] or min(depths) < 0):
        raise argparse.ArgumentTypeError(f'brackets of {text!r} do not match')
    return text


def add_config_options(
    parser: argparse.ArgumentParser, example: str, partial: bool = True
) -> None:
    """Add the options for reading a config and its weights.

    Args:
        parser (ArgumentParser): The parser, changed in place.
        example (str): An example of ``--cfg-options``.
        partial (bool): Whether to add ``--allow-partial``. Defaults to True.
    """
    parser.add_argument(
        '--memory',
        action='store_true',
        help="add the memory in front of the config's neck, if it has one "
        '(the config in the work folder then has it)',
    )
    add_overrides(parser, example)
    if partial:
        add_partial(parser)
    add_trust(parser)


def add_overrides(parser: argparse.ArgumentParser, example: str) -> None:
    """Add ``--cfg-options`` alone.

    Args:
        parser (ArgumentParser): The parser, changed in place.
        example (str): An example of it.
    """
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        type=pair,
        action=Overrides,
        metavar='KEY=VALUE',
        help=f'override values of the config, such as {example}',
    )


def add_partial(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-partial``."""
    parser.add_argument(
        '--allow-partial',
        action='store_true',
        help='load what fits of a checkpoint of another network',
    )


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add ``--trust``."""
    parser.add_argument(
        '--trust',
        action='store_true',
        help='read checkpoints that run code; only weights are read otherwise',
    )


def add_network_options(
    parser: argparse.ArgumentParser, pictures: str, count: int = 1
) -> None:
    """Add the options that name trained networks and pictures for them.

    Args:
        parser (ArgumentParser): The parser, changed in place.
        pictures (str): What the pictures are for, and which by default.
        count (int): How many at most by default. Defaults to 1.
    """
    parser.add_argument(
        'network',
        nargs='*',
        help='a work folder, or a config and its checkpoint; NAME= in front '
        'gives a name (default: the networks that come with trained weights)',
    )
    parser.add_argument(
        '--images',
        nargs='+',
        default=[],
        metavar='PATH',
        help=f'pictures or folders of them {pictures}',
    )
    parser.add_argument(
        '--count',
        type=positive,
        default=count,
        metavar='N',
        help='at most so many pictures (default: %(default)s)',
    )
    example = 'test_dataloader.dataset.data_root=FOLDER'
    add_config_options(parser, example)


def loading_options(args: dict) -> dict:
    """Pick the options of :func:`add_config_options` and :func:`add_device`.

    Example:
        >>> loading_options(
        ...     dict(memory=1, cfg_options=2, allow_partial=3, trust=4, x=5)
        ... )
        {'memory': 1, 'cfg_options': 2, 'allow_partial': 3, 'trust': 4}
    """
    names = ('memory', 'cfg_options', 'allow_partial', 'trust', 'device')
    return {name: args[name] for name in names if name in args}


def add_output(parser: argparse.ArgumentParser, folder: str) -> None:
    """Add ``--out`` and ``--device``.

    Args:
        parser (ArgumentParser): The parser, changed in place.
        folder (str): Where to write by default.
    """
    parser.add_argument(
        '--out',
        type=Path,
        default=Path(folder),
        metavar='DIR',
        help='where to write (default: %(default)s)',
    )
    add_device(parser)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Let users say where a network runs."""
    parser.add_argument(
        '--device', default='cpu', help='such as cuda:0 (default: cpu)'
    )


def positive(text: str) -> int:
    """Read a number of at least one.

    Example:
        >>> positive('3')
        3
    """
    return _one_or_more(int(text), text)


def factor(text: str) -> float:
    """Read a number of at least one, which need not be whole.

    Example:
        >>> factor('1.5')
        1.5
    """
    return _one_or_more(float(text), text)


def _one_or_more(number: Number, text: str) -> Number:
    if not number >= 1:  # so that NaN is refused, too
        raise argparse.ArgumentTypeError(f'{text} must be 1 or more')
    return number


def add_run_options(parser: argparse.ArgumentParser, writes: str) -> None:
    """Add the options of every run of a Runner.

    Args:
        parser (ArgumentParser): The parser, changed in place.
        writes (str): What goes to the work folder.
    """
    parser.add_argument(
        '--work-dir',
        metavar='DIR',
        help=f'where to save {writes} (default: work_dir of the config, else '
        'work_dirs/<name of the config>)',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes (tools/dist_*.sh: pytorch)',
    )
    parser.add_argument(
        '--timeout',
        type=factor,
        metavar='SECONDS',
        help='with several processes: name the one that hangs, and end, when '
        'there is no step for so long (default: 540)',
    )
    parser.add_argument(
        '--local-rank',
        '--local_rank',
        type=int,
        default=0,
        help=argparse.SUPPRESS,
    )


def read_arguments(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None = None
) -> dict:
    """Read the command line.

    Args:
        parser (ArgumentParser): The parser.
        argv (Sequence[str], optional): The arguments. Defaults to None, the
            program's.

    Returns:
        dict: The options as keywords.

    Example:
        >>> parser = argparse.ArgumentParser()
        >>> add_run_options(parser, 'logs')
        >>> read_arguments(parser, ['--work-dir', 'out'])
        {'work_dir': 'out', 'launcher': 'none', 'timeout': None}
    """
    options = vars(parser.parse_args(argv))
    # Older launchers pass the local rank as an option only.
    local_rank = options.pop('local_rank', 0)
    os.environ.setdefault('LOCAL_RANK', str(local_rank))
    return options
