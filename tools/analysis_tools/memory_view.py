"""Show what each memory unit holds for a picture.

    python tools/analysis_tools/memory_view.py --images photo.jpg
    python tools/analysis_tools/memory_view.py CONFIG CHECKPOINT --images a.png
    python tools/analysis_tools/memory_view.py work_dirs/quickstart/RUN

works for classifiers and segmentors; with no network, the small classifier
that comes with trained weights, and with no picture, one of the test set. It
writes a labelled picture (image band, memory in, gates, memory out, trunk
before and after, unit by unit), and the numbers as JSON and CSV.
"""

import sys
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console

from mlfm_mm.analysis.memory_figure import draw_memory
from mlfm_mm.analysis.memory_view import tabulate, view_memory
from mlfm_mm.analysis.samples import load_samples
from mlfm_mm.analysis.trained import find_source, load_trained
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import (
    add_network_options,
    add_output,
    loading_options,
    make_parser,
    read_arguments,
)
from mlfm_mm.engine.normalization import normalization_of
from mlfm_mm.engine.outputs import make_folder
from mlfm_mm.engine.pictures import UniqueNames


def parse_args() -> dict:
    """Read the command line."""
    parser = make_parser(__doc__)
    add_network_options(parser, 'to look at (default: of the test set)')
    add_output(parser, 'work_dirs/memory_view')
    return read_arguments(parser)


def main() -> None:
    """Compute, draw and save."""
    with one_sentence('memory_view.py'):
        args = parse_args()
        source = find_source(args['network'])
        network = load_trained(source, **loading_options(args))
        out: Path = args['out']
        make_folder(out)
        normalization = normalization_of(network.model.data_preprocessor)
        console = Console()
        samples = load_samples(network, args['images'], args['count'])
        names = UniqueNames()
        for index, sample in enumerate(samples):
            views = view_memory(network.model, sample.x)
            name = Path(sample.name).stem.replace(' ', '_')
            stem = names.take(f'memory_{name}')
            title = f'{network.name}: {sample.name}'
            figure = draw_memory(views, sample.picture, normalization, title)
            figure.savefig(out / f'{stem}.png')
            table = tabulate(views, title)
            table.save(out, stem)
            if index == 0:
                shown = ('tap', 'stride', 'channels', 'memory_in', 'share')
                console.print(table.only(*shown).rich())
            print(f'wrote {out / stem}.png, .json, .csv and .md', flush=True)


if __name__ == '__main__':
    main()
