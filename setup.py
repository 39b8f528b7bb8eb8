"""Build the package, with configs/ and tools/ inside it under ``.mim``.

OpenMIM and the ``_base_ = 'package::config'`` look-ups of OpenMMLab expect
the configs and the launch scripts of an installed package in
``<package>/.mim``. They live at the top of the repository, so they are put
there while building: as real files in a wheel and in a source archive, as
links in an editable install, which then follows every edit.
"""

import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
PACKAGE = 'mlfm_mm'
MIM_ENTRIES = ('configs', 'tools', 'model-index.yml')
NOT_SHIPPED = shutil.ignore_patterns('__pycache__', '*.py[co]', '.*')

TORCH = ['torch>=2.0', 'numpy']
WAVELETS = ['PyWavelets>=1.4']
QUICKSTART = ['matplotlib>=3.6', 'rich>=12', 'scikit-learn>=1.2']
EXTRAS = {
    # The original family, whose last releases are these. mmsegmentation
    # needs mmcv's compiled operators and mmcv < 2.2: install the mmcv wheel
    # that fits your torch (`mim install 'mmcv==2.1.0'`) before this extra.
    # ftfy and regex are imported by mmsegmentation but not declared by it,
    # and mmengine 0.10.7 imports pkg_resources, which setuptools drops.
    'openmmlab': [
        'mmengine>=0.10.7,<0.11',
        'mmcv>=2.1.0,<2.2.0',
        'mmpretrain>=1.2.0,<1.3',
        'mmsegmentation>=1.2.2,<1.3',
        'torchvision',
        'ftfy',
        'regex',
        'setuptools<81',
    ],
    # The maintained forks, under the same import names: pure Python.
    'onedl': [
        'onedl-mmengine>=0.10.12,<0.11',
        'onedl-mmcv>=2.3.6,<2.4',
        'onedl-mmpretrain>=1.3.6,<1.4',
        'onedl-mmsegmentation>=1.4.2,<1.5',
        'torchvision',
    ],
    'wavelets': WAVELETS,
    'quickstart': QUICKSTART,
    'dev': [
        *WAVELETS,
        *QUICKSTART,
        'build',
        'hypothesis',
        'mypy',
        'onnx',
        'onnxruntime',
        'onnxscript',
        'pre-commit',
        'pytest',
        'pytest-xdist',
        'ruff',
        'setuptools>=70.1',
        'timm',
        'types-PyYAML',
    ],
}


def read_version() -> str:
    """Read the version without importing the package (and so torch)."""
    text = (ROOT / PACKAGE / 'version.py').read_text(encoding='utf-8')
    found = re.search(r"^__version__ = '([^']+)'$", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f'no __version__ line in {PACKAGE}/version.py')
    return found.group(1)


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


class BuildWithMim(build_py):
    """``build_py`` for wheels and editable installs."""

    def run(self) -> None:
        """Build, then complete the package that was built."""
        super().run()
        if self.editable_mode:
            fill_mim(ROOT / PACKAGE, linked=True)
        else:
            fill_mim(Path(self.build_lib) / PACKAGE)


class SdistWithMim(sdist):
    """``sdist`` whose package folder is complete as in a wheel."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Fill the release folder, then complete the package in it."""
        super().make_release_tree(base_dir, files)
        fill_mim(Path(base_dir) / PACKAGE)


def read_readme() -> str:
    """Read the long description; a checkout may not have it yet."""
    readme = ROOT / 'README.md'
    return readme.read_text(encoding='utf-8') if readme.exists() else ''


setup(
    name=PACKAGE,
    version=read_version(),
    description='Multiscale Low-Frequency Memory networks as a plugin for '
    'OpenMMLab: one override in a config',
    long_description=read_readme(),
    long_description_content_type='text/markdown',
    author='The mlfm_mm contributors',
    license='Apache-2.0',
    license_files=['LICENSE'],
    keywords='computer vision, image classification, semantic '
    'segmentation, wavelets, OpenMMLab, PyTorch',
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Intended Audience :: Science/Research',
        'Operating System :: OS Independent',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed']},
    python_requires='>=3.10',
    install_requires=TORCH,
    extras_require=EXTRAS,
    cmdclass={'build_py': BuildWithMim, 'sdist': SdistWithMim},
    zip_safe=False,
)
