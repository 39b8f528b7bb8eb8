"""Create or complete an environment: FOLDER PYTHONS REQUIREMENTS...

The Makefile runs this first, and names the folder, the Pythons that suit,
such as 'Python 3.11 or 3.12', and the files in `requirements/`. It starts
under any Python 3, so that it can say which one is needed, and ends at once
where nothing has changed since the last time.
"""

import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER, WANTED = ROOT / sys.argv[1], sys.argv[2]
VERSIONS = tuple(re.findall(r'[\d.]+', WANTED))
FILES = [f'requirements/{name}.txt' for name in sys.argv[3:]]
PYTHON = str(FOLDER / 'bin' / 'python')
# Marks an environment of ours, which may be made anew; a user's may not.
MARK = FOLDER / 'bootstrap.mark'
# What the environment was made from; absent while it is unfinished.
STAMP = FOLDER / 'bootstrap.stamp'
# Measured: 5.7 GB installed, and the largest archives while they unpack.
FIRST_GB = 8.0
# Commands inherit the lock, and keep it if this process is killed.
run = functools.partial(subprocess.check_call, close_fds=False)


def main() -> None:
    """Make the environment ready, one process at a time."""
    os.chdir(str(ROOT))
    if is_ready():
        return
    lock = os.open('requirements', os.O_RDONLY)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print('Another set-up is at work here; waiting.')
        fcntl.flock(lock, fcntl.LOCK_EX)
    # Another set-up may have done it while this one waited.
    if not is_ready():
        keep_or_create()
        install()
        STAMP.write_bytes(origin())
        print(f'{FOLDER.name} is ready.')


def is_ready() -> bool:
    """Check whether the last set-up was finished and is up to date."""
    return STAMP.exists() and STAMP.read_bytes() == origin()


def origin() -> bytes:
    """Collect what the environment depends on: place, Python and files."""
    files = ['pyproject.toml', 'setup.py', 'mlfm_mm/version.py', *FILES]
    files += ['requirements/constraints.txt']
    texts = [Path(file).read_bytes() for file in files]
    return b'\n'.join([bytes(ROOT), version_of(PYTHON).encode(), *texts])


def version_of(python: str, modules: str = 'sys') -> str:
    """Get the version of a Python that has these modules.

    It is empty if the command does not run: a version manager has commands
    even for a Python that is not installed.
    """
    code = f'import {modules}, platform; print(platform.python_version())'
    try:
        asked = subprocess.check_output(
            [python, '-c', code], stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return ''
    return asked.decode().strip()


def keep_or_create() -> None:
    """Keep the environment that is there, or begin a new one."""
    version = version_of(PYTHON)
    interrupted = MARK.exists() and not STAMP.exists()
    if version.startswith(VERSIONS) and not interrupted:
        print(f'Completing {FOLDER.name} with Python {version}.')
        if STAMP.exists():
            STAMP.unlink()
        return
    if FOLDER.exists() and not MARK.exists():
        state = f'has Python {version}' if version else 'is broken'
        sys.exit(
            f'error: {FOLDER} was not made by this project and {state}; '
            f'needed is {WANTED}. Remove or rename it and run the command '
            'again.'
        )
    python = find_python()
    free = shutil.disk_usage('.').free / 1e9
    # Later environments link to a cache, or replace the one removed below.
    first = not any(ROOT.glob('.venv*/bootstrap.mark'))
    if first and free < FIRST_GB:
        sys.exit(
            f'error: Only {free:.1f} GB are free where {ROOT} lies, but '
            f'{FIRST_GB:.0f} GB are needed. Free some space, or clone to a '
            'larger disk, and run the command again.'
        )
    print(
        f'Creating {FOLDER.name} with Python {version_of(python)}; this '
        'happens once and takes 6 GB and a few minutes.'
    )
    shutil.rmtree(str(FOLDER), ignore_errors=True)
    FOLDER.mkdir()
    MARK.touch()
    run([python, '-m', 'venv', str(FOLDER)])


def find_python() -> str:
    """Find a Python to build with: the one running this, or another."""
    running = sys.executable
    if sys.prefix != sys.base_prefix:
        # Not that of an active environment, which may be replaced here.
        running = os.path.realpath(running)
    others = [shutil.which(f'python{version}') for version in VERSIONS]
    for python in filter(None, [running, *others]):
        if version_of(python, 'ensurepip, venv').startswith(VERSIONS):
            return python
    sys.exit(
        f'error: Found Python {version_of(running)} ({running}), but the '
        f'pinned packages need {WANTED} with its modules venv and ensurepip '
        '(Debian, Ubuntu: apt install python3-venv). Install it, or name one: '
        f'make ... PYTHON=/path/to/python{VERSIONS[-1]}'
    )


def install() -> None:
    """Install the pinned packages by uv or pip, then the project itself."""
    # /tmp is often a small disk.
    os.environ['TMPDIR'] = str(FOLDER / 'tmp')
    os.makedirs(os.environ['TMPDIR'], exist_ok=True)
    # uv ignores the settings of pip. It gets this one; if a file of pip's
    # names the index that has the packages, uv fails and pip takes over.
    if 'PIP_INDEX_URL' in os.environ:
        os.environ.setdefault('UV_DEFAULT_INDEX', os.environ['PIP_INDEX_URL'])
    pip = [PYTHON, '-m', 'pip', 'install', '--no-input']
    uv = [PYTHON, '-m', 'uv', 'pip', 'install', '--python', PYTHON]
    pins = [f'-r{file}' for file in FILES]
    try:
        run([*pip, '-q', '--retries=1', '-rrequirements/uv.txt'])
        run([*uv, '--compile-bytecode', *pins])
    except subprocess.CalledProcessError:
        print('uv could not; now by pip, which takes some minutes.')
        run([*pip, *pins])
    print('Installing mlfm_mm itself, editable.')
    run([*pip, '-q', '--no-deps', '--no-build-isolation', '-e', '.'])


if __name__ == '__main__':
    try:
        main()
    except subprocess.CalledProcessError:
        sys.exit(
            'error: The set-up failed; the lines above say why: a full disk, '
            'no network, or an index that lacks a package (PIP_INDEX_URL '
            'names another, HTTPS_PROXY a proxy). Mend that and run the '
            'command again; what is downloaded already is used.'
        )
    except KeyboardInterrupt:
        sys.exit('Interrupted; the same command goes on from here.')
