"""Install the wheel as users do, and try it through OpenMIM.

    python .dev_scripts/install_test.py            both families
    python .dev_scripts/install_test.py onedl      one of them

The same as ``make test-install``. For each family of distributions, an
environment of its own is made beside this checkout and removed in the end:
it gets the wheel, which is built from the source archive, the distributions
and openmim, nothing else. There, in an empty folder, a network is found,
trained and tested, and a picture is shown. The original family comes with the
oldest numpy that is promised, which the other one does not take.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
UV = (sys.executable, '-m', 'uv')
MIM = 'openmim==0.3.9'
# torch as in requirements/torch.txt, where it says why.
FAMILIES = {
    'onedl': ('{wheel}[onedl,quickstart]', 'torch==2.12.1', 'setuptools<81'),
    'openmmlab': (
        '{wheel}[quickstart]',
        'mmengine==0.10.7',
        'mmcv-lite==2.1.0',
        'mmpretrain==1.2.0',
        'torch==2.12.1',
        'torchvision',
        'setuptools<81',
        'numpy==1.26.4',
    ),
}
# Its name in the model index, and a file that begins with it.
NAMED = 'resnet18_w16-mlfm_digits.py'
CONFIG = """
_base_ = 'mlfm_mm::mlfm/resnet18_w16_digits.py'
train_cfg = dict(max_epochs=1)
"""
# What is run in the environment, and what it must print.
STEPS = (
    ('python -c "import mlfm_mm; print(mlfm_mm.__file__)"', 'site-packages'),
    ('mim search mlfm_mm --config resnet18-mlfm_in100', '11429284'),
    ('mim train mlfm_mm tiny.py --gpus 0 --work-dir out', 'finished'),
    (
        f'mim train mlfm_mm {NAMED} --gpus 0 --cfg-options '
        'train_cfg.max_epochs=1',
        'finished',
    ),
    (
        f'mim test mlfm_mm {NAMED} --checkpoint out/epoch_1.pth --gpus 0',
        'accuracy/top1',
    ),
    ('mim run mlfm_mm image_demo photo.png --out shown.png', 'wrote shown'),
)


def main() -> None:
    """Build once, then try each family."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        'families',
        nargs='*',
        metavar='FAMILY',
        help=f'some of {", ".join(FAMILIES)} (default: all)',
    )
    families = parser.parse_args().families or [*FAMILIES]
    if unknown := set(families) - set(FAMILIES):
        parser.error(f'{unknown.pop()}: choose from {", ".join(FAMILIES)}')
    with TemporaryDirectory() as folder:
        call(*UV, 'build', '--quiet', '--out-dir', folder, cwd=ROOT)
        (wheel,) = Path(folder).glob('*.whl')
        for family in families:
            try_family(family, wheel)


def try_family(family: str, wheel: Path) -> None:
    """Install a family with the wheel, and take all steps."""
    requirements = [part.format(wheel=wheel) for part in FAMILIES[family]]
    with environment(ROOT / f'.venv-install-{family}') as bin_folder:
        python = bin_folder / 'python'
        print(f'{family}: installing', flush=True)
        call(*UV, 'pip', 'install', '--quiet', '--python', python,
             *requirements, MIM)  # fmt: skip
        call(*UV, 'pip', 'check', '--quiet', '--python', python)
        with TemporaryDirectory() as folder:
            (Path(folder) / 'tiny.py').write_text(CONFIG)
            Image.new('RGB', (90, 80), 'teal').save(Path(folder, 'photo.png'))
            for command, expected in STEPS:
                print(f'{family}: {command}', flush=True)
                path = f'{bin_folder}{os.pathsep}{os.environ["PATH"]}'
                shown = call('sh', '-c', command, cwd=folder, PATH=path)
                if expected not in shown:
                    sys.exit(f'{shown}\n{command} printed no {expected!r}')


@contextmanager
def environment(folder: Path) -> Iterator[Path]:
    """Make an environment, yield its bin folder, and remove it."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        # mim calls pip, which --seed installs.
        call(*UV, 'venv', '--quiet', '--seed', folder)
        yield folder / 'bin'
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def call(
    *command: object, cwd: Path | str | None = None, **variables: str
) -> str:
    """Run a command; if it fails, exit with its output."""
    kept = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    if 'PIP_INDEX_URL' in kept:
        kept.setdefault('UV_DEFAULT_INDEX', kept['PIP_INDEX_URL'])
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        words = ' '.join(map(str, command))
        sys.exit(f'{done.stdout}\nfailed with {done.returncode}: {words}')
    return done.stdout


if __name__ == '__main__':
    main()
