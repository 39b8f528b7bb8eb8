"""How far a training is, told in a few lines."""

from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console
from rich.progress import Progress

from demo.quickstart import training


@pytest.mark.parametrize(
    ('epochs', 'told'),
    [(1, [1]), (3, [1, 2, 3]), (25, [*range(3, 25, 3), 25])],
)
def test_many_epochs_are_told_in_few_lines(
    epochs: int, told: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, 'mean_loss', lambda runner: 0.5)
    output = StringIO()
    progress = Progress(console=Console(file=output), disable=True)
    progress.add_task('both', total=2 * epochs)
    hook = training.TellEpochs('net', progress)
    for epoch in range(1, epochs + 1):
        hook.after_train_iter()
        runner = SimpleNamespace(epoch=epoch, max_epochs=epochs)
        hook.after_val_epoch(runner, {'accuracy/top1': 90.0})
    assert progress.tasks[0].completed == epochs
    lines = output.getvalue().splitlines()
    assert [int(line.split('/')[0].split()[-1]) for line in lines] == told
    assert all('loss 0.500  top-1 90.00' in line for line in lines)
    assert all(line.endswith(' left') for line in lines)
