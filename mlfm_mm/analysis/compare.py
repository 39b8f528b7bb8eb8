"""Compare training runs: scores, costs and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median

from mmengine.config import Config

from ..engine import UsageError, find_host
from ..engine.models import build_model
from .complexity import measure_complexity
from .evidence.statistics import (
    Difference,
    align,
    deviation,
    paired_difference,
    plus_minus,
)
from .machine import describe_machine
from .runs import (
    Curve,
    find_runs,
    metric_of,
    name_of,
    read_config,
    read_curve,
    seed_in,
    split_name,
)
from .same_data import check_seeds
from .scalars import read_records
from .sizes import input_size
from .tables import Column, Table, si

LABELS = {'mmpretrain': 'top-1 (%)', 'mmseg': 'mIoU (%)'}


@dataclass(frozen=True)
class TrainedRun:
    """A training run, finished or in progress.

    Args:
        folder (Path): Its work folder.
        cfg (Config): Its config.
        seed (int, optional): Its seed, None where it was not set.
        curve (Curve): Its loss and scores.
        step_ms (float, optional): Median milliseconds of a training step.
        memory (float, optional): Peak memory in MB, recorded on GPUs only.
    """

    folder: Path
    cfg: Config
    seed: int | None
    curve: Curve
    step_ms: float | None
    memory: float | None


Runs = dict[str, list[TrainedRun]]


def find_networks(words: Sequence[str]) -> Runs:
    """Read the runs given on the command line, by network.

    Args:
        words (Sequence[str]): Work folders, or folders of them, each with an
            optional prefix ``NAME=``; without it a run is named after its
            folder, without the seed at its end.

    Returns:
        dict[str, list[TrainedRun]]: Each network's runs, sorted by seed if
        all are known.

    Raises:
        UsageError: A folder holds no run, or the runs of one name are not
            one network with several seeds.
    """
    found: Runs = {}
    for word in words:
        name, path = split_name(word)
        for folder in find_runs(Path(path)):
            runs = found.setdefault(name or name_of(folder), [])
            runs.append(_read(folder))
    for name, runs in found.items():
        if all(run.seed is not None for run in runs):
            runs.sort(key=lambda run: run.seed or 0)
        seeds = [run.seed for run in runs if run.seed is not None]
        check_seeds(name, [(run.folder, run.cfg) for run in runs], seeds)
    return found


def _read(folder: Path) -> TrainedRun:
    cfg = read_config(folder)
    metric = metric_of(find_host(cfg).scope)
    records = read_records(folder)
    times = [record['time'] for record in records if 'loss' in record]
    memories = [r['memory'] for r in records if r.get('memory')]
    return TrainedRun(
        folder,
        cfg,
        seed_in(cfg),
        read_curve(folder, metric, records),
        1000 * median(times) if times else None,
        max(memories, default=None),
    )


def summarize(networks: Runs) -> list[dict[str, object]]:
    """Summarize the runs, a row for each network.

    Args:
        networks (dict[str, list[TrainedRun]]): The runs; the first network
            is the baseline.

    Returns:
        list[dict]: Seeds, cost, mean and deviation of the best and the final
        score, and ``gain``, the paired difference of the final scores, with
        its 95 % interval.
    """
    keys, _ = _align(networks)
    baseline: dict[int, float] = {}
    rows: list[dict[str, object]] = []
    for name, runs in networks.items():
        scores = [run.curve.final for run in runs]
        finals = dict(zip(keys[name], scores, strict=True))
        bests = [run.curve.best for run in runs]
        gain = paired_difference(baseline, finals)
        baseline = baseline or finals
        rows.append(
            dict(
                network=name,
                config=Path(runs[0].cfg.filename).name,
                seeds=[run.seed for run in runs],
                **_cost(runs),
                best=fmean(bests),
                best_deviation=_deviation(bests),
                final=fmean(scores),
                final_deviation=_deviation(scores),
                gain=gain and gain.mean,
                gain_low=gain and gain.low,
                gain_high=gain and gain.high,
            )
        )
    return rows


def _align(networks: Runs) -> tuple[dict[str, Sequence[int]], str]:
    return align({n: [r.seed for r in runs] for n, runs in networks.items()})


def _cost(runs: Sequence[TrainedRun]) -> dict[str, float | int | None]:
    params, macs = _count(runs[0].cfg)
    epochs = [r.curve.epoch_seconds for r in runs if r.curve.seconds]
    steps = [r.step_ms for r in runs if r.step_ms is not None]
    memories = [r.memory for r in runs if r.memory is not None]
    return dict(
        params=params,
        macs=macs,
        epoch_seconds=min(epochs, default=None),
        step_ms=min(steps, default=None),
        memory_mb=max(memories, default=None),
    )


def _count(cfg: Config) -> tuple[int, int | None]:
    """Count parameters, and multiply-adds if the image size is known."""
    model = build_model(cfg)
    try:
        counted = measure_complexity(model, input_size(cfg))
    except UsageError:
        return sum(p.numel() for p in model.parameters()), None
    return counted.params, counted.macs


def _deviation(values: Sequence[float]) -> float | None:
    return deviation(values) if len(values) > 1 else None


def tabulate(networks: Runs, rows: list[dict]) -> Table:
    """Lay out the summary as a model zoo does.

    Args:
        networks (dict[str, list[TrainedRun]]): The runs.
        rows (list[dict]): From :func:`summarize`.

    Returns:
        Table: The table, without columns that no run recorded.
    """
    label = LABELS[next(iter(networks.values()))[0].cfg.default_scope]
    columns = [
        Column('network', 'model'),
        Column('seeds', 'seeds', lambda seeds: str(len(seeds))),
        Column('params', 'params', si),
        Column('macs', 'MACs', si),
        Column('epoch_seconds', 's/epoch', _seconds),
        Column('step_ms', 'ms/step', '{:.0f}'.format),
        Column('memory_mb', 'memory (MB)', '{:.0f}'.format),
        Column('best', f'best {label}', plus_minus, ('best_deviation',)),
        Column('final', f'final {label}', plus_minus, ('final_deviation',)),
        Column('gain', 'gain', _gain, ('gain_low', 'gain_high')),
        Column('config', 'config'),
    ]
    shown = [c for c in columns if any(row[c.key] is not None for row in rows)]
    return Table(shown, rows, _caption(networks))


def _seconds(value: float) -> str:
    return f'{value:.2f}' if value < 10 else f'{value:.1f}'


def _gain(mean: float, low: float | None, high: float | None) -> str:
    return str(Difference(mean, 0, low, high))


def _caption(networks: Runs) -> str:
    first = next(iter(networks))
    lengths = sorted(
        {run.curve.last for runs in networks.values() for run in runs}
    )
    unit = unit_of(networks[first][0].cfg)
    text = (
        f'On the validation data after {" or ".join(map(str, lengths))} '
        f'{unit}s. '
    )
    if len(networks) == 1:
        return text.strip()
    if max(len(runs) for runs in networks.values()) == 1:
        return (
            f'{text}gain: final less that of {first}; one run each, which '
            'cannot tell a difference from chance.'
        )
    _, pairs = _align(networks)
    return (
        f"{text}Mean ± deviation over seeds; gain (Student's t): the final "
        f'score less that of {first} {pairs}.'
    )


def unit_of(cfg: Config) -> str:
    """Name the unit in which a run counts its progress."""
    return 'epoch' if cfg.train_cfg.get('max_epochs') else 'iteration'


def save(networks: Runs, table: Table, folder: Path, **extra: object) -> None:
    """Write a comparison as Markdown, and its raw numbers as CSV and JSON.

    Args:
        networks (dict[str, list[TrainedRun]]): The runs.
        table (Table): From :func:`tabulate`.
        folder (Path): Where to write ``results.md``, ``.csv`` and ``.json``,
            which also holds each run's curves.
        **extra: More entries of the JSON file.
    """
    keys, _ = _align(networks)
    curves = {
        name: {
            k: asdict(r.curve) for k, r in zip(keys[name], runs, strict=True)
        }
        for name, runs in networks.items()
    }
    machine = describe_machine()
    table.save(folder, 'results', runs=curves, machine=machine, **extra)
