"""Several processes compute what one does."""

from pathlib import Path

import pytest
import torch

from tests.processes import run_ranks

REPO = Path(__file__).resolve().parents[2]
WORKER = 'tests/robustness/worker.py'


def launch(
    kind: str, processes: int, file: Path, norm: str, cp: str
) -> dict[str, torch.Tensor]:
    words, path = (WORKER, kind, file, norm, cp), str(REPO)
    for rank in run_ranks(processes, *words, cwd=REPO, PYTHONPATH=path):
        assert rank.returncode == 0, rank.stderr
    return torch.load(file)


@pytest.fixture(scope='module')
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder = tmp_path_factory.mktemp('alone')
    return {
        norm: launch('ddp', 1, folder / f'{norm}.pth', norm, 'keep')
        for norm in ('GN', 'BN')
    }


# FSDP shards each unit by itself: the units run inside the backbone, so a
# neck sharded as a whole would be gathered too late. Batch norm is what the
# default unit has; group norm sees that the batch is really divided.
@pytest.mark.parametrize(
    ('kind', 'norm', 'cp'),
    [
        ('ddp', 'GN', 'keep'),
        ('ddp', 'BN', 'with_cp'),
        ('fsdp', 'GN', 'keep'),
        ('fsdp', 'BN', 'keep'),
        ('fsdp', 'BN', 'with_cp'),
        ('fsdp2', 'GN', 'keep'),
        ('fsdp2', 'BN', 'keep'),
        ('fsdp2', 'BN', 'with_cp'),
    ],
)
def test_two_processes_equal_one(
    kind: str, norm: str, cp: str, alone: dict, tmp_path: Path
) -> None:
    together = launch(kind, 2, tmp_path / 'grads.pth', norm, cp)
    assert together.keys() == alone[norm].keys()
    assert any(name.startswith('neck.units') for name in together)
    for name, gradient in together.items():
        torch.testing.assert_close(
            gradient, alone[norm][name], rtol=1e-4, atol=1e-6, msg=name
        )
