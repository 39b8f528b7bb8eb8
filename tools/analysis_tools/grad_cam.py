"""Show where networks look, by Grad-CAM behind their memory units.

    python tools/analysis_tools/grad_cam.py --images photo.jpg
    python tools/analysis_tools/grad_cam.py CONFIG CHECKPOINT --images a.png
    python tools/analysis_tools/grad_cam.py --images cat.jpg --class tabby

works for classifiers and segmentors, any number of them side by side; with no
network, the two that come with trained weights, and with no pictures, those of
the test set. The maps are of the predicted class, at the module behind which
the last unit sits; --class and --layer choose others. By pytorch-grad-cam:
pip install 'mlfm_mm[analysis]'.
"""

import sys
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console
from rich.progress import track

from mlfm_mm.analysis.grad_cam import draw, find_class, look, tabulate
from mlfm_mm.analysis.samples import load_samples
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
    add_network_options(parser, 'to look at (default: of the test set)', 4)
    parser.add_argument(
        '--class',
        dest='label',
        metavar='NAME',
        help='a class, by its name or number (default: the predicted one)',
    )
    parser.add_argument(
        '--layer',
        metavar='MODULE',
        help='a module of the backbone (default: behind the last unit)',
    )
    add_output(parser, 'work_dirs/grad_cam')
    return read_arguments(parser)


def main() -> None:
    """Compute, draw and save."""
    with one_sentence('grad_cam.py'):
        args = parse_args()
        out = args['out']
        make_folder(out)
        columns = []
        # Of several seeds the first: the last one put into the dict.
        found = reversed(find_sources(args['network']))
        sources = [*reversed({s.name: s for s in found}.values())]
        if not args['images']:
            check_sources(sources, args['cfg_options'], args['memory'])
        for source in sources:
            network = load_trained(source, **loading_options(args))
            label = find_class(network, args['label'])
            samples = load_samples(network, args['images'], args['count'])
            columns.append(
                [
                    look(network, sample, label, args['layer'])
                    for sample in track(samples, source.name)
                ]
            )
        rows = list(zip(*columns, strict=True))
        table = tabulate([focus for row in rows for focus in row])
        table.save(out, 'grad_cam')
        layer = columns[0][0].layer
        figure = draw(samples, rows, f'Where they look, behind {layer}')
        figure.savefig(out / 'grad_cam.png')
        Console().print(
            table.only('picture', 'network', 'label', 'score', 'area').rich()
        )
        print(f'wrote {out}/grad_cam.png, .json, .csv and .md')


if __name__ == '__main__':
    main()
