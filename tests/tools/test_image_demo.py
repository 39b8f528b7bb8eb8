"""One picture in, one picture out."""

from pathlib import Path

import torch
from PIL import Image

from tests.analysis.networks import save_weights
from tests.tools.helpers import (
    run_tool,
    write_digits_config,
    write_image,
    write_segments_config,
)


def check_picture(path: Path) -> None:
    with Image.open(path) as picture:
        assert picture.width >= 32 and len(set(picture.tobytes())) > 10


def test_a_label(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path, 'mlfm')
    write_image(tmp_path / 'photo.png', 0, 100)
    printed = run_tool(
        *('image_demo.py', 'photo.png', config, save_weights(config)),
        *('--out', 'shown/label.png'),
        cwd=tmp_path,
    )
    assert 'wrote shown/label.png' in printed
    check_picture(tmp_path / 'shown' / 'label.png')


def test_a_mask(tmp_path: Path) -> None:
    config = write_segments_config(tmp_path)
    # Without normalization across devices, which a CPU does not have.
    config.write_text(config.read_text().replace('SyncBN', 'BN'))
    with open(config, 'a') as file:
        file.write('test_pipeline = [*load[:1], *pack]\n')
    weights = save_weights(config)
    content = torch.load(weights, weights_only=False)
    palette = [[0, 0, 0], [255, 0, 0]]
    names = dict(classes=('ground', 'square'), palette=palette)
    torch.save(dict(content, meta=dict(dataset_meta=names)), weights)
    photo = tmp_path / 'squares' / 'images' / '0.png'
    printed = run_tool(
        *('image_demo.py', photo, config, weights),
        *('--out', 'mask.png'),
        cwd=tmp_path,
    )
    assert 'ground' in printed and '%' in printed
    check_picture(tmp_path / 'mask.png')


def test_mistakes_get_one_line(tmp_path: Path) -> None:
    config = write_digits_config(tmp_path)
    weights = save_weights(config)
    for args, message in (
        (('no.png', config, weights), "there is no picture 'no.png'"),
        ((config, config, 'no.pth'), "there is no checkpoint 'no.pth'"),
        ((config, config, weights, '--out', 'x.txt'), 'ends in .png or .jpg'),
    ):
        printed = run_tool('image_demo.py', *args, cwd=tmp_path, fails=True)
        last = printed.strip().splitlines()[-1]
        assert last.startswith('image_demo.py: ') and message in last
