"""Build the package, with configs/ and tools/ inside it under ``.mim``.

OpenMIM and the ``_base_ = 'package::config'`` look-ups of OpenMMLab expect
the configs and the launch scripts of an installed package in
``<package>/.mim``. They live at the top of the repository, so they are put
there while building: as real files in a wheel, as links in an editable
install, which then follows every edit. All else is in ``pyproject.toml``.

OpenMIM finds a config by its file name alone, of which the folders of
``configs`` have the same ones; so each network with memory gets a file with
the name that the model index gives it, too.
"""

import os
import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PACKAGE = 'mlfm_mm'
MIM_ENTRIES = ('configs', 'tools', 'model-index.yml')
WITH_MEMORY = ('mlfm', 'mlfm_lite')
MODEL = re.compile(r'- Name: (\S+-mlfm\S*)\n.*?  Config: (\S+)', re.DOTALL)
NOT_SHIPPED = shutil.ignore_patterns('__pycache__', '*.py[co]', '.*')


def remove(path: Path) -> None:
    """Remove a file, a link (never what it points to) or a folder."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, without caches and hidden files."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=NOT_SHIPPED)
    else:
        shutil.copy2(source, target)


def link(source: Path, target: Path) -> None:
    """Link to a file or a folder; copy where links are not allowed."""
    try:
        relative = os.path.relpath(source, target.parent)
        target.symlink_to(relative, target_is_directory=source.is_dir())
    except OSError:
        copy(source, target)


def fill_mim(package: Path, linked: bool = False) -> None:
    """Write ``package/.mim`` anew from the entries at the top.

    Args:
        package (Path): The folder of the package to complete.
        linked (bool): Whether to link instead of copying. Defaults to
            False.
    """
    mim = package / '.mim'
    remove(mim)
    mim.mkdir(parents=True)
    for source in (ROOT / name for name in MIM_ENTRIES):
        if source.exists():
            (link if linked else copy)(source, mim / source.name)
    names = mim / 'names'
    names.mkdir()
    for arm in WITH_MEMORY:
        metafile = ROOT / 'configs' / arm / 'metafile.yml'
        for name, config in MODEL.findall(metafile.read_text('utf-8')):
            (names / f'{name}.py').write_text(f"_base_ = '../{config}'\n")


class BuildWithMim(build_py):
    """``build_py`` for wheels and editable installs."""

    def run(self) -> None:
        """Build, then complete the package that was built."""
        super().run()
        if self.editable_mode:
            fill_mim(ROOT / PACKAGE, linked=True)
        else:
            fill_mim(Path(self.build_lib) / PACKAGE)


setup(cmdclass={'build_py': BuildWithMim})
