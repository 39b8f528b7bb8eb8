"""Damage the files of a stopped run, resume it, and report the outcome.

    python .dev_scripts/harm_test.py [--out FILE]

Each damage is tried with our hooks, and with MMEngine's own, which keep all
checkpoints by default. ``make kill-test`` writes what docs/reliability.md
shows.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from mmengine.config import Config

from kill_test import OTHER, Run, compare, end, write_config
from mlfm_mm.engine.arguments import make_parser

Harm = Callable[[Path], Path | None]
# In the middle of the third epoch; two checkpoints are there.
STOPPED = 10
NEWEST = 'epoch_2.pth'


def leave(work: Path) -> None:
    """Do nothing: the run was only stopped."""


def tear(work: Path) -> None:
    """Cut the newest checkpoint in half."""
    data = (work / NEWEST).read_bytes()
    (work / NEWEST).write_bytes(data[: len(data) // 2])


def empty(work: Path) -> None:
    """Empty the newest checkpoint."""
    (work / NEWEST).write_bytes(b'')


def rot(work: Path) -> None:
    """Flip one bit in the weights of the newest checkpoint."""
    data = bytearray((work / NEWEST).read_bytes())
    content = torch.load(work / NEWEST, weights_only=False)
    weight = content['state_dict']['conv.weight'].numpy().tobytes()
    data[data.index(weight) + 3] ^= 1
    (work / NEWEST).write_bytes(bytes(data))


def tear_all(work: Path) -> None:
    """Cut all checkpoints."""
    for path in work.glob('*.pth'):
        path.write_bytes(path.read_bytes()[:1000])


def lose_pointer(work: Path) -> None:
    """Delete ``last_checkpoint``."""
    (work / 'last_checkpoint').unlink()


def empty_pointer(work: Path) -> None:
    """Empty ``last_checkpoint``."""
    (work / 'last_checkpoint').write_text('')


def move(work: Path) -> Path:
    """Move the folder."""
    return work.rename(work.with_name(f'{work.name}_moved'))


def copy(work: Path) -> Path:
    """Copy the folder; the copy of a run must leave the original alone."""
    copied = work.with_name(f'{work.name}_copy')
    shutil.copytree(work, copied)
    tear_all(work)
    return copied


HARMS: dict[str, Harm] = {
    'stopped in the middle of an epoch, nothing else': leave,
    'the newest checkpoint torn': tear,
    'the newest checkpoint empty': empty,
    'one bit of the newest checkpoint turned': rot,
    'all checkpoints torn': tear_all,
    '`last_checkpoint` deleted': lose_pointer,
    '`last_checkpoint` empty': empty_pointer,
    'the folder moved': move,
    'the folder copied, the original torn': copy,
}


def change(config: Path, changes: dict, work: Path | None = None) -> Path:
    """Save a config with changes, perhaps for another work folder."""
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(changes)
    if work is not None:
        cfg.work_dir = str(work)
        config = work.with_suffix('.py')
    cfg.dump(config)
    return config


def stopped_run(way: str, work: Path) -> Path:
    """Train up to the middle of the third epoch."""
    config = write_config(way, work, True, 0, 1)
    hooks = Config.fromfile(config).custom_hooks
    stop = dict(type='StopHook', at=STOPPED)
    keep = {'default_hooks.checkpoint.max_keep_ckpts': -1}
    change(config, {**keep, 'custom_hooks': [*hooks, stop]})
    Run(config).wait()
    return change(config, dict(custom_hooks=hooks))


def resume(config: Path, whole: dict | str) -> str:
    """Resume a run, and describe the outcome in a few words."""
    found = end(config, 1)
    log = config.with_suffix('.log').read_text()
    if isinstance(found, str):
        kind, _, message = found.partition(': ')
        words = message if 'UsageError' in kind else f'{kind}: {message}'
        return f'stops: {words[:160].replace(str(config.parent), "...")}'
    outcome = compare(found, whole)
    passed = ', which it names' if 'Passed over' in log else ''
    resumed = 'resumed epoch' in log
    how = f'goes on{passed}' if resumed else 'starts anew'
    return f'{how}: {outcome}'


def try_harms(folder: Path) -> list[dict]:
    """Try every damage, with our hooks and with MMEngine's."""
    wholes = {
        way: end(write_config(way, folder / f'whole_{way}', True, 0, 1), 1)
        for way in ('ours', 'keep_all')
    }
    rows = []
    for number, (name, harm) in enumerate(HARMS.items()):
        row = {'input': name}
        for way, whole in wholes.items():
            config = stopped_run(way, folder / f'{way}_{number}')
            moved = harm(config.with_suffix(''))
            config = change(config, {}, moved) if moved else config
            row[way] = resume(config, whole)
        rows.append(row)
        print(*row.values(), sep='\n  ', flush=True)
    return [*rows, not_a_number(folder)]


def not_a_number(folder: Path) -> dict:
    """Put NaN into an image from the second epoch on."""
    row = {'input': 'a loss that is no number'}
    for way in ('ours', 'keep_all'):
        config = write_config(way, folder / f'nan_{way}', True, 0, 1)
        hooks = Config.fromfile(config).custom_hooks
        poison = dict(type='PoisonHook', epoch=1, image=5)
        change(config, dict(custom_hooks=[*hooks, poison]))
        code = Run(config).wait()
        saved = [
            torch.load(path, weights_only=False)['state_dict']
            for path in config.with_suffix('').glob('*.pth')
        ]
        sound = all(v.isfinite().all() for s in saved for v in s.values())
        row[way] = (
            f'{"stops" if code else "trains to the end, exit 0"}; saved '
            f'weights are {"sound" if sound else "no numbers"}'
        )
    print(*row.values(), sep='\n  ', flush=True)
    return row


def main() -> int:
    """Try, print and save."""
    parser = make_parser(__doc__)
    parser.add_argument('--out', type=Path, help='a file for the results')
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        rows = try_harms(Path(folder))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(rows, indent=1) + '\n')
    return int(any(OTHER in row['ours'] for row in rows))


if __name__ == '__main__':
    sys.exit(main())
