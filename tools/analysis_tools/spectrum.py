"""Measure which spatial frequencies features hold, stage by stage.

    python tools/analysis_tools/spectrum.py --images photos/ --count 100
    python tools/analysis_tools/spectrum.py plain=a.py a.pth mlfm=b.py b.pth
    python tools/analysis_tools/spectrum.py work_dirs/quickstart/RUN

works for classifiers and segmentors, any number of them; with no network, the
two that come with trained weights, and with no pictures, those of the test
set. It writes radial power spectra of each stage's features, and the share of
power in the band that the memory keeps: a picture, and the numbers as JSON and
CSV.
"""

import sys
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console
from rich.progress import track

from mlfm_mm.analysis.machine import describe_machine
from mlfm_mm.analysis.samples import load_samples
from mlfm_mm.analysis.spectrum import (
    StageSpectrum,
    curves,
    measure_spectrum,
    tabulate,
)
from mlfm_mm.analysis.spectrum_figure import draw_spectra
from mlfm_mm.analysis.trained import (
    check_sources,
    find_sources,
    load_trained,
)
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import (
    add_network_options,
    add_output,
    loading_options,
    make_parser,
    read_arguments,
)
from mlfm_mm.engine.outputs import make_folder


def parse_args() -> dict:
    """Read the command line."""
    parser = make_parser(__doc__)
    add_network_options(parser, 'to look at (default: of the test set)', 100)
    add_output(parser, 'work_dirs/spectrum')
    return read_arguments(parser)


def main() -> None:
    """Measure."""
    with one_sentence('spectrum.py'):
        args = parse_args()
        out = args['out']
        make_folder(out)
        spectra: dict[str, list[StageSpectrum]] = {}
        sources = find_sources(args['network'])
        if not args['images']:
            check_sources(sources, args['cfg_options'], args['memory'])
        for source in sources:
            network = load_trained(source, **loading_options(args))
            samples = load_samples(network, args['images'], args['count'])
            watched = track(samples, source.name)
            before = spectra.get(source.name)
            spectra[source.name] = measure_spectrum(network, watched, before)
        table = tabulate(spectra, f'{len(samples)} pictures')
        found = curves(spectra)
        machine = describe_machine(args['device'])
        table.save(out, 'spectrum', curves=found, machine=machine)
        title = f'Spatial frequencies of features, {len(samples)} pictures'
        figure = draw_spectra(found, table, title)
        figure.savefig(out / 'spectrum.png')
        Console().print(table.rich())
        print(f'wrote {out}/spectrum.png, .json, .csv and .md')


if __name__ == '__main__':
    main()
