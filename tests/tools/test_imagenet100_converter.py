import shutil
from pathlib import Path

import pytest

pytest.importorskip('mmpretrain')

import imagenet100 as tool
from mlfm_mm.datasets import FolderError, ImageNet100
from tests.datasets.imagenet100.trees import (
    WNIDS,
    make_image,
    write_imagenet_1k,
    write_kaggle,
)
from tests.small_runs import kaggle_layout
from tests.tools.helpers import run_tool

TOOL = 'dataset_converters/imagenet100.py'


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    return write_kaggle(tmp_path / 'kaggle')


def test_check_reports_counts(kaggle: Path, tmp_path: Path) -> None:
    broken = kaggle / 'val.X' / WNIDS[5] / f'{WNIDS[5]}_0.JPEG'
    broken.write_bytes(b'')
    printed = run_tool(
        *(TOOL, 'check', kaggle, '--decode'), cwd=tmp_path, fails=True
    )
    for split, count in (('train', 2), ('val', 1)):
        assert (
            f'{split}: {100 * count} images of 100 classes (kaggle layout), '
            f'{count} to {count} a class'
        ) in printed
    # One photograph a class is not the whole set: said once, not 100 times.
    (line,) = (part for part in printed.splitlines() if 'not 1300' in part)
    assert '100 of 100 classes are short: n01440764 has 2 images' in line
    assert 'and 97 more' in line
    assert f'1 files are no images: {broken}' in printed
    assert 'NOT complete' in printed


def test_check_of_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr('sys.argv', ['x', 'check', str(tmp_path / 'no')])
    with pytest.raises(SystemExit, match=r'There is no folder .* kaggle'):
        tool.main()
    assert capsys.readouterr().out == ''


def test_links_then_reads(kaggle: Path, tmp_path: Path) -> None:
    merged = tmp_path / 'merged'
    assert tool.link_merged(kaggle, merged) == [
        merged / 'train',
        merged / 'val',
    ]
    for split in ('train', 'val'):
        ours = ImageNet100(str(merged), split)
        theirs = ImageNet100(str(kaggle), split)
        assert len(ours) == len(theirs)
        assert list(ours.get_gt_labels()) == list(theirs.get_gt_labels())
    with pytest.raises(FolderError, match='not empty'):
        tool.link_merged(kaggle, merged)


def test_a_split_is_passed_over_only_if_it_is_absent(
    kaggle: Path, tmp_path: Path
) -> None:
    merged = tmp_path / 'merged'
    shutil.rmtree(kaggle / 'val.X' / WNIDS[99])
    with pytest.raises(FolderError, match=f"'val' split .*: {WNIDS[99]}"):
        tool.link_merged(kaggle, merged)
    assert not merged.exists()
    shutil.rmtree(kaggle / 'val.X')
    assert tool.link_merged(kaggle, merged) == [merged / 'train']


def test_links_images_of_one_folder(tmp_path: Path) -> None:
    source = write_imagenet_1k(tmp_path / 'imagenet')
    rows = [f'{wnid}_0,{wnid} 1 2 3 4' for wnid in WNIDS]
    for wnid in WNIDS:
        (source / 'val' / wnid / f'{wnid}_0.JPEG').unlink()
        (source / 'val' / wnid).rmdir()
        make_image(source / 'val' / f'{wnid}_0.JPEG')
    text = '\n'.join(['ImageId,PredictionString', *rows])
    (source / 'LOC_val_solution.csv').write_text(text)
    tool.link_merged(source, tmp_path / 'merged')
    assert len(ImageNet100(str(tmp_path / 'merged'), 'val')) == 100


def test_real_photographs(imagenet100_samples: Path, tmp_path: Path) -> None:
    kaggle = kaggle_layout(imagenet100_samples, tmp_path / 'kaggle')
    assert tool.check_split(kaggle, 'val', tool.decodes).unreadable == ()
    tool.link_merged(kaggle, tmp_path / 'merged')
    assert len(ImageNet100(str(tmp_path / 'merged'), 'train')) == 100


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    printed = run_tool(
        TOOL,
        'link',
        tmp_path / 'no',
        tmp_path / 'new',
        cwd=tmp_path,
        fails=True,
    )
    last = printed.strip().splitlines()[-1]
    assert last.startswith('imagenet100.py: There is no folder')
    assert 'kaggle datasets download' in last
    assert 'Traceback' not in printed and not (tmp_path / 'new').exists()
