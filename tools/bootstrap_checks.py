"""What can be missing for ``bootstrap.py``, and what to do about it.

Standard library only, for any Python 3, like its caller.
"""

import re
import shutil
import subprocess
import sys
from typing import NamedTuple, Optional

# The first is the oldest the pinned numpy knows, the last the newest tried.
SUPPORTED = ((3, 11), (3, 12), (3, 13))
SUPPORTED_NAMES = 'Python 3.11, 3.12 or 3.13'
PROBE = (
    'import sys; print("%d.%d.%d" % sys.version_info[:3])\n'
    'try:\n import ensurepip, venv; print("yes")\n'
    'except ImportError: print("no")\n'
)
# What went wrong, told by pip's log, and what to do; the first match counts.
CAUSES = (
    (
        r'No space left on device|Errno 28',
        'The disk became full while installing.',
        'Free some space (also in the pip cache: `pip cache purge`)',
    ),
    (
        r'NewConnectionError|ConnectTimeout|Read timed out|ProxyError'
        r'|SSLError|name resolution|Name or service not known|getaddrinfo'
        r'|Connection refused|Connection broken|Network is unreachable'
        r'|RemoteDisconnected|Connection reset',
        'No network: pip cannot reach its package index.',
        'Connect, or set PIP_INDEX_URL to a mirror or HTTPS_PROXY to a proxy',
    ),
    (
        # The second when a requirement and a constraint name it alike.
        r'(?:No matching distribution found for|Cannot install) (\S+)',
        'The package index has no {} for this Python and platform.',
        'Check that your index (`pip config list`) is complete, or use '
        'another Python by PYTHON=/path/to/python',
    ),
    (
        r'Permission denied',
        'A file in .venv or in the pip cache may not be written.',
        'Make yourself the owner of both',
    ),
)


class SetupError(Exception):
    """A reason why the set-up cannot go on, with its remedy."""


class Interpreter(NamedTuple):
    """A Python that was found, and whether it can make environments."""

    path: str
    version: str
    has_venv: bool

    @property
    def supported(self) -> bool:
        """Whether the pinned packages exist for its version."""
        major, minor = self.version.split('.')[:2]
        return (int(major), int(minor)) in SUPPORTED


def probe(path: str) -> Optional[Interpreter]:
    """Ask a Python for its version; None when it does not run.

    The commands of a version manager exist without the Python they stand
    for, so that a file on the PATH proves nothing.
    """
    try:
        done = subprocess.run(
            [path, '-c', PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode().split()
    if done.returncode or len(words) != 2:
        return None
    return Interpreter(path, words[0], words[1] == 'yes')


def find_python() -> Interpreter:
    """Find a Python to build with: the one running this, or another."""
    names = [f'python{major}.{minor}' for major, minor in SUPPORTED]
    found = []
    for path in [sys.executable, *map(shutil.which, [*names, 'python3'])]:
        python = probe(path) if path else None
        if python and python.supported and python.has_venv:
            return python
        if python:
            found.append(python)
    for python in found:
        if python.supported:
            raise SetupError(
                f'{python.path} (Python {python.version}) lacks the modules '
                'venv and ensurepip. Install them (Debian, Ubuntu: sudo apt '
                f'install python{python.version.rpartition(".")[0]}-venv) '
                'and run the command again.'
            )
    seen = found[0] if found else Interpreter('none', 'no Python', False)
    raise SetupError(
        f'Found Python {seen.version} ({seen.path}), but the pinned packages '
        f'need {SUPPORTED_NAMES}. Install one of these, or name one: '
        'make ... PYTHON=/path/to/python3.12'
    )


def explain(log: str) -> str:
    """Turn the log of a failed pip into one message with a remedy."""
    for pattern, what, remedy in CAUSES:
        match = re.search(pattern, log)
        if match:
            return f'{what.format(*match.groups())} {remedy}, then run ' + (
                'the command again: it goes on where it stopped.'
            )
    return (
        'pip failed; the lines above say why. Running the command again '
        'goes on where it stopped.'
    )
