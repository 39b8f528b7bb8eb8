"""Write a trained network to a file that runs without OpenMMLab.

    python tools/export.py CONFIG CHECKPOINT --format onnx
    python tools/export.py work_dirs/mine --format pt2 --size 224 224
    python tools/export.py

works for classifiers and segmentors; with no network, the small classifier
that comes with trained weights. Norms are folded. The file takes images of any
size and number unless --size is given, knows its classes and normalization,
and is checked against PyTorch. demo/run_onnx.py runs an .onnx file without
torch.
"""

import sys
from pathlib import Path

# A clone need not be installed: its package lies beside this folder.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

try:
    from mlfm_mm.analysis.export import (
        FORMATS,
        check_exported,
        check_packages,
        describe,
        export_network,
        save,
    )
    from mlfm_mm.analysis.samples import generate_samples, load_samples
    from mlfm_mm.analysis.trained import find_source, load_trained
    from mlfm_mm.engine import UsageError, one_sentence
    from mlfm_mm.engine.arguments import (
        add_network_options,
        loading_options,
        make_parser,
        read_arguments,
    )
    from mlfm_mm.engine.outputs import make_parent, whole_file
except ModuleNotFoundError as error:
    sys.exit(
        f'export.py: {error.name} is not installed for {sys.executable}: '
        "use the environment's Python (.venv/bin/python after `make venv`), "
        "or `pip install -e '.[onedl]'`"
    )


def parse_args() -> dict:
    """Read the command line."""
    parser = make_parser(__doc__)
    add_network_options(parser, 'to compare with PyTorch on (default: made)')
    parser.add_argument(
        '--format',
        choices=FORMATS,
        help='the kind of file (default: as --out ends, else onnx)',
    )
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        metavar=('HEIGHT', 'WIDTH'),
        help='the only size that it takes (default: any)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE',
        help="where to write (default: the checkpoint's name, here)",
    )
    return read_arguments(parser)


def file_of(out: Path, kind: str | None) -> Path:
    """Name the file to write by ``--out`` and ``--format``."""
    if not out.name or out.name == '..':
        raise UsageError(f'--out {out} is a folder: give the file to write')
    ending = out.suffix[1:]
    if ending not in FORMATS:
        # A dot may belong to the name, as in net_0.35.
        return out.with_name(f'{out.name}.{kind or FORMATS[0]}')
    if kind not in (None, ending):
        raise UsageError(
            f'--out {out} is no file of --format {kind}: leave one of them out'
        )
    return out


def main() -> None:
    """Export."""
    with one_sentence('export.py'):
        args = parse_args()
        source = find_source(args['network'])
        out = args['out'] or Path(Path(source.checkpoint).stem)
        out = file_of(out, args['format'])
        check_packages(out)
        make_parent(out)
        say(f'loading {source.checkpoint}')
        network = load_trained(source, **loading_options(args))
        if args['images']:
            samples = load_samples(network, args['images'], args['count'])
        else:
            samples = generate_samples(network, args['count'])
        say(f'tracing {network.name}')
        exported = export_network(network, args['size'])
        with whole_file(out) as part:
            say(f'writing {out}')
            save(exported, describe(network, exported), part)
            say(f'comparing with PyTorch on {len(samples)} pictures')
            check = check_exported(part, exported, samples)
        say(f'{check}\nwrote {out}, {out.stat().st_size / 1e6:.1f} MB')


def say(text: str) -> None:
    """Print at once how far it has come."""
    print(text, flush=True)


if __name__ == '__main__':
    main()
