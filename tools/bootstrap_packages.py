"""The packages of an environment: those half there, and those to share.

Standard library only, for any Python 3, like its caller.
"""

import csv
import os
import re
import shutil
from pathlib import Path

# A family itself, and what each environment has of its own.
OWN = re.compile(r'(onedl_.*|mlfm_mm|pip|setuptools)-')


def sweep(venv: Path) -> None:
    """Remove packages that a killed pip left half installed.

    RECORD is what pip writes last; without it pip would take the package for
    installed. Names with a tilde are its backups.

    Args:
        venv (Path): The environment.
    """
    for folder in venv.glob('lib/python*/site-packages/*'):
        half = (
            folder.suffix == '.dist-info' and not (folder / 'RECORD').exists()
        )
        if half or folder.name.startswith('~'):
            shutil.rmtree(str(folder), ignore_errors=True)


def share(source: Path, target: Path) -> int:
    """Link packages into an environment of the same version of Python.

    The environments of both families need the same torch, some 5 GB of it.
    pip replaces files and never writes into them, so that neither
    environment can change the other. Scripts are left out, because their
    first line names the Python of the source.

    Args:
        source (Path): A complete environment.
        target (Path): The one to fill; what it has already stays.

    Returns:
        int: How many packages were linked.
    """
    linked = 0
    for site in source.glob('lib/python*/site-packages'):
        twin = target / site.relative_to(source)
        if not twin.is_dir():
            continue
        for record in sorted(site.glob('*.dist-info/RECORD')):
            package = record.parent.name
            present = twin.glob(package.split('-')[0] + '-*.dist-info')
            if not OWN.match(package) and not any(present):
                _link_package(record, site, twin)
                linked += 1
    return linked


def _link_package(record: Path, site: Path, twin: Path) -> None:
    with record.open(newline='', encoding='utf-8') as file:
        names = [row[0] for row in csv.reader(file) if row]
    # RECORD comes last, as pip writes it: it says that all else is there.
    names.sort(key=lambda name: name.endswith('.dist-info/RECORD'))
    for name in names:
        if not name.startswith('..') and (site / name).is_file():
            _link(site / name, twin / name)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        return
    try:
        os.link(str(source), str(target))
    except OSError:  # another disk, or one without links
        shutil.copy2(str(source), str(target))
