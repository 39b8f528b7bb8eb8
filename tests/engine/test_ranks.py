import pytest
from mmengine.config import Config

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.distributed import adapt_launcher
from mlfm_mm.engine.launchers import LAUNCHERS
from mlfm_mm.engine.ranks import read_ranks


@pytest.mark.parametrize(
    'told',
    [('2', '2', '0'), ('x', '2', '0'), ('0', '0', '0'), ('0', '2', '2')],
)
def test_a_world_that_cannot_be(
    told: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(LAUNCHERS['slurm'].ranks, told, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match='gets impossible values'):
        read_ranks('slurm')


@pytest.mark.parametrize(
    ('variable', 'started', 'launcher'),
    [
        ('WORLD_SIZE', 'torchrun', 'pytorch'),
        ('SLURM_STEP_NUM_TASKS', 'srun', 'slurm'),
        ('OMPI_COMM_WORLD_SIZE', 'mpirun', 'mpi'),
    ],
)
def test_processes_without_launcher(
    variable: str,
    started: str,
    launcher: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each would train for itself, and write to the folder of the others."""
    if started == 'torchrun':
        # The variable alone may have been left by something else.
        monkeypatch.setenv('WORLD_SIZE', '2')
        adapt_launcher(Config(dict(launcher='none')))
        monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')
    monkeypatch.setenv(variable, '1')
    adapt_launcher(Config(dict(launcher='none')))
    monkeypatch.setenv(variable, '2')
    with pytest.raises(
        UsageError, match=f'{started} has started 2 .* --launcher {launcher}'
    ):
        adapt_launcher(Config(dict(launcher='none')))
