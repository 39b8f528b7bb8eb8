from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from PIL import Image

from mlfm_mm.engine.drawing import (
    name_classes,
    random_palette,
    show_classes,
    show_segments,
)
from tests.hosts import needs_mmseg

CLASSES = ['cat', 'dog', 'eel']


@pytest.mark.parametrize(
    ('labels', 'told'),
    [
        ([1], 'dog: 0.500'),
        ([1, 2], 'dog: 0.500, eel: 0.250'),
        ([], 'no class is sure enough; the likeliest is dog: 0.500'),
    ],
)
def test_classes(labels: list[int], told: str, tmp_path: Path) -> None:
    structures = pytest.importorskip('mmpretrain.structures')
    sample = structures.DataSample()
    sample.set_pred_score(torch.tensor([0.125, 0.5, 0.25]))
    sample.set_pred_label(torch.tensor(labels, dtype=torch.long))
    assert name_classes(sample, dict(classes=CLASSES)) == told
    grey, out = np.full((64, 200, 3), 90, np.uint8), tmp_path / 'x.png'
    assert show_classes(grey, sample, dict(classes=CLASSES), str(out)) == told
    drawn = np.asarray(Image.open(out))
    assert drawn.shape == grey.shape and (drawn != grey).any()


@needs_mmseg
@pytest.mark.parametrize('kind', [torch.long, torch.float])
def test_segments(kind: torch.dtype, tmp_path: Path) -> None:
    """Also of a binary head, whose mask comes in floating point."""
    from mmseg.structures import SegDataSample

    mask = torch.zeros(1, 8, 8)
    mask[..., 6:] = 1
    sample = SegDataSample(pred_sem_seg=PixelData(data=mask.to(kind)))
    meta = dict(classes=['a', 'b'], palette=[[0, 0, 0], [200, 0, 100]])
    out = tmp_path / 'x.png'
    black = np.zeros((8, 8, 3), np.uint8)
    assert show_segments(black, sample, meta, str(out)) == 'a 75 %, b 25 %'
    drawn = np.asarray(Image.open(out))
    # Half of the picture, half of the colour.
    assert (drawn[:, 6:] == [100, 0, 50]).all() and not drawn[:, :6].any()


def test_colours_are_bytes() -> None:
    assert all(0 <= x < 256 for colour in random_palette(30) for x in colour)
