#!/usr/bin/env python3
"""Create or complete ``.venv`` from the pinned requirements.

`make quickstart` and `make test` run this first; with the argument
``openmmlab`` it does the same for ``.venv-openmmlab``, the environment of the
original distributions, which takes what it can from ``.venv``. It needs
nothing but the standard library and starts under any Python 3, so that it can
say which one the project needs. Running it again resumes a set-up that was
interrupted; when nothing has changed it returns at once.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List, Optional

from bootstrap_checks import (
    SUPPORTED_NAMES,
    SetupError,
    explain,
    find_python,
    probe,
)
from bootstrap_packages import share, sweep

try:
    import fcntl
except ImportError:  # Windows: two set-ups at once are not kept apart there
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[1]
# The environment of each family of distributions.
FAMILIES = {'onedl': '.venv', 'openmmlab': '.venv-openmmlab'}
# Measured: 5.6 GB installed, and the largest archives while they unpack.
FRESH_GB = 8.0
UPDATE_GB = 2.0
BEAT_SECONDS = 10.0
LOG_LINES = 20
DOING = re.compile(
    r'^ *(Collecting|Downloading|Processing|Building|Installing) (\S+)',
    re.MULTILINE,
)
# Without them in the checkout, an editable install could not link to them.
LINKED = ('configs', 'tools', 'model-index.yml')
# Settings that would send the packages somewhere else than into .venv.
MISLEADING = (
    'PYTHONHOME',
    'PYTHONPATH',
    'PIP_PREFIX',
    'PIP_TARGET',
    'PIP_USER',
)


class Bootstrap:
    """The set-up of one checkout.

    Args:
        root (Path): The top folder of the checkout. Defaults to the one
            this file is in.
        family (str): Whose environment. Defaults to 'onedl'.
    """

    def __init__(self, root: Path = ROOT, family: str = 'onedl') -> None:
        self.root = root
        self.venv = root / FAMILIES[family]
        names = ('torch', family, 'quickstart', 'dev')
        self.requirements = [root / f'requirements/{n}.txt' for n in names]
        self.python = self.venv / 'bin' / 'python'
        self.log = self.venv / 'bootstrap.log'
        self.stamp = self.venv / 'bootstrap.stamp'
        # Tells our own environment, which may be rebuilt, from another's.
        self.mark = self.venv / 'bootstrap.mark'
        self.scratch = self.venv / 'tmp'
        self.locks: List[int] = []
        self.started = time.time()

    def say(self, text: str) -> None:
        """Print one line of progress with the time since the start."""
        print(f'[{time.time() - self.started:4.0f} s] {text}', flush=True)

    def fingerprint(self) -> str:
        """Hash everything the environment follows from."""
        linked = [(self.root / name).exists() for name in LINKED]
        digest = hashlib.sha256(f'{self.root} {linked}'.encode())
        files = [
            self.root / 'requirements' / 'constraints.txt',
            *self.requirements,
            self.root / 'setup.py',
            self.root / 'mlfm_mm' / 'version.py',
            self.venv / 'pyvenv.cfg',
        ]
        for file in files:
            digest.update(file.read_bytes() if file.exists() else b'')
            digest.update(b'\0')
        return digest.hexdigest()

    def is_ready(self) -> bool:
        """Whether the last set-up was complete and still holds."""
        return (
            self.python.exists()
            and self.stamp.exists()
            and self.stamp.read_text() == self.fingerprint()
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let only one set-up work here; the others wait for it.

        The lock is on a folder that always exists and ends with its holder,
        so that a crash leaves nothing to clean up.
        """
        handle = os.open(str(self.root / 'requirements'), os.O_RDONLY)
        try:
            if fcntl:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self.say('Another set-up is at work here; waiting.')
                    fcntl.flock(handle, fcntl.LOCK_EX)
            self.locks.append(handle)
            yield
        finally:
            self.locks.clear()
            os.close(handle)

    def check_disk(self) -> None:
        """Refuse to start what the disk cannot hold."""
        torch = list(self.venv.glob('lib/python*/site-packages/torch'))
        needed = UPDATE_GB if torch or self.lender() else FRESH_GB
        free = shutil.disk_usage(str(self.root)).free / 1e9
        if free < needed:
            raise SetupError(
                f'Only {free:.1f} GB are free where {self.root} lies, but '
                f'{self.venv.name} needs {needed:.0f} GB. Free some space, '
                'or clone to a larger disk, and run the command again.'
            )

    def make_venv(self) -> None:
        """Reuse the environment that is there, or build a new one."""
        present = probe(str(self.python)) if self.python.exists() else None
        if present and present.supported and self.has_pip():
            self.say(
                f'Reusing {self.venv.name} with Python {present.version}.'
            )
            return
        if self.venv.exists() and not self.mark.exists():
            state = f'has Python {present.version}' if present else 'is broken'
            raise SetupError(
                f'{self.venv} was not made by this project and {state}; '
                f'needed is {SUPPORTED_NAMES} with pip. Remove or rename it '
                'and run the command again.'
            )
        python = find_python()
        if self.venv.exists():
            self.say('Removing what an earlier set-up left unfinished.')
            shutil.rmtree(str(self.venv))
        takes = 'a minute' if self.lender() else '6 GB and a few minutes'
        self.say(
            f'Creating {self.venv.name} with Python {python.version}; this '
            f'happens once and takes about {takes}.'
        )
        self.venv.mkdir()
        self.mark.write_text('Made by tools/bootstrap.py.\n')
        self.run([python.path, '-m', 'venv', str(self.venv)])

    def lender(self) -> Optional[Path]:
        """The complete environment that this one can take packages from."""
        first = Bootstrap(self.root)
        lends = first.venv != self.venv and first.is_ready()
        return first.venv if lends else None

    def has_pip(self) -> bool:
        """Whether pip works in the environment."""
        command = [str(self.python), '-m', 'pip', '--version']
        return not subprocess.call(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def install(self) -> None:
        """Install the pinned packages, then the project itself."""
        shutil.rmtree(str(self.scratch), ignore_errors=True)
        sweep(self.venv)
        lender = self.lender()
        if lender:
            count = share(lender, self.venv)
            self.say(f'Linked {count} packages from {lender.name}.')
        pip = [str(self.python), '-m', 'pip', 'install', '--no-input']
        chosen = [w for file in self.requirements for w in ('-r', str(file))]
        log = self.log.relative_to(self.root)
        self.say(f'Installing the pinned packages (log: {log}).')
        self.run([*pip, *chosen])
        self.say('Installing mlfm_mm itself, editable.')
        quick = ['--no-deps', '--no-build-isolation', '-e', str(self.root)]
        self.run([*pip, *quick])

    def environment(self) -> Dict[str, str]:
        """The variables for pip: none that misleads, scratch space here."""
        kept = {k: v for k, v in os.environ.items() if k not in MISLEADING}
        # /tmp is often a small disk in memory; check_disk() knows this one.
        return {**kept, 'TMPDIR': str(self.scratch)}

    def run(self, command: List[str]) -> None:
        """Run a command into the log, with a sign of life on the screen."""
        self.scratch.mkdir(exist_ok=True)
        with self.log.open('ab') as log:
            begin = log.tell()
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=str(self.root),
                env=self.environment(),
                # Keeps the lock as long as pip lives, should we be killed.
                pass_fds=self.locks,
            )
            self.watch(process, begin)
        shutil.rmtree(str(self.scratch), ignore_errors=True)
        text = self.log_since(begin)
        if process.returncode:
            tail = '\n'.join(text.splitlines()[-LOG_LINES:])
            print(tail, file=sys.stderr)
            raise SetupError(explain(tail))

    def log_since(self, begin: int) -> str:
        """What the log holds from a position on."""
        with self.log.open('rb') as log:
            log.seek(begin)
            return log.read().decode(errors='replace')

    def watch(self, process: 'subprocess.Popen[bytes]', begin: int) -> None:
        """Say every now and then what pip is doing, until it ends."""
        beat = time.time()
        while process.poll() is None:
            time.sleep(0.1)
            if time.time() - beat > BEAT_SECONDS:
                beat = time.time()
                self.say(f'  {self.progress(begin)}')

    def progress(self, begin: int) -> str:
        """What pip is doing, in one short line."""
        done = len(list(self.venv.glob('lib/python*/site-packages/*.dist-*')))
        doing = DOING.findall(self.log_since(begin)) or [('working', '')]
        verb, name = doing[-1]
        return f'{done} packages installed; {verb} {Path(name).name[:40]}'

    def ensure(self) -> None:
        """Make the environment ready, if it is not."""
        if self.is_ready():
            return
        with self.lock():
            # Another set-up may have done it while this one waited.
            if self.is_ready():
                return
            self.check_disk()
            self.make_venv()
            self.install()
            self.stamp.write_text(self.fingerprint())
            self.say('The environment is ready.')


def main(arguments: List[str]) -> int:
    """Set up the environment; the exit status for the shell."""
    parser = argparse.ArgumentParser(description='Create or complete .venv.')
    parser.add_argument(
        'family', nargs='?', choices=list(FAMILIES), default='onedl'
    )
    try:
        Bootstrap(family=parser.parse_args(arguments).family).ensure()
    except SetupError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('Interrupted; the same command goes on from here.')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
