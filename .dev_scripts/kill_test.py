"""Kill training runs, resume them by the same command, compare the results.

    python .dev_scripts/kill_test.py [--runs 20] [--processes 2] [--out FILE]

Each run is a process of its own, with real files. It is killed once or twice,
then resumed to its end; its last checkpoint is compared bit by bit with that
of a run that was not killed. Beside our hooks, ``--way`` tries MMEngine's own.
``make kill-test`` writes what docs/reliability.md shows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mlfm_mm.engine.arguments import make_parser
from mlfm_mm.engine.survival import protect
from tests.engine.hooks import killed, toy

WAYS = ('ours', 'keep_all', 'keep_one')
KINDS = ('SIGKILL', 'SIGTERM', 'inside the write', 'disk full')
SAME, OTHER, LOST = 'same bits', 'other weights', 'cannot go on'
EMA = dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.1)
# The last line of the log before the first iteration.
BEGINS = 'Checkpoints will be saved to'
PAUSE = 0.05


def write_config(
    way: str, work: Path, by_epoch: bool, workers: int, processes: int
) -> Path:
    """Write the config of a run, with augmentation, dropout and EMA."""
    cfg = toy.toy_config(work, by_epoch=by_epoch, workers=workers)
    toy.add_validation(cfg)
    cfg.model.channels = 64
    if not by_epoch:
        cfg.train_cfg.val_interval = 4
    cfg.custom_hooks = [EMA, dict(type='PauseHook', seconds=PAUSE)]
    if way != 'keep_all':
        cfg.default_hooks.checkpoint.update(
            max_keep_ckpts=1, save_best='score', rule='greater'
        )
    if way == 'ours':
        protect(cfg)
    cfg.resume = True
    if processes > 1:
        cfg.launcher = 'pytorch'
        cfg.train_dataloader.batch_size = 4 // processes
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel', device_ids=None
        )
    path = work.with_suffix('.py')
    cfg.dump(path)
    return path


class Run:
    """The processes of one attempt to train.

    Args:
        config (Path): The config.
        processes (int): How many.
        file_size (int, optional): The most bytes that a file can have, to
            simulate a full disk. Defaults to None.
        torn (int): The process kills itself while it writes the checkpoint
            of this number, counted from 1. Defaults to 0, never.
    """

    def __init__(
        self,
        config: Path,
        processes: int = 1,
        file_size: int | None = None,
        torn: int = 0,
    ) -> None:
        self.log = config.with_suffix('.log')
        self.log.write_text('')
        port = free_port()
        # Forked, because this process has done the slow imports already.
        fork = multiprocessing.get_context('fork')
        self.processes = [
            fork.Process(
                target=train,
                args=(config, self.log, file_size, torn),
                kwargs=environment(rank, processes, port),
            )
            for rank in range(processes)
        ]
        for process in self.processes:
            process.start()

    def wait_until_it_trains(self) -> None:
        """Wait for the first iteration."""
        while BEGINS not in self.log.read_text() and not self.ended():
            time.sleep(0.01)

    def ended(self) -> bool:
        """Check whether any process has ended."""
        return any(p.exitcode is not None for p in self.processes)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all processes."""
        for process in self.processes:
            if process.pid and process.is_alive():
                os.kill(process.pid, number)

    def wait(self) -> int:
        """Wait for the end; kill processes that hang as another has died."""
        while not self.ended():
            time.sleep(0.02)
        for process in self.processes:
            process.join(20)
            process.kill()
            process.join()
        return max(abs(p.exitcode or 0) for p in self.processes)


def train(
    config: Path, log: Path, file_size: int | None, torn: int, **env: str
) -> None:
    """Train in this process, which was forked for it."""
    os.environ.update(env)
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(out, sys.stdout.fileno())
    os.dup2(out, sys.stderr.fileno())
    if file_size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size,) * 2)
    killed.main(
        [str(config), *(['--kill', 'torn', str(torn)] if torn else [])]
    )


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return int(free.getsockname()[1])


