import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

import check_dataset
from tests.datasets.camvid.pictures import NAMES, write
from tests.hosts import needs_mmseg
from tests.tools.helpers import (
    CONFIGS,
    run_tool,
    write_image,
    write_image_folder,
)

TOOL = 'analysis_tools/check_dataset.py'


def options(folder: Path) -> list[str]:
    """Set the folder of all splits."""
    return [
        f'{split}_dataloader.dataset.data_root={folder}'
        for split in ('train', 'val', 'test')
    ]


def check(
    config: Path, folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict, object]:
    """Call the program in this process; the report and the exit status."""
    command = [str(TOOL), str(config), '--out', str(out), '--jobs', '2']
    command += ['--cfg-options', *options(folder)]
    monkeypatch.setattr('sys.argv', command)
    with pytest.raises(SystemExit) as stop:
        check_dataset.main()
    return json.loads(out.read_text()), stop.value.code


def test_a_folder_with_everything(tmp_path: Path) -> None:
    folder = tmp_path / 'images'
    for split in ('Training', 'Testing'):
        write_image_folder(folder / split, 3)
    # Other pixels than those of training.
    for path in folder.glob('Testing/*/*.png'):
        write_image(path, int(path.stem) + 9, 120)
    empty = folder / 'Testing' / 'bright' / '0.png'
    empty.write_bytes(b'')
    shutil.copy(
        folder / 'Training/dark/1.png', folder / 'Testing/dark/copy.png'
    )
    torn = folder / 'Training' / 'dark' / '2.png'
    torn.write_bytes(torn.read_bytes()[:-500])
    printed = run_tool(
        *(TOOL, CONFIGS / 'baseline' / 'resnet18_folder.py'),
        *('--out', tmp_path / 'report.json'),
        *('--cfg-options', *options(folder)),
        cwd=tmp_path,
        fails=True,
    )
    assert 'train: 6 images' in printed and 'val: 7 images' in printed
    # The test set is the validation set.
    assert 'test:' not in printed
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['unreadable'] == {'train': [str(torn)]}
    assert report['empty'] == {'val': [str(empty)]}
    (text,) = report['duplicate']['val']
    assert text.startswith(str(folder / 'Testing/dark/copy.png'))
    assert 'Training/dark/1.png (train)' in text


def test_a_folder_without_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_image_folder(tmp_path / 'images', 5)
    config = CONFIGS / 'baseline' / 'resnet18_folder.py'
    out = tmp_path / 'new' / 'folder' / 'report.json'
    assert check(config, folder, out, monkeypatch) == ({}, 0)


def test_classes_with_other_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ('train/ant', 'train/bee', 'val/aaa', 'val/ant'):
        write_image(tmp_path / place / '0.png', len(place), hash(place) % 99)
    config = tmp_path / 'config.py'
    data = f"dict(type='CustomDataset', data_root={str(tmp_path)!r} + '/%s')"
    config.write_text(
        f'train_dataloader = dict(dataset={data % "train"})\n'
        f'val_dataloader = dict(dataset={data % "val"})\n'
        "default_scope = 'mmpretrain'\n"
    )
    command = ['check_dataset.py', str(config), '--jobs', '1']
    monkeypatch.setattr('sys.argv', command)
    report = check_dataset.check(check_dataset.parse_args())
    found = ['ant is 0 and 1 (in train and here)']
    assert report['label'] == dict(val=found)


@needs_mmseg
def test_masks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / 'camvid'
    write(folder, labels=(0, 30))
    write(folder, split='val')
    (folder / 'annotations' / 'val' / f'{NAMES[0]}.png').write_bytes(b'')
    config = CONFIGS / 'baseline' / 'unet_w8_camvid.py'
    report, status = check(
        config, folder, tmp_path / 'report.json', monkeypatch
    )
    assert status == 1
    assert any('30, not within 0 to 10' in t for t in report['label']['train'])
    assert report['mask']['val'][0].endswith('cannot be read')
    assert "does not hold the split 'test'" in report['not there']['test'][0]


def test_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = str(CONFIGS / 'baseline' / 'resnet18_tiny100.py')
    monkeypatch.setattr('sys.argv', [TOOL, config])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        check_dataset.main()
    told = str(stop.value.code)
    # Where to get the data, and the command that arranges them.
    assert 'there is no folder' in told and 'cs231n.stanford.edu' in told
    assert 'tiny_imagenet.py tiny-imagenet-200 data/tiny_imagenet100' in told


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--cfg-options', 'foo'], "takes KEY=VALUE, not 'foo'"),
        (['--jobs', '0'], '0 must be 1 or more'),
        (['--extreme', '0'], 'argument --extreme: 0 must be 1 or more'),
        (['--extreme', 'nan'], 'nan must be 1 or more'),
        (['--extreme', 'x'], "invalid factor value: 'x'"),
        (['--out', '.'], '. is a folder: give the file to write'),
        (
            ['--cfg-options', 'train_dataloader.dataset.type=Nothing'],
            'check_dataset.py: KeyError: Nothing is not in',
        ),
    ],
)
def test_mistakes_get_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = str(CONFIGS / 'baseline' / 'resnet18_w16_digits.py')
    monkeypatch.setattr('sys.argv', [TOOL, config, *words])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        check_dataset.main()
    # A parser prints its message and leaves with 2.
    assert message in f'{stop.value.code}{capsys.readouterr().err}'
