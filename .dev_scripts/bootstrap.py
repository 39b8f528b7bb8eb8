#!/usr/bin/env python3
"""Create or complete an environment of this checkout from pinned packages.

`make quickstart` and `make test` run this first. It starts under any Python
3, so that it can say which one is needed; the work is done by uv, or by pip
where uv cannot. When nothing has changed since the last time it returns at
once. An environment whose set-up was interrupted is made anew, from packages
that are downloaded already.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

ROOT = Path(__file__).resolve().parents[1]
# The folder of each environment, its requirements and its Pythons: the
# pinned numpy starts at 3.11, and 3.13 is the newest that was tried.
PYTHONS = ('3.11', '3.12', '3.13')
SETS = {
    'onedl': ('.venv', 'torch onedl quickstart dev', PYTHONS),
    'openmmlab': (
        '.venv-openmmlab',
        'torch openmmlab quickstart dev',
        PYTHONS,
    ),
    'floor': ('.venv-floor', 'floor', ('3.10',)),
}
# Measured: 5.7 GB installed, and the largest archives while they unpack.
FRESH_GB, UPDATE_GB = 8.0, 2.0
# Settings that would send the packages somewhere else.
MISLEADING = (
    'PYTHONHOME',
    'PYTHONPATH',
    'PIP_PREFIX',
    'PIP_TARGET',
    'PIP_USER',
)


class SetupError(Exception):
    """A reason why the set-up cannot go on, with its remedy."""


class Bootstrap:
    """The set-up of one environment.

    Args:
        name (str): Which of ``SETS``. Defaults to 'onedl'.
        root (Path): The top folder of the checkout. Defaults to the one
            this file is in.
    """

    def __init__(self, name: str = 'onedl', root: Path = ROOT) -> None:
        folder, files, self.pythons = SETS[name]
        self.root = root
        self.venv = root / folder
        self.requirements = [f'requirements/{f}.txt' for f in files.split()]
        self.python = self.venv / 'bin' / 'python'
        # Tells our own environment, which may be made anew, from a user's.
        self.mark = self.venv / 'bootstrap.mark'
        # What it was made from; absent while it is unfinished.
        self.stamp = self.venv / 'bootstrap.stamp'

    def ensure(self) -> None:
        """Make the environment ready, if it is not."""
        if self.is_ready():
            return
        with self.lock():
            # Another set-up may have done it while this one waited.
            if not self.is_ready():
                self.check_disk()
                self.make_venv()
                self.install()
                self.stamp.write_text(self.fingerprint())
                say(f'{self.venv.name} is ready.')

    def is_ready(self) -> bool:
        """Whether the last set-up was complete and still holds."""
        there = self.python.exists() and self.stamp.exists()
        return there and self.stamp.read_text() == self.fingerprint()

    def fingerprint(self) -> str:
        """Hash everything the environment follows from."""
        files = ['pyproject.toml', 'setup.py', 'mlfm_mm/version.py']
        files += ['requirements/constraints.txt', *self.requirements]
        digest = hashlib.sha256(str(self.root).encode())
        for file in [*files, f'{self.venv.name}/pyvenv.cfg']:
            path = self.root / file
            digest.update(path.read_bytes() if path.exists() else b'')
        return digest.hexdigest()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let only one set-up work here; the lock ends with its holder."""
        self.handle = os.open(str(self.root / 'requirements'), os.O_RDONLY)
        try:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say('Another set-up is at work here; waiting.')
                fcntl.flock(self.handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(self.handle)

    def check_disk(self) -> None:
        """Refuse to start what the disk cannot hold."""
        # uv shares what an environment here has by hard links.
        torch = any(self.root.glob('.venv*/lib/python*/site-packages/torch'))
        needed = UPDATE_GB if torch else FRESH_GB
        free = shutil.disk_usage(str(self.root)).free / 1e9
        if free < needed:
            raise SetupError(
                f'Only {free:.1f} GB are free where {self.root} lies, but '
                f'{self.venv.name} needs {needed:.0f} GB. Free some space, '
                'or clone to a larger disk, and run the command again.'
            )

    def make_venv(self) -> None:
        """Complete the environment that is there, or make a new one."""
        version = version_of(str(self.python))
        ours = self.mark.exists()
        half = ours and not self.stamp.exists()
        if version and self.suits(version) and not half:
            say(f'Completing {self.venv.name} with Python {version}.')
            self.stamp.touch()
            self.stamp.unlink()
        elif self.venv.exists() and not ours:
            state = f'has Python {version}' if version else 'is broken'
            raise SetupError(
                f'{self.venv} was not made by this project and {state}; '
                f'needed is Python {self.wanted()}. Remove or rename it and '
                'run the command again.'
            )
        else:
            python = self.find_python()
            say(
                f'Creating {self.venv.name} with Python {version_of(python)};'
                ' this happens once and takes 6 GB and a few minutes.'
            )
            shutil.rmtree(str(self.venv), ignore_errors=True)
            self.venv.mkdir()
            self.mark.touch()
            self.run(python, '-m', 'venv', str(self.venv))

    def suits(self, version: str) -> bool:
        """Whether the pinned packages exist for a version of Python."""
        return version.rpartition('.')[0] in self.pythons

    def wanted(self) -> str:
        """The versions of Python that suit, in words."""
        return ' or '.join(self.pythons).replace(' or ', ', ', 1)

    def find_python(self) -> str:
        """Find a Python to build with: the one running this, or another."""
        names = [f'python{version}' for version in self.pythons]
        for path in [sys.executable, *map(shutil.which, names)]:
            version = version_of(path) if path else None
            if path and version and self.suits(version):
                return path
        raise SetupError(
            f'Found Python {version_of(sys.executable)} ({sys.executable}), '
            f'but the pinned packages need Python {self.wanted()}. Install '
            f'it, or name one: make ... PYTHON=/path/to/{names[-1]}'
        )

    def install(self) -> None:
        """Install the pinned packages, then the project itself."""
        python = str(self.python)
        pip = (python, '-m', 'pip', 'install', '--no-input', '--quiet')
        uv = (python, '-m', 'uv', 'pip', 'install', '--python', python)
        pins = [word for file in self.requirements for word in ('-r', file)]
        try:
            self.run(*pip, '--retries=1', '-r', 'requirements/uv.txt')
            self.run(*uv, '--compile-bytecode', *pins)
        except SetupError:
            # uv reads no settings of pip, such as the address of a mirror.
            say('uv could not; now by pip, which takes some minutes.')
            self.run(*pip[:-1], *pins)
        say('Installing mlfm_mm itself, editable.')
        self.run(*pip, '--no-deps', '--no-build-isolation', '-e', '.')

    def run(self, *command: str) -> None:
        """Run a command, which shows its progress itself."""
        kept = {k: v for k, v in os.environ.items() if k not in MISLEADING}
        # /tmp is often a small disk; check_disk() knows this one.
        scratch = self.venv / 'tmp'
        scratch.mkdir(exist_ok=True)
        failed = subprocess.call(
            command,
            cwd=str(self.root),
            env={**kept, 'TMPDIR': str(scratch)},
            # Keeps the lock as long as it lives, should we be killed.
            pass_fds=[self.handle],
        )
        if failed:
            raise SetupError(
                'The set-up failed; the lines above say why: a full disk, no '
                'network, or an index that lacks a package (PIP_INDEX_URL '
                'names another, HTTPS_PROXY a proxy). Mend that and run the '
                'command again; what is downloaded already is used.'
            )


def say(text: str) -> None:
    """Print one line of progress, before the next program prints."""
    print(text, flush=True)


def version_of(python: str) -> Optional[str]:
    """Ask a Python for its version; None when it does not run.

    The commands of a version manager exist without the Python they stand
    for, so that a file on the PATH proves nothing.
    """
    code = 'import sys; print("%d.%d.%d" % sys.version_info[:3])'
    try:
        done = subprocess.check_output(
            [python, '-c', code], stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.decode().strip()


def main(name: str = 'onedl') -> int:
    """Set up an environment; the exit status for the shell."""
    try:
        Bootstrap(name).ensure()
    except SetupError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('Interrupted; the same command goes on from here.')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
