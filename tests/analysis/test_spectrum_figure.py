from pathlib import Path

from mlfm_mm.analysis.samples import generate_samples
from mlfm_mm.analysis.spectrum import curves, measure_spectrum, tabulate
from mlfm_mm.analysis.spectrum_figure import draw_spectra
from tests.analysis.networks import segmentor


def test_a_panel_for_each_stage(tmp_path: Path) -> None:
    network = segmentor(tmp_path)
    measured = measure_spectrum(network, generate_samples(network))
    spectra = dict(plain=measured, mlfm=measured)
    table = tabulate(spectra, 'one picture')
    figure = draw_spectra(curves(spectra), table, 'title')
    titles = [axes.get_title() for axes in figure.get_axes()]
    assert titles[:4] == ['picture', 'encoder.0', 'encoder.1', 'encoder.2']
    shares = figure.get_axes()[-1]
    assert [t.get_text() for t in shares.get_legend().texts] == [
        'plain',
        'mlfm',
    ]
    figure.savefig(tmp_path / 'x.png')
