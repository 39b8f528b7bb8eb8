"""A network in a file, by one command."""

import runpy
import sys
from pathlib import Path

import pytest

from tests.analysis.networks import save_weights
from tests.tools.helpers import (
    TOOLS,
    run_tool,
    write_digits_config,
    write_image,
)


def test_one_size(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    weights = save_weights(config)
    write_image(tmp_path / 'photo.png', 0, 100)
    printed = run_tool(
        *('export.py', config, weights, '--format', 'pt2'),
        *('--size', 32, 32, '--images', 'photo.png', '--out', 'made/net'),
        cwd=tmp_path,
    )
    assert 'agrees with PyTorch' in printed
    assert (tmp_path / 'made' / 'net.pt2').is_file()


def test_a_file_that_is_not_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    weights = save_weights(config)
    file = tmp_path / 'net.pt2'
    file.write_text('of yesterday')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('mlfm_mm.analysis.export.check.TOLERANCE', -1)
    export = runpy.run_path(str(TOOLS / 'export.py'))
    arguments = 'export.py', config, weights, '--out', file
    monkeypatch.setattr(
        sys, 'argv', [*map(str, arguments), '--size', '32', '32']
    )
    with pytest.raises(SystemExit, match='do not use it, report'):
        export['main']()
    assert file.read_text() == 'of yesterday'


def test_no_weights(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    printed = run_tool('export.py', config, cwd=tmp_path, fails=True)
    assert printed.splitlines()[-1].startswith('export.py: ')
    assert 'needs its weights: give a checkpoint' in printed


def test_a_name_with_dots(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    weights = save_weights(config)
    for name in ('net_0.1', 'net_0.5.pt2'):
        run_tool(
            *('export.py', config, weights, '--format', 'pt2'),
            *('--size', 32, 32, '--out', name),
            cwd=tmp_path,
        )
    found = sorted(path.name for path in tmp_path.glob('*.pt2'))
    assert found == ['net_0.1.pt2', 'net_0.5.pt2']


def test_the_name_tells_the_format(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    export = 'export.py', config, save_weights(config), '--size', 32, 32
    run_tool(*export, '--out', 'net.pt2', cwd=tmp_path)
    assert (tmp_path / 'net.pt2').is_file()
    printed = run_tool(
        *(*export, '--out', 'net.onnx', '--format', 'pt2'),
        cwd=tmp_path,
        fails=True,
    )
    assert printed.splitlines()[-1] == (
        'export.py: --out net.onnx is no file of --format pt2: leave one of '
        'them out'
    )


@pytest.mark.parametrize('out', ['.', '..', 'in/..'])
def test_a_folder_is_no_file(out: str, tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    export = 'export.py', config, save_weights(config), '--out', out
    printed = run_tool(*export, cwd=tmp_path, fails=True)
    assert 'is a folder: give the file to write' in printed


def test_a_size_that_is_too_small(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool(
        *('export.py', config, save_weights(config), '--size', 4, 4),
        *('--out', 'net.pt2'),
        cwd=tmp_path,
        fails=True,
    )
    told = printed.splitlines()[-1]
    assert told.startswith('export.py: --size 4 4: ')
    assert 'An image of 4x4 pixels is too small' in told
    assert not (tmp_path / 'net.pt2').exists()
