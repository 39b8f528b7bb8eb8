from pathlib import Path

from mlfm_mm.datasets.images import (
    decodes,
    find_unreadable,
    is_readable,
    list_files,
    list_images,
)
from tests.tools.helpers import write_image


def test_lists_images_and_others(tmp_path: Path) -> None:
    write_image(tmp_path / 'b.PNG', 0, 90)
    write_image(tmp_path / 'deep' / 'a.jpg', 0, 90)
    for name in ('.hidden.png', 'Thumbs.db', 'notes.txt'):
        (tmp_path / name).touch()
    images, others = list_files(tmp_path)
    assert [path.name for path in images] == ['b.PNG']
    assert [path.name for path in others] == ['notes.txt']
    names = [path.name for path in list_images(tmp_path, deep=True)]
    assert names == ['b.PNG', 'a.jpg']


def test_hidden_folders_are_passed_over(tmp_path: Path) -> None:
    # Notebooks leave copies there.
    root = tmp_path / '.home' / 'class'
    write_image(root / 'a.png', 0, 90)
    write_image(root / '.ipynb_checkpoints' / 'a-checkpoint.png', 0, 90)
    write_image(root / 'deep' / '__MACOSX' / '._a.png', 0, 90)
    assert [p.name for p in list_images(root, deep=True)] == ['a.png']


def test_headers_and_pixels(tmp_path: Path) -> None:
    whole, torn, empty = (tmp_path / f'{n}.jpg' for n in ('a', 'b', 'c'))
    write_image(whole, 0, 90)
    torn.write_bytes(whole.read_bytes()[:-200])
    empty.touch()
    paths = [str(path) for path in (whole, torn, empty)]
    assert find_unreadable(paths) == paths[2:]
    assert find_unreadable(paths, decodes) == paths[1:]
    assert is_readable(torn) and not decodes(tmp_path / 'nowhere.jpg')


def test_a_storage_backend(storage: Path) -> None:
    write_image(storage / 'a.png', 0, 90)
    (storage / 'text.png').write_text('no image')
    names = [f'store://{name}.png' for name in ('a', 'text', 'missing')]
    assert find_unreadable(names) == names[1:]
