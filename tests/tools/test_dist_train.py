import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from tests.processes import run_ranks, wait_for
from tests.tools.helpers import (
    TOOLS,
    run_tool,
    write_digits_config,
    write_segments_config,
)

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_gloo_available(), reason='needs gloo'
)
# Also where a GPU is: one of them is too few for two processes.
CHILDREN = Path(f'/proc/self/task/{os.getpid()}/children')
CPU = {'CUDA_VISIBLE_DEVICES': '-1'}

SPY = """
import os
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class SpyHook(Hook):
    '''Write down what each process has.'''

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        labels = [int(s.gt_label) for s in data_batch['data_samples']]
        with open(f'labels_{os.environ["RANK"]}.txt', 'a') as file:
            print(len(labels), file=file)

    def after_train(self, runner):
        weights = [p.sum() for p in runner.model.parameters()]
        print(f'RANK {os.environ["RANK"]} SUM {torch.stack(weights).sum()}')
"""


def add_spy(config: Path) -> None:
    """Give a config the hook above."""
    (config.parent / 'spy.py').write_text(SPY)
    with open(config, 'a') as file:
        file.write("custom_imports = dict(imports=['spy'])\n")
        file.write("custom_hooks = [dict(type='SpyHook')]\n")


def test_two_processes_share_the_work(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    add_spy(config)
    with open(config, 'a') as file:
        file.write('share_batch_size = True\n')
        file.write("train_dataloader['batch_size'] = 16\n")
    printed = run_tool(
        *('dist_train.sh', config, 2, '--work-dir', 'out'),
        cwd=tmp_path,
        **CPU,
        PYTHONPATH=str(tmp_path),
    )
    assert 'Distributed training: True' in printed
    assert 'accuracy/top1' in printed
    # What is written down trains alike by any number of processes.
    written = Config.fromfile(
        tmp_path / 'out' / config.name, import_custom_modules=False
    )
    assert written.share_batch_size
    assert written.train_dataloader.batch_size == 16
    # 40 images in batches of 8, over two processes: 2 full batches each.
    for rank in '01':
        lines = (tmp_path / f'labels_{rank}.txt').read_text().split()
        assert lines == ['8', '8']
    # Gradients were averaged: both processes hold the same weights.
    sums = dict(re.findall(r'RANK (\d) SUM ([-\d.e+]+)', printed))
    assert set(sums) == {'0', '1'} and sums['0'] == sums['1']
    saved = torch.load(tmp_path / 'out' / 'epoch_1.pth', weights_only=False)
    assert all(v.isfinite().all() for v in saved['state_dict'].values())
    # No trace of the wrapper.
    assert all(not k.startswith('module.') for k in saved['state_dict'])

    printed = run_tool(
        *('dist_test.sh', config, 'out/epoch_1.pth', 2),
        *('--out', 'metrics.json', '--out-item', 'metrics'),
        cwd=tmp_path,
        **CPU,
        PYTHONPATH=str(tmp_path),
    )
    assert 'accuracy/top1' in (tmp_path / 'metrics.json').read_text()


@pytest.mark.slow
def test_segmentor_loses_its_sync_bn(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    printed = run_tool(
        *('dist_train.sh', config, 2, '--amp'), cwd=tmp_path, **CPU
    )
    assert 'SyncBN is replaced by BN' in printed
    assert (tmp_path / 'work_dirs' / 'squares' / 'iter_4.pth').is_file()


def test_slurm_starts_the_script(tmp_path: Path) -> None:
    """A stand-in for srun runs one of the tasks."""
    config = write_digits_config(tmp_path)
    srun = tmp_path / 'bin' / 'srun'
    srun.parent.mkdir()
    srun.write_text(
        '#!/usr/bin/env bash\n'
        'echo "SRUN $*"\n'
        'while [[ $1 == -* ]]; do [[ $1 == -p ]] && shift; shift; done\n'
        'SLURM_PROCID=0 SLURM_NTASKS=1 SLURM_LOCALID=0 exec "$@"\n'
    )
    srun.chmod(srun.stat().st_mode | stat.S_IXUSR)
    printed = run_tool(
        *('slurm_train.sh', 'gpu', 'job', config, 'out', '--no-validate'),
        cwd=tmp_path,
        **CPU,
        PATH=f'{srun.parent}:{os.environ["PATH"]}',
        GPUS='1',
        GPUS_PER_NODE='0',
        SRUN_ARGS='--qos=low\n--exclusive',
    )
    assert '-p gpu --job-name=job --ntasks=1' in printed
    assert '--qos=low --exclusive' in printed and '--gres' not in printed
    assert 'Distributed training: True' in printed
    assert (tmp_path / 'out' / 'epoch_1.pth').is_file()


@pytest.mark.parametrize(
    ('script', 'args', 'message'),
    [
        ('dist_train.sh', ['x.py'], 'CONFIG PROCESSES'),
        ('dist_train.sh', ['x.py', 'two'], "not 'two'"),
        ('dist_test.sh', ['x.py', 'x.pth'], 'CONFIG CHECKPOINT PROCESSES'),
        ('slurm_train.sh', ['gpu'], 'PARTITION JOB_NAME CONFIG WORK_DIR'),
        ('slurm_test.sh', ['gpu'], 'PARTITION JOB_NAME CONFIG CHECKPOINT'),
        ('dist_launch.sh', ['--help'], 'SCRIPT PROCESSES [arguments]'),
        ('slurm_launch.sh', ['--help'], 'PARTITION JOB_NAME SCRIPT'),
        ('dist_launch.py', ['--help'], '[options of torchrun] SCRIPT'),
    ],
)
def test_usage(
    script: str, args: list[str], message: str, tmp_path: Path
) -> None:
    assert message in run_tool(script, *args, cwd=tmp_path, fails=True)


HANGING = """
import os
import signal
import time
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class SpyHook(Hook):
    '''Stop one process for good, or tell who is there and wait.'''

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        with open(f'pid_{os.environ["RANK"]}', 'w') as file:
            file.write(str(os.getpid()))
        if os.environ['RANK'] == '1' and 'HANG' in os.environ:
            os.kill(os.getpid(), signal.SIGSTOP)
        elif 'WAIT' in os.environ:
            time.sleep(float(os.environ['WAIT']))
"""


def hanging_config(folder: Path) -> Path:
    """Write a config whose processes do not come to an end."""
    config = write_digits_config(folder)
    add_spy(config)
    (folder / 'spy.py').write_text(HANGING)
    return config


def test_a_process_that_hangs_is_named(tmp_path: Path) -> None:
    printed = run_tool(
        *('dist_train.sh', hanging_config(tmp_path), 2, '--timeout', 6),
        cwd=tmp_path,
        fails=True,
        **CPU,
        PYTHONPATH=str(tmp_path),
        HANG='1',
    )
    pid = (tmp_path / 'pid_1').read_text()
    assert printed.count(f'process 1 (pid {pid} on') == 1
    assert 'does not answer' in printed and 'Traceback' not in printed


@contextmanager
def launched(
    folder: Path, *options: str, wait: str
) -> Iterator['subprocess.Popen[bytes]']:
    """Start two processes that train, and wait in each iteration."""
    command = ['bash', str(TOOLS / 'dist_train.sh')]
    command += [str(hanging_config(folder)), '2', *options]
    env = dict(PYTHONPATH=str(folder), WAIT=wait, PYTHON=sys.executable)
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **CPU, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as launcher:
        files = [folder / f'pid_{rank}' for rank in range(2)]
        wait_for(lambda: all(f.exists() and f.read_text() for f in files))
        yield launcher


def test_no_orphans_of_a_killed_launcher(tmp_path: Path) -> None:
    with launched(tmp_path, wait='300') as launcher:
        launcher.kill()
    pids = [int((tmp_path / f'pid_{rank}').read_text()) for rank in range(2)]
    wait_for(lambda: not any(map(is_running, pids)), seconds=10)


@pytest.mark.skipif(not CHILDREN.exists(), reason='needs /proc')
@pytest.mark.parametrize('name', ['SIGTERM', 'SIGUSR1'])
def test_a_signal_reaches_the_processes(name: str, tmp_path: Path) -> None:
    options = ('--signal', name, '--work-dir', 'out')
    with launched(tmp_path, *options, wait='1') as launcher:
        launcher.send_signal(signal.Signals[name])
        assert launcher.wait(240) == 75
    pointer = tmp_path / 'out' / 'last_checkpoint'
    last = Path(pointer.read_text())
    assert last.is_file()
    assert re.fullmatch(r'epoch_\d_iter_\d\.pth', last.name)


def is_running(pid: int) -> bool:
    """Say whether there is a process that is not just waiting to be reaped."""
    try:
        stat = Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return False
    return stat.rpartition(')')[2].split()[0] != 'Z'


def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    printed = run_tool(
        *('dist_train.sh', write_digits_config(tmp_path), 2),
        *('--cfg-options', 'load_form=x'),
        cwd=tmp_path,
        fails=True,
        **CPU,
    )
    assert printed.count("did you mean 'load_from'") == 1
    assert 'Traceback' not in printed


def test_what_the_network_refuses_is_told_once(tmp_path: Path) -> None:
    ranks = run_ranks(
        *(2, TOOLS / 'train.py', write_digits_config(tmp_path)),
        *('--launcher', 'pytorch'),
        *('--cfg-options', 'model.backbone.depth=7'),
        cwd=tmp_path,
        **CPU,
    )
    printed = ''.join(rank.stdout + rank.stderr for rank in ranks)
    assert printed.count('invalid depth 7 for resnet') == 1
    assert 'Traceback' not in printed
    assert all(rank.returncode == 1 for rank in ranks)


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(('', 0))
        server.listen()
        port = str(server.getsockname()[1])
        printed = run_tool(
            *('dist_train.sh', 'x.py', 2),
            cwd=tmp_path,
            fails=True,
            PORT=port,
        )
    (line,) = [x for x in printed.splitlines() if port in x]
    assert line.startswith(f'port {port} of this machine cannot be used')
    assert 'choose another by PORT' in line and 'Traceback' not in printed
