import re
import sys
from pathlib import Path

import torch

from tests.tools.helpers import (
    REPO,
    TOOLS,
    run,
    run_tool,
    write_digits_config,
    write_segments_config,
)

NO_GPU = not torch.cuda.is_available()


def losses(printed: str) -> list[float]:
    """Find the training losses in a log."""
    return [float(x) for x in re.findall(r'  loss: ([\d.naif]+)', printed)]


def load(path: Path) -> dict:
    return torch.load(path, map_location='cpu', weights_only=False)


def test_classifier_trains_and_resumes(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool('train.py', config, '--work-dir', 'out', cwd=tmp_path)
    assert len(losses(printed)) == 5
    assert 'accuracy/top1' in printed
    first = load(tmp_path / 'out' / 'epoch_1.pth')
    assert any(key.startswith('neck.') for key in first['state_dict'])

    printed = run_tool(
        *('train.py', config, '--work-dir', 'out', '--resume'),
        *('--cfg-options', 'train_cfg.max_epochs=2'),
        cwd=tmp_path,
    )
    assert 'resumed epoch: 1' in printed
    assert len(losses(printed)) == 5
    assert load(tmp_path / 'out' / 'epoch_2.pth')['meta']['iter'] == 10


def test_memory_for_a_config_without(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'baseline')
    text = config.read_text()
    options = ['--cfg-options', 'model.neck.identity_init=True']
    run_tool(
        *('train.py', config, '--memory', '--work-dir', 'out', *options),
        cwd=tmp_path,
    )
    assert config.read_text() == text
    weights = tmp_path / 'out' / 'epoch_1.pth'
    names = load(weights)['state_dict']
    assert any(name.startswith('neck.units.') for name in names)
    # The config in the work folder has it, the first one asks for it anew.
    written = Path('out') / config.name
    for args in ([written], [config, '--memory', *options]):
        printed = run_tool(
            *('test.py', args[0], weights, '--work-dir', 'tested', *args[1:]),
            cwd=tmp_path,
        )
        assert 'accuracy/top1' in printed
    printed = run_tool(
        *('test.py', config, weights, '--memory'), cwd=tmp_path, fails=True
    )
    assert 'identity_init=True, not identity_init=False' in printed


def test_segmentor_trains(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    printed = run_tool('train.py', config, cwd=tmp_path)
    # The default work folder, and checkpoints by iteration.
    work_dir = tmp_path / 'work_dirs' / 'squares'
    assert (work_dir / 'iter_4.pth').is_file()
    assert len(losses(printed)) == 4
    assert 'mIoU' in printed


def test_options_reach_the_run(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    printed = run_tool(
        *('train.py', config, '--amp', '--auto-scale-lr', '--no-validate'),
        *('--work-dir', 'out'),
        *('--cfg-options', 'train_dataloader.batch_size=16'),
        cwd=tmp_path,
    )
    # 40 images in batches of 16, of which the last is dropped.
    assert len(losses(printed)) == 2
    assert all(loss < 10 for loss in losses(printed))
    assert 'accuracy' not in printed
    assert 'Scaling the original LR by 0.25' in printed
    if NO_GPU:
        assert 'mixed precision runs in bfloat16' in printed


def test_mistakes_get_one_line(tmp_path: Path) -> None:
    printed = run_tool('train.py', 'no.py', cwd=tmp_path, fails=True)
    last = printed.strip().splitlines()[-1]
    assert last.startswith("train.py: there is no config file 'no.py'")
    assert 'Traceback' not in printed
    assert not (tmp_path / 'work_dirs').exists()


def test_another_python_gets_one_line(tmp_path: Path) -> None:
    """One that has none of the packages, as a newcomer's may be."""
    for name in ('train.py', 'test.py', 'image_demo.py'):
        command = [sys.executable, '-S', str(TOOLS / name), '--help']
        done = run(command, tmp_path, PYTHONPATH='')
        (line,) = done.stderr.strip().splitlines()
        assert line.startswith(f'{name}: ') and done.returncode == 1
        assert 'is not installed for' in line and '.venv/bin/python' in line


def test_the_network_refuses_its_options_in_one_line(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    printed = run_tool(
        *('train.py', config, '--work-dir', 'out'),
        *('--cfg-options', 'model.neck.wavelet=no'),
        cwd=tmp_path,
        fails=True,
    )
    assert 'Traceback' not in printed
    last = printed.strip().splitlines()[-1]
    assert last.startswith('train.py: ') and "'no'" in last
    (log,) = (tmp_path / 'out').glob('*/*.log')
    assert 'Traceback' in log.read_text() and str(log.name) in last


def test_runs_from_an_installed_copy(tmp_path: Path) -> None:
    """As in .mim/tools: no package beside the folder of the tools."""
    copy = tmp_path / '.mim' / 'tools' / 'train.py'
    copy.parent.mkdir(parents=True)
    copy.write_text((TOOLS / 'train.py').read_text())
    done = run(
        [sys.executable, str(copy), '--help'], tmp_path, PYTHONPATH=str(REPO)
    )
    assert done.returncode == 0, done.stderr
    assert '--auto-scale-lr' in done.stdout
