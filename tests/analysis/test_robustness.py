from pathlib import Path

import cv2
import numpy as np
import pytest
import pywt
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from torch import nn

pytest.importorskip('mmpretrain')

from mlfm_mm.analysis.robustness import (
    CORRUPTIONS,
    Corruption,
    area_under,
    areas,
    curve_of,
    measure_robustness,
    tabulate,
)
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.models import build_model
from tests.tools.helpers import write_digits_config

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 32, 3), np.uint8)


def corrupt(family: str, strength: float, image: np.ndarray) -> np.ndarray:
    return Corruption(family, strength)(dict(img=image.copy()))['img']


@pytest.mark.parametrize('level', [1, 2, 3])
def test_low_pass_is_the_haar_band(level: int) -> None:
    bands = pywt.wavedec2(
        IMAGE.astype(float), 'haar', 'periodization', level, axes=(0, 1)
    )
    zeros = [tuple(np.zeros_like(b) for b in bs) for bs in bands[1:]]
    expected = pywt.waverec2(
        [bands[0], *zeros], 'haar', 'periodization', axes=(0, 1)
    )
    found = corrupt('low_pass', 2**level, IMAGE)
    assert np.abs(found - expected).max() <= 0.5 + 1e-6


def test_low_pass_of_an_odd_size() -> None:
    found = corrupt('low_pass', 2, IMAGE[:47, :31])
    assert found.shape == (47, 31, 3) and found.dtype == np.uint8


def test_high_pass_is_what_low_pass_takes() -> None:
    grey = IMAGE // 4 + 96  # so that nothing is clipped
    low, high = (corrupt(f'{f}_pass', 4, grey) for f in ('low', 'high'))
    assert np.array_equal(low.astype(int) + high - 128, grey)


def test_noise_has_its_deviation_and_depends_on_the_picture_alone() -> None:
    grey = np.full((200, 200, 3), 128, np.uint8)
    noisy = corrupt('noise', 20, grey)
    assert abs(np.std(noisy.astype(float)) - 20) < 0.3
    assert abs(np.mean(noisy.astype(float)) - 128) < 0.3
    assert np.array_equal(noisy, corrupt('noise', 20, grey))
    other = corrupt('noise', 20, grey + 1).astype(int)
    assert np.abs(other - noisy - 1).max() > 10


def test_blur_keeps_the_mean_and_widens_a_point() -> None:
    point = np.zeros((65, 65, 3), np.uint8)
    point[32, 32] = 255
    wide = corrupt('blur', 2, point)[..., 0].astype(float)
    offsets = np.arange(65) - 32
    gauss = np.exp(-(offsets**2) / 8)
    expected = 255 * np.outer(gauss, gauss) / gauss.sum() ** 2
    assert np.abs(wide - expected).max() < 1


def test_jpeg_is_what_a_file_would_hold(tmp_path: Path) -> None:
    file = str(tmp_path / 'x.jpg')
    cv2.imwrite(file, IMAGE, [int(cv2.IMWRITE_JPEG_QUALITY), 25])
    assert np.array_equal(corrupt('jpeg', 25, IMAGE), cv2.imread(file))


@pytest.mark.parametrize('family', ['low_pass', 'high_pass', 'blur', 'jpeg'])
def test_grey_pictures(family: str) -> None:
    found = corrupt(family, 2, IMAGE[..., 0])
    assert found.shape == (48, 32) and found.dtype == np.uint8


def test_stronger_corruptions_take_more() -> None:
    y, x = np.mgrid[:64, :64]
    wave = 128 + 60 * np.sin(x / 3) * np.cos(y / 4)
    picture = np.repeat(wave[..., None], 3, axis=2).astype(np.uint8)
    lost: dict[str, list[float]] = {}
    for c in CORRUPTIONS:
        error = c(dict(img=picture))['img'].astype(float) - picture
        lost.setdefault(c.family, []).append(float(np.square(error).mean()))
    assert all(values == sorted(values) for values in lost.values())


def test_unknown_family() -> None:
    with pytest.raises(UsageError, match='choose one of low_pass, high_pass'):
        Corruption('fog', 1)


def test_network_against_its_predictions(tmp_path: Path) -> None:
    """The Runner's accuracy is that of predictions made by hand."""
    pytest.importorskip('sklearn')
    path = write_digits_config(tmp_path, 'mlfm')
    cfg = Config.fromfile(path)
    torch.manual_seed(3)
    model = build_model(cfg).eval()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'x.pth')
    corruption = Corruption('noise', 40)
    scores = measure_robustness(
        str(path), str(tmp_path / 'x.pth'), (corruption,)
    )
    assert list(scores) == ['clean', 'noise 40']
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
    for name in scores:
        if name != 'clean':
            dataset.pipeline.transforms.insert(-1, corruption)
        right = [predict(model, cfg, sample) for sample in dataset]
        assert scores[name] == pytest.approx(100 * np.mean(right), abs=1e-3)


def test_one_checkpoint_tells_no_difference_from_chance() -> None:
    one, two = [{'clean': 60.0}], [{'clean': 61.0}]
    table = tabulate(dict(plain=one, memory=two))
    assert table.rows[0]['memory gain'] == '+1.0'
    assert 'cannot tell' in table.caption
    table = tabulate(dict(plain=one * 2, memory=two * 2))
    assert '95 %' in table.caption
    table = tabulate(dict(plain=one, memory=two * 2))
    assert table.cells()[0][2] == '61.0 ± 0.0' and '95 %' in table.caption


def test_areas_under_the_curves() -> None:
    run = {'clean': 60.0, 'blur 1': 50.0, 'blur 2': 20.0, 'noise 9': 0.0}
    assert curve_of(run, 'blur') == (['clean', '1', '2'], [60, 50, 20])
    assert areas(dict(a=[run])) == dict(a=[dict(noise=30.0, blur=45.0)])
    assert area_under([7.0]) == 7


def predict(model: nn.Module, cfg: Config, sample: dict) -> bool:
    mean, std = (cfg.data_preprocessor[k][0] for k in ('mean', 'std'))
    image = (sample['inputs'][None].float() - mean) / std
    with torch.no_grad():
        features = model.extract_feat(image)
        label = model.head(features).argmax().item()
    return label == sample['data_samples'].gt_label.item()
