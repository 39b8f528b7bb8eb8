from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.runs import Curve


@pytest.mark.parametrize('epochs', [1, 100])
def test_picture(epochs: int, tmp_path: Path) -> None:
    scores = {epoch: 50.0 + epoch for epoch in range(1, epochs + 1)}
    curve = Curve(scores, scores, scores)
    plot_curves({'a': curve, 'b': curve}, tmp_path / 'x.png', 'title')
    with Image.open(tmp_path / 'x.png') as picture:
        pixels = np.asarray(picture.convert('L'))
    assert pixels.shape[1] > 1000 and 0 < (pixels < 128).mean() < 0.2
