"""Several processes compute what one does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

REPO = Path(__file__).resolve().parents[2]
WORKER = 'tests/robustness/worker.py'


def launch(kind: str, processes: int, file: Path) -> dict[str, torch.Tensor]:
    run = subprocess.run(
        [
            sys.executable,
            *('-m', 'torch.distributed.run', '--standalone'),
            f'--nproc_per_node={processes}',
            WORKER,
            kind,
            str(file),
        ],
        cwd=REPO,
        env=dict(os.environ, PYTHONPATH=str(REPO), OMP_NUM_THREADS='1'),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return torch.load(file)


@pytest.fixture(scope='module')
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return launch('ddp', 1, tmp_path_factory.mktemp('alone') / 'grads.pth')


# FSDP shards each unit by itself: the units run inside the backbone, so a
# neck sharded as a whole would be gathered too late.
@pytest.mark.parametrize('kind', ['ddp', 'fsdp', 'fsdp2'])
def test_two_processes_equal_one(
    kind: str, alone: dict, tmp_path: Path
) -> None:
    together = launch(kind, 2, tmp_path / 'grads.pth')
    assert together.keys() == alone.keys()
    assert any(name.startswith('neck.units') for name in together)
    for name, gradient in together.items():
        torch.testing.assert_close(
            gradient, alone[name], rtol=1e-4, atol=1e-6, msg=name
        )
