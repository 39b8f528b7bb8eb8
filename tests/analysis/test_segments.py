"""What a segmentor sees, counted once more by hand."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from mlfm_mm.analysis.segments import Picture, add_predictions, draw, evaluate
from mlfm_mm.engine import build_runner, prepare_testing
from tests.analysis.networks import BINARY, segmentor


def test_iou_is_what_the_pictures_show(runs: Path) -> None:
    cfg = Config.fromfile(runs / 'run_mlfm' / 'squares.py')
    weights = runs / 'run_mlfm' / 'iter_2.pth'
    runner, score = evaluate(cfg, weights, None)
    pictures: list[Picture] = []
    add_predictions(runner, pictures, 99)
    assert len(pictures) == 6
    for i, picture in enumerate(pictures):
        with Image.open(runs / 'squares' / 'labels' / f'{i}.png') as label:
            np.testing.assert_array_equal(picture.truth, np.asarray(label))
    truth = np.stack([picture.truth for picture in pictures])
    seen = np.stack([picture.predicted[0] for picture in pictures])
    for index, iou in enumerate(score.iou):
        both = ((truth == index) & (seen == index)).sum()
        either = ((truth == index) | (seen == index)).sum()
        assert iou == pytest.approx(100 * both / either, abs=1e-3)


def test_what_the_config_ignores_is_ignored(tmp_path: Path) -> None:
    cfg = segmentor(tmp_path, "\ntest_evaluator['ignore_index'] = 0\n").cfg
    weights = Path(cfg.filename).with_suffix('.pth')
    _, score = evaluate(cfg, weights, None)
    runner = build_runner(
        prepare_testing(cfg.filename, str(weights), work_dir=str(tmp_path)),
        'the_same_by_the_tool',
    )
    assert score.overall['mIoU'] == runner.test()['mIoU']


def test_colours_of_the_pictures(tmp_path: Path) -> None:
    image = np.full((20, 30, 3), 200, np.uint8)
    labels = np.full((20, 30), 255)  # ignored
    labels[:, :15] = 1
    picture = Picture(image, labels, [labels, labels])
    path = tmp_path / 'x.png'
    classes = dict(ground=[0, 0, 0], square=[255, 0, 0])
    draw([picture], ['a', 'b'], classes, path)
    with Image.open(path) as written:
        pixels = np.asarray(written.convert('RGB')).reshape(-1, 3)
    colours = {tuple(pixel) for pixel in np.unique(pixels, axis=0).tolist()}
    assert {(200, 200, 200), (255, 0, 0), (0, 0, 0)} <= colours


def test_a_mask_of_one_channel(tmp_path: Path) -> None:
    cfg = segmentor(tmp_path, BINARY).cfg
    weights = Path(cfg.filename).with_suffix('.pth')
    runner, score = evaluate(cfg, weights, None)
    pictures: list[Picture] = []
    add_predictions(runner, pictures, 1)
    (seen,) = pictures[0].predicted
    assert seen.dtype.kind == 'i' and len(score.iou) == 2
    colours = dict(ground=[0, 0, 0], square=[255, 0, 0])
    draw(pictures, ['a'], colours, tmp_path / 'x.png')