def environment(rank: int, processes: int, port: int) -> dict[str, str]:
    """Get the variables of a process group, which a launcher sets."""
    return {
        'RANK': str(rank),
        'LOCAL_RANK': str(rank),
        'WORLD_SIZE': str(processes),
        'MASTER_ADDR': '127.0.0.1',
        'MASTER_PORT': str(port),
    }


def kill(kind: str, config: Path, processes: int, draw: random.Random) -> None:
    """Start or resume a run, and stop it by a kind of failure."""
    if kind == 'inside the write':
        Run(config, processes, torn=draw.randint(1, 5)).wait()
    elif kind == 'disk full':
        # More than the logs, less than any checkpoint that can be resumed.
        # The best one is smaller, because it lacks the optimizer.
        Run(config, processes, file_size=20_000).wait()
    else:
        run = Run(config, processes)
        run.wait_until_it_trains()
        # Twelve iterations, three validations and their checkpoints.
        time.sleep(draw.uniform(0, 12 * PAUSE + 0.5))
        run.send(signal.Signals[kind])
        run.wait()


def end(config: Path, processes: int) -> dict | str:
    """Resume a run to its end; return its checkpoint, or the last error."""
    run = Run(config, processes)
    if run.wait():
        return run.log.read_text().strip().splitlines()[-1]
    work = config.with_suffix('')
    name = Path((work / 'last_checkpoint').read_text()).name
    content: dict = torch.load(work / name, weights_only=False)
    return content


def tensors(content: dict) -> Iterator[torch.Tensor]:
    """Yield the weights, their averages and the momenta."""
    for part in ('state_dict', 'ema_state_dict'):
        yield from content[part].values()
    for state in content['optimizer']['state'].values():
        yield from (v for v in state.values() if torch.is_tensor(v))


def compare(found: dict | str, whole: dict | str) -> str:
    """Compare the end of a run with that of one that was not killed."""
    if isinstance(found, str) or isinstance(whole, str):
        return LOST
    pairs = zip(tensors(found), tensors(whole), strict=True)
    return SAME if all(torch.equal(a, b) for a, b in pairs) else OTHER


def try_runs(
    way: str, args: argparse.Namespace, folder: Path
) -> Iterator[dict]:
    """Kill and resume runs of one way, kind after kind."""
    kinds, processes = args.kinds, args.processes
    wholes = {}
    for number in range(args.runs):
        draw = random.Random(f'{args.seed} {number}')
        kind = kinds[number % len(kinds)]
        by_epoch = number // len(kinds) % 2 == 0
        if by_epoch not in wholes:
            work = folder / f'{way}_{by_epoch}'
            path = write_config(way, work, by_epoch, 0, processes)
            wholes[by_epoch] = end(path, processes)
        workers = draw.choice((0, 2)) if way == 'ours' else 0
        path = write_config(
            way, folder / f'{way}_{number}', by_epoch, workers, processes
        )
        kills = draw.choice((1, 2))
        for _ in range(kills):
            kill(kind, path, processes, draw)
        found = end(path, processes)
        yield dict(
            way=way,
            kind=kind,
            loop='epochs' if by_epoch else 'iterations',
            processes=processes,
            kills=kills,
            outcome=compare(found, wholes[by_epoch]),
            words=found if isinstance(found, str) else '',
        )


def main() -> int:
    """Try, print and save."""
    parser = make_parser(__doc__)
    parser.add_argument('--runs', type=int, default=20)
    parser.add_argument('--processes', type=int, default=1)
    parser.add_argument(
        '--kinds', nargs='+', choices=KINDS, default=list(KINDS)
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--way', nargs='+', choices=WAYS, default=['ours'])
    parser.add_argument('--out', type=Path, help='a file for the results')
    args = parser.parse_args()
    results = []
    with TemporaryDirectory() as folder:
        for way in args.way:
            for result in try_runs(way, args, Path(folder)):
                results.append(result)
                print(len(results), *result.values(), flush=True)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(results, indent=1) + '\n')
    ours = [r['outcome'] for r in results if r['way'] == 'ours']
    return int(any(outcome != SAME for outcome in ours))


if __name__ == '__main__':
    sys.exit(main())
