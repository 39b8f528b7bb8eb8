from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mlfm_mm.analysis.samples import (
    find_pictures,
    generate_samples,
    load_samples,
    open_test_set,
)
from mlfm_mm.engine import UsageError
from tests.analysis.networks import GREY, classifier, segmentor
from tests.tools.helpers import write_image


def test_of_the_test_set(tmp_path: Path) -> None:
    pytest.importorskip('sklearn')
    network = classifier(tmp_path)
    one, two, three = load_samples(network, count=3)
    assert one.x.shape == (1, 3, 32, 32) and one.picture.shape == (32, 32, 3)
    size = len(open_test_set(network))
    places = 0, size // 3, 2 * size // 3  # from all over the set
    assert [s.name for s in (one, two, three)] == [f'test {i}' for i in places]
    mean = torch.tensor(network.cfg.data_preprocessor.mean)[:, None, None]
    std = torch.tensor(network.cfg.data_preprocessor.std)[:, None, None]
    pixels = (two.x[0] * std + mean).permute(1, 2, 0)
    assert np.abs(pixels.numpy() - two.picture).max() < 0.51


def test_given_pictures_of_a_segmentor(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    config = Path(network.cfg.filename)
    folder = tmp_path / 'squares' / 'images'
    (sample,) = load_samples(network, [str(folder)])
    assert sample.name == '0.png'
    shown = np.asarray(Image.open(folder / '0.png').convert('RGB'))
    # The config has no bgr_to_rgb: the network reads BGR, people RGB.
    assert np.array_equal(sample.picture, shown)
    assert config.is_file()


def test_generated_ones_are_always_the_same(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    a, b = (generate_samples(network, 2) for _ in range(2))
    assert torch.equal(a[1].x, b[1].x) and not torch.equal(a[0].x, a[1].x)
    assert a[0].x.shape == (1, 3, 32, 32)


@pytest.mark.parametrize('arm', ['baseline', 'mlfm'])
def test_generated_grey_ones(arm: str, tmp_path: Path) -> None:
    network = classifier(tmp_path, arm, GREY)
    (sample,) = generate_samples(network)
    assert sample.x.shape == (1, 1, 32, 32)
    assert sample.picture.shape == (32, 32, 3)


def test_pictures_in_folders(tmp_path: Path) -> None:
    write_image(tmp_path / 'a' / 'x.png', 0, 100)
    write_image(tmp_path / 'y.png', 0, 100)
    (tmp_path / 'a' / 'notes.txt').touch()
    given = [str(tmp_path / 'a'), str(tmp_path / 'y.png')]
    assert [Path(f).name for f in find_pictures(given)] == ['x.png', 'y.png']
    with pytest.raises(UsageError, match=r'no picture .*nowhere'):
        find_pictures([str(tmp_path / 'nowhere')])


def test_a_test_set_that_is_not_there(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    network.cfg.test_dataloader.dataset.data_root = '/nowhere'
    with pytest.raises(UsageError, match='give pictures by --images'):
        load_samples(network)
