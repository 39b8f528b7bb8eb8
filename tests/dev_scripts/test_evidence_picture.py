from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('mmpretrain')
pytest.importorskip('scipy')

import evidence_picture
import evidence_records
from tests.dev_scripts.test_evidence_page import root, write

__all__ = ['root']


def test_curves_and_differences(root: Path) -> None:
    write(root, 'tiny20', 'plain', [60.0, 61.0])
    write(root, 'tiny20', 'mlfm', [63.0])
    (evidence,) = evidence_records.read_evidence(root)
    curves = evidence_picture.curves_of(evidence, 'plain')
    assert curves == [
        {1: 51.0, 2: 61.0, 3: 60.0},
        {1: 52.0, 2: 62.0, 3: 61.0},
    ]
    evidence_picture.draw(evidence, root / 'x.png')
    pixels = np.asarray(Image.open(root / 'x.png').convert('RGB'))
    for color in ((0, 114, 178), (213, 94, 0)):
        assert (np.abs(pixels.astype(int) - color).max(-1) < 12).sum() > 200
