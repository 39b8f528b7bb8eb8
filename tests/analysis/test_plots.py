from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mlfm_mm.analysis import plots
from mlfm_mm.analysis.plots import (
    plot_curves,
    told,
    told_loss,
)
from mlfm_mm.analysis.runs import Curve


@pytest.mark.parametrize('epochs', [1, 100])
def test_picture(epochs: int, tmp_path: Path) -> None:
    scores = {epoch: 50.0 + epoch for epoch in range(1, epochs + 1)}
    curve = Curve(scores, scores, scores)
    plot_curves({'a': [curve], 'b': [curve]}, tmp_path / 'x.png', 'title')
    with Image.open(tmp_path / 'x.png') as picture:
        pixels = np.asarray(picture.convert('L'))
    assert pixels.shape[1] > 1000 and 0 < (pixels < 128).mean() < 0.2


@pytest.mark.parametrize('count', [2, 6])
def test_nothing_lies_on_anything_else(
    count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []

    class Kept(Figure):
        def savefig(self, *args: object, **kwargs: object) -> None:
            super().savefig(*args, **kwargs)
            drawn.append(self)

    monkeypatch.setattr(plots, 'Figure', Kept)
    scores = {epoch: 50.0 + epoch for epoch in range(1, 101)}
    curves = {
        f'mobilenetv2_0.35-mlfm_tiny20_{i}': [Curve(scores, scores, scores)]
        for i in range(count)
    }
    plot_curves(curves, tmp_path / 'x.png', 'title')
    for axes in drawn[0].axes:
        legend = axes.get_legend()
        assert not legend.get_window_extent().overlaps(axes.bbox)
        for axis in (axes.xaxis, axes.yaxis):
            extents = [
                label.get_window_extent()
                for label in axis.get_ticklabels()
                if label.get_text() and label.get_visible()
            ]
            assert len(extents) > 2
            for first, second in pairwise(extents):
                assert not first.overlaps(second)


def test_the_mean_of_several_seeds(tmp_path: Path) -> None:
    # One of them has not come so far.
    runs = [Curve({1: 2.0}, {1: 50.0, 2: 60.0}, {}), Curve({}, {1: 52.0}, {})]
    plot_curves({'a': runs}, tmp_path / 'x.png', 'title')
    assert told('a', runs, 'epoch') == 'a: final 56.0 ± 5.7 (2 seeds)'
    assert told_loss('a', runs) == 'a: final 2.000'


def test_a_loss_that_is_no_number_leaves_a_gap(tmp_path: Path) -> None:
    runs = [Curve({1: loss, 2: 1.0}, {1: 50.0}, {}) for loss in (2.0, np.nan)]
    plot_curves({'a': runs}, tmp_path / 'x.png', 'title')
    assert (tmp_path / 'x.png').is_file()
