#!/usr/bin/env python3
"""Create or complete an environment of this checkout from pinned packages.

`make quickstart` and `make test` run this first. It starts under any Python
3, so that it can say which one is needed; the work is done by uv, or by pip
where uv cannot. When nothing has changed since the last time it returns at
once. An environment whose set-up was interrupted is made anew, from packages
that are downloaded already.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The folder of each environment, its requirements and its Pythons: the
# pinned numpy starts at 3.11, and 3.13 is the newest that was tried.
PYTHONS, TESTS = ('3.11', '3.12', '3.13'), 'quickstart dev'
SETS = {
    'onedl': ('.venv', f'torch onedl {TESTS}', PYTHONS),
    'openmmlab': ('.venv-openmmlab', f'torch openmmlab {TESTS}', PYTHONS),
    'floor': ('.venv-floor', 'floor', ('3.10',)),
    'hosts': ('.venv-hosts', 'torch onedl hosts', PYTHONS),
    'hosts-openmmlab': ('.venv-hosts-openmmlab', 'hosts-openmmlab', ('3.11',)),
}
# Measured: 5.7 GB installed, and the largest archives while they unpack.
FRESH_GB, UPDATE_GB = 8.0, 2.0
# Settings that would send the packages somewhere else.
MISLEADING = {
    'PYTHONHOME', 'PYTHONPATH', 'PIP_PREFIX', 'PIP_TARGET', 'PIP_USER',
}  # fmt: skip
# One line of progress, before the next program prints.
say = functools.partial(print, flush=True)


class Environment:
    """One of ``SETS``; makes it ready, one process at a time."""

    def __init__(self, name: str) -> None:
        folder, files, self.pythons = SETS[name]
        self.folder = ROOT / folder
        self.wanted = ' or '.join(self.pythons).replace(' or ', ', ', 1)
        self.python = str(self.folder / 'bin' / 'python')
        self.pins = [f'-rrequirements/{file}.txt' for file in files.split()]
        # What it was made from; absent while it is unfinished.
        self.stamp = self.folder / 'bootstrap.stamp'

    def ensure(self) -> None:
        """Set it up, if it is not."""
        if self.is_ready():
            return
        lock = os.open(str(ROOT / 'requirements'), os.O_RDONLY)
        # The installers keep it as long as they live, should we be killed.
        os.set_inheritable(lock, True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say('Another set-up is at work here; waiting.')
            fcntl.flock(lock, fcntl.LOCK_EX)
        # Another set-up may have done it while this one waited.
        if not self.is_ready():
            self.check_disk()
            self.make()
            self.install()
            self.stamp.write_text(self.fingerprint())
            say(f'{self.folder.name} is ready.')

    def is_ready(self) -> bool:
        """Whether the last set-up was complete and still holds."""
        there = os.path.exists(self.python) and self.stamp.exists()
        return there and self.stamp.read_text() == self.fingerprint()

    def fingerprint(self) -> str:
        """Hash everything the environment follows from."""
        files = ['pyproject.toml', 'setup.py', 'mlfm_mm/version.py']
        files += ['requirements/constraints.txt', *(p[2:] for p in self.pins)]
        digest = hashlib.sha256(str(ROOT).encode())
        for path in [self.folder / 'pyvenv.cfg', *map(ROOT.joinpath, files)]:
            digest.update(path.read_bytes() if path.exists() else b'')
        return digest.hexdigest()

    def check_disk(self) -> None:
        """Refuse to start what the disk cannot hold."""
        # uv shares what an environment here has by hard links.
        torch = any(ROOT.glob('.venv*/lib/python*/site-packages/torch'))
        needed = UPDATE_GB if torch else FRESH_GB
        free = shutil.disk_usage(str(ROOT)).free / 1e9
        if free < needed:
            sys.exit(
                f'error: Only {free:.1f} GB are free where {ROOT} lies, but '
                f'{self.folder.name} needs {needed:.0f} GB. Free some space, '
                'or clone to a larger disk, and run the command again.'
            )

    def make(self) -> None:
        """Keep the environment that is there, or make a new one."""
        # Tells our own environment, which may be made anew, from a user's.
        mark = self.folder / 'bootstrap.mark'
        half = mark.exists() and not self.stamp.exists()
        version = version_of(self.python)
        if version.startswith(self.pythons) and not half:
            say(f'Completing {self.folder.name} with Python {version}.')
            self.stamp.touch()
            self.stamp.unlink()
            return
        if self.folder.exists() and not mark.exists():
            state = f'has Python {version}' if version else 'is broken'
            sys.exit(
                f'error: {self.folder} was not made by this project and '
                f'{state}; needed is Python {self.wanted}. Remove or rename '
                'it and run the command again.'
            )
        python = self.find_python()
        say(
            f'Creating {self.folder.name} with Python {version_of(python)}; '
            'this happens once and takes 6 GB and a few minutes.'
        )
        shutil.rmtree(str(self.folder), ignore_errors=True)
        self.folder.mkdir()
        mark.touch()
        self.run(python, '-m', 'venv', str(self.folder))

    def find_python(self) -> str:
        """Find a Python to build with: the one running this, or another."""
        names = [f'python{version}' for version in self.pythons]
        for path in filter(None, [sys.executable, *map(shutil.which, names)]):
            if version_of(path).startswith(self.pythons):
                return path
        sys.exit(
            f'error: Found Python {version_of(sys.executable)} '
            f'({sys.executable}), but the pinned packages need Python '
            f'{self.wanted}. Install it, or name one: make ... '
            f'PYTHON=/path/to/{names[-1]}'
        )

    def install(self) -> None:
        """Install the pinned packages, then the project itself."""
        pip = (self.python, '-m', 'pip', 'install', '--no-input')
        uv = (self.python, '-m', 'uv', 'pip', 'install', '--python')
        try:
            self.run(*pip, '-q', '--retries=1', '-rrequirements/uv.txt')
            self.run(*uv, self.python, '--compile-bytecode', *self.pins)
        except subprocess.CalledProcessError:
            # uv reads no file of pip's settings, which may name a mirror.
            say('uv could not; now by pip, which takes some minutes.')
            self.run(*pip, *self.pins)
        say('Installing mlfm_mm itself, editable.')
        self.run(*pip, '-q', '--no-deps', '--no-build-isolation', '-e', '.')

    def run(self, *command: str) -> None:
        """Run a command, which shows its progress itself."""
        env = {k: v for k, v in os.environ.items() if k not in MISLEADING}
        if 'PIP_INDEX_URL' in env:
            env.setdefault('UV_DEFAULT_INDEX', env['PIP_INDEX_URL'])
        # /tmp is often a small disk; check_disk() knows this one.
        env['TMPDIR'] = str(self.folder / 'tmp')
        os.makedirs(env['TMPDIR'], exist_ok=True)
        subprocess.check_call(command, cwd=str(ROOT), env=env, close_fds=False)


def version_of(python: str) -> str:
    """Ask a Python for its version; an empty text when it does not run.

    The commands of a version manager exist without the Python they stand
    for, so that a file on the PATH proves nothing.
    """
    code = 'import platform; print(platform.python_version())'
    try:
        asked = subprocess.check_output(
            [python, '-c', code], stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return ''
    return asked.decode().strip()


if __name__ == '__main__':
    try:
        Environment(*sys.argv[1:] or ['onedl']).ensure()
    except subprocess.CalledProcessError:
        sys.exit(
            'error: The set-up failed; the lines above say why: a full disk, '
            'no network, or an index that lacks a package (PIP_INDEX_URL '
            'names another, HTTPS_PROXY a proxy). Mend that and run the '
            'command again; what is downloaded already is used.'
        )
    except KeyboardInterrupt:
        sys.exit('Interrupted; the same command goes on from here.')
