from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from mlfm_mm.analysis.export import (
    check,
    check_exported,
    describe,
    export_network,
    save,
)
from mlfm_mm.analysis.samples import generate_samples
from mlfm_mm.engine import UsageError
from tests.analysis.networks import classifier


def test_a_file_is_compared_and_timed(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    samples = generate_samples(network, 2)
    exported = export_network(network, None)
    path = tmp_path / 'net.pt2'
    save(exported, describe(network, exported), path)
    check = check_exported(path, exported, samples)
    assert check.difference < 1e-4 and len(check.sizes) == 2
    assert check.timed == (32, 32) and check.torch_ms > 0
    assert 'agrees with PyTorch' in str(check)
    # As if the exporter had made another network of it.
    with torch.no_grad():
        exported.logits.model.head.fc.bias[3] += 1
    with pytest.raises(UsageError, match=r'by .*: do not use it'):
        check_exported(path, exported, samples)


def test_a_file_that_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(x: torch.Tensor) -> torch.Tensor:
        raise RuntimeError('\x1b[96midx=3\x1b[0m is not in [-2,1]\nmore')

    network = classifier(tmp_path)
    exported = export_network(network, (32, 32))
    path = tmp_path / 'net.pt2'
    save(exported, describe(network, exported), path)
    monkeypatch.setattr(check, 'open_exported', lambda path: fail)
    with pytest.raises(
        UsageError, match=r'run: try the .* idx=3 is not in \[-2,1\]\)$'
    ):
        check_exported(path, exported, generate_samples(network, 1))
    # Of another shape, and stopped by a user while it runs.
    monkeypatch.setattr(
        check, 'open_exported', lambda path: lambda x: torch.zeros(2, 3)
    )
    with pytest.raises(UsageError, match='cannot be run: try the'):
        check_exported(path, exported, generate_samples(network, 1))
    monkeypatch.setattr(
        check, 'open_exported', Mock(side_effect=KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        check_exported(path, exported, generate_samples(network, 1))
    monkeypatch.undo()
    path.write_bytes(b'torn')
    with pytest.raises(UsageError, match='cannot be run: try the'):
        check_exported(path, exported, generate_samples(network, 1))
