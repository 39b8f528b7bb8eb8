"""Count what configs cost: parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mlfm_mm.analysis.complexity import measure_complexity
from mlfm_mm.analysis.sizes import input_size
from mlfm_mm.engine.models import build_model

from .records import COSTS, find_configs, read_json


def count(cfg: Config) -> dict[str, Any]:
    """Build the network of a config and count.

    Args:
        cfg (Config): The config.

    Returns:
        dict: ``params``, ``macs`` at ``size``, and the host's ``scope``.
    """
    size = input_size(cfg)
    cost = measure_complexity(build_model(cfg), size)
    return dict(
        params=cost.params,
        macs=cost.macs,
        size=list(size),
        scope=cfg.default_scope,
    )


def count_all(
    root: Path,
    report: Callable[[str], None],
    words: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """Count for many configs.

    Args:
        root (Path): The top of the repository.
        report (Callable): Gets a line about each config when it is done.
        words (Sequence[str]): Only configs with one of these in the path are
            counted; the others keep their rows. Defaults to none: all are
            counted.

    Returns:
        dict[str, dict]: The rows of the data file by the path of the config.

    Raises:
        ValueError: No config has such a word in its path.
    """
    paths = find_configs(root)
    chosen = [
        path for path in paths if not words or any(w in path for w in words)
    ]
    if not chosen:
        raise ValueError(
            f'no config of the zoo has one of {list(words)} in its path'
        )
    known = read_json(root / COSTS)
    rows = dict(known) if words else {}
    for number, path in enumerate(chosen, start=1):
        try:
            cfg = Config.fromfile(root / path)
        except ModuleNotFoundError as error:  # a host that is not here
            report(f'[{number}/{len(chosen)}] {path}: as it was ({error})')
            rows.update({path: known[path]} if path in known else {})
            continue
        rows[path] = row = count(cfg)
        height, width = row['size']
        report(
            f'[{number}/{len(chosen)}] {path}: {row["params"]:,} params, '
            f'{row["macs"]:,} MACs at {height}x{width} pixels'
        )
    return {path: rows[path] for path in paths if path in rows}
