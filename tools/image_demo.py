"""One picture in, one picture out: a label or a mask drawn on it.

    python tools/image_demo.py photo.jpg
    python tools/image_demo.py photo.jpg CONFIG CHECKPOINT --out shown.png
    python tools/image_demo.py photo.jpg work_dirs/my_run

works for classifiers of mmpretrain and for segmentors of mmsegmentation. With
no network, a small classifier with twenty classes is used.
"""

import sys
from pathlib import Path

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from mlfm_mm.analysis.trained import find_source, load_trained
    from mlfm_mm.engine import one_sentence
    from mlfm_mm.engine.arguments import (
        add_config_options,
        add_device,
        loading_options,
        make_parser,
        read_arguments,
    )
    from mlfm_mm.engine.demo import show_prediction
except ModuleNotFoundError as error:
    sys.exit(
        f'image_demo.py: {error.name} is not installed for {sys.executable}: '
        "use the environment's Python (.venv/bin/python after `make venv`), "
        "or `pip install -e '.[onedl]'`"
    )


def parse_args() -> dict:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument('image', help='the picture')
    parser.add_argument(
        'network',
        nargs='*',
        help='a config and its checkpoint, or a work folder',
    )
    parser.add_argument(
        '--out',
        default='demo.png',
        metavar='FILE',
        help='the picture to write (default: %(default)s)',
    )
    add_device(parser)
    add_config_options(parser, 'model.neck.update=concat')
    return read_arguments(parser)


def main() -> None:
    """Predict and draw."""
    with one_sentence('image_demo.py'):
        args = parse_args()
        source = find_source(args['network'])
        network = load_trained(source, **loading_options(args))
        words = show_prediction(
            network.model,
            network.cfg,
            network.host,
            network.meta,
            args['image'],
            args['out'],
        )
        print(f'{words}\nwrote {args["out"]}')


if __name__ == '__main__':
    main()
