"""Read what a Runner recorded while it trained."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean


@dataclass(frozen=True)
class Curve:
    """How a training run went, epoch by epoch.

    Args:
        loss (dict[int, float]): Mean training loss of each epoch; exact if
            the run had :class:`mlfm_mm.engine.EpochSummaryHook`.
        score (dict[int, float]): Validation metric after each epoch.
        seconds (dict[int, float]): Time of each training epoch, empty if
            the run did not have that hook.
    """

    loss: dict[int, float]
    score: dict[int, float]
    seconds: dict[int, float]

    @property
    def best(self) -> float:
        """The highest score of any epoch."""
        return max(self.score.values())

    @property
    def final(self) -> float:
        """The score after the last epoch."""
        return self.score[max(self.score)]

    @property
    def epoch_seconds(self) -> float:
        """The time of the fastest epoch.

        What other programs of the machine add to the others does not
        belong to the network.
        """
        return min(self.seconds.values())


def read_curve(run_dir: str | Path, metric: str = 'accuracy/top1') -> Curve:
    """Read the scalars that a Runner left in its work folder.

    Args:
        run_dir (str | Path): The work folder; where a run was resumed, what
            was recorded later replaces what was recorded before.
        metric (str): Name of the validation metric. Defaults to
            'accuracy/top1'.

    Returns:
        Curve: The run, epoch by epoch.

    Raises:
        FileNotFoundError: If no scalars were recorded there.
        ValueError: If the metric was not recorded.
    """
    losses: dict[int, list[float]] = {}
    scores: dict[int, float] = {}
    seconds: dict[int, float] = {}
    exact: dict[int, float] = {}
    for record in read_records(Path(run_dir)):
        step = record['step']
        if 'loss' in record and 'epoch' in record:
            losses.setdefault(record['epoch'], []).append(record['loss'])
        if metric in record:
            scores[step] = record[metric]
        if 'epoch_time' in record:
            seconds[step] = record['epoch_time']
            exact[step] = record['epoch_loss']
    if not scores:
        raise ValueError(f'no {metric!r} was recorded in {run_dir}')
    means = {epoch: fmean(values) for epoch, values in losses.items()}
    return Curve(means | exact, scores, seconds)


def read_records(run_dir: Path) -> Iterator[dict]:
    """Go through the records of all runs in a work folder, oldest first.

    Args:
        run_dir (Path): The work folder.

    Yields:
        dict: One record.

    Raises:
        FileNotFoundError: If there are none.
    """
    # The folders in between are named after the time.
    files = sorted(run_dir.glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(f'no */vis_data/scalars.json in {run_dir}')
    for file in files:
        for line in file.read_text().splitlines():
            yield json.loads(line)
