from pathlib import Path

import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from mmengine.visualization.utils import img_from_canvas

from mlfm_mm.analysis.memory_figure import TITLES, draw_memory
from mlfm_mm.analysis.memory_view import view_memory
from mlfm_mm.analysis.samples import generate_samples
from mlfm_mm.engine.normalization import normalization_of
from tests.analysis.networks import classifier


def test_a_row_for_each_unit(tmp_path: Path) -> None:
    network = classifier(tmp_path)
    network.model.neck.units[1].supplement_gate = None
    (sample,) = generate_samples(network)
    views = view_memory(network.model, sample.x)
    normalization = normalization_of(network.model.data_preprocessor)
    figure = draw_memory(views, sample.picture, normalization, 'net')
    panels = [axes for axes in figure.axes if axes.get_subplotspec()]
    rows = len(views) + 1
    assert len(panels) >= rows * len(TITLES)
    # What shares a colour bar shares its limits.
    gates = figure.axes[len(TITLES) + 3], figure.axes[len(TITLES) + 4]
    one, other = (axes.images[0].get_clim() for axes in gates)
    assert one == other and one[1] > 0
    pixels = img_from_canvas(FigureCanvasAgg(figure))
    assert pixels.ndim == 3 and len(torch.from_numpy(pixels).unique()) > 50
