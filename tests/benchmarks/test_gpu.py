import subprocess

import pytest
import torch

from benchmarks import gpu
from tests.processes import run_python


def test_tests_come_first_then_the_parts_that_need_a_gpu() -> None:
    tests, *parts = gpu.commands()
    assert tests[0] == 'pytest' and (gpu.ROOT / tests[-1]).is_dir()
    assert [part[0] for part in parts] == ['benchmarks.parts'] * len(parts)
    assert parts[0][1] == 'gpu_resnet18' and len(parts) >= 5


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_without_a_gpu_it_says_so_in_one_line() -> None:
    done = run_python('-m', 'benchmarks.gpu', cwd=gpu.ROOT)
    assert done.returncode != 0
    assert 'PyTorch finds no GPU' in done.stderr.splitlines()[-1]


def test_what_comes_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(command: list[str], timeout: float, **_: object) -> object:
        if timeout < 1:
            raise subprocess.TimeoutExpired(command, timeout)
        code = int(command[-1] == 'bad')
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, 'run', fake)
    assert gpu.run(['x'], 9) == 'done'
    assert gpu.run(['x', 'bad'], 9) == 'failed (1)'
    assert gpu.run(['x'], 0.5) == 'out of time'


def test_all_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    limits: list[float] = []

    def run(module: list[str], seconds: float) -> str:
        limits.append(seconds)
        clock[0] += min(seconds, 150)
        return 'done'

    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(gpu.time, 'monotonic', lambda: clock[0])
    monkeypatch.setattr(gpu, 'run', run)
    with pytest.raises(SystemExit) as ended:
        gpu.main()
    assert ended.value.code == 1 and clock[0] <= 600
    assert limits == [240, 450, 300, 150]
    assert 'gpu_fp32: out of time' in capsys.readouterr().out
