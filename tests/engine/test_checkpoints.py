from pathlib import Path

import pytest
import torch
from mmengine.logging import HistoryBuffer

from mlfm_mm.engine.checkpoints import CheckpointError, check, point_to
from tests.tools.helpers import Harmful

WHOLE = dict(
    meta=dict(epoch=1, iter=3, time='20260101_000000'),
    state_dict=dict(weight=torch.randn(1000)),
    optimizer=dict(state={}, param_groups=[dict(lr=0.1, params=[0])]),
    message_hub=dict(log_scalars=dict(loss=HistoryBuffer([1.0], [1]))),
)


def save(path: Path, **changes: object) -> Path:
    torch.save({**WHOLE, **changes}, path)
    return path


def test_whole(tmp_path: Path) -> None:
    check(save(tmp_path / 'a.pth'))


@pytest.mark.parametrize(
    ('harm', 'message'),
    [
        (lambda data: b'', 'it is empty'),
        (lambda data: data[: len(data) // 2], 'it is torn'),
        (lambda data: data[:-100], 'it is torn'),
        (lambda data: b'hello world', 'it is torn'),
        # One bit of a weight, which PyTorch loads without a word.
        (
            lambda data: flip(data, WHOLE['state_dict']['weight']),
            'it is damaged',
        ),
    ],
)
def test_harmed(harm: object, message: str, tmp_path: Path) -> None:
    path = save(tmp_path / 'a.pth')
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(CheckpointError, match=message):
        check(path)


def flip(data: bytes, tensor: torch.Tensor) -> bytes:
    position = data.index(tensor.numpy().tobytes()) + 5
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_weights_only(tmp_path: Path) -> None:
    torch.save(dict(state_dict=WHOLE['state_dict']), tmp_path / 'a.pth')
    with pytest.raises(CheckpointError, match='it lacks meta, optimizer'):
        check(tmp_path / 'a.pth')


def test_code_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = save(tmp_path / 'a.pth', meta=Harmful())
    with pytest.raises(CheckpointError, match='reading it would run code'):
        check(path)
    assert not (tmp_path / 'harmed').exists()


def test_old_format_of_torch(tmp_path: Path) -> None:
    path = tmp_path / 'a.pth'
    torch.save(WHOLE, path, _use_new_zipfile_serialization=False)
    check(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match='it is torn'):
        check(path)


def test_pointer_is_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pointer = tmp_path / 'last_checkpoint'
    pointer.write_text('old')
    point_to(Path('run/epoch_1.pth'), tmp_path)
    assert pointer.read_text() == str(tmp_path / 'run' / 'epoch_1.pth')
    assert [p.name for p in tmp_path.iterdir()] == ['last_checkpoint']
