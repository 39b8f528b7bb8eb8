"""Compare any number of training runs.

    python tools/analysis_tools/compare.py work_dirs/quickstart/RUN
    python tools/analysis_tools/compare.py work_dirs/plain_s* work_dirs/mlfm_s*
    python tools/analysis_tools/compare.py --test work_dirs/camvid

writes a table as of a model zoo (best and final score, mean and deviation over
seeds, paired difference from the first network with its interval, parameters,
MACs, time and memory), the learning curves, and all numbers as JSON and CSV.
A run is named after its folder without the seed at its end, or by NAME= in
front of it. With --test segmentors are tested: IoU by class, and pictures of
what they predict.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rich.console import Console

from mlfm_mm.analysis.compare import (
    LABELS,
    Runs,
    find_networks,
    save,
    summarize,
    tabulate,
    unit_of,
)
from mlfm_mm.analysis.evidence.statistics import check_scipy
from mlfm_mm.analysis.machine import describe_machine
from mlfm_mm.analysis.plots import plot_curves
from mlfm_mm.analysis.runs import find_checkpoint
from mlfm_mm.analysis.same_data import check_data
from mlfm_mm.engine import UsageError, one_sentence
from mlfm_mm.engine.arguments import (
    add_partial,
    add_trust,
    make_parser,
    positive,
)
from mlfm_mm.engine.outputs import make_folder
from mlfm_mm.engine.weights import weights_only


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'folders', nargs='+', help='work folders, or folders of them'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/compared'),
        metavar='DIR',
        help='where to write (default: %(default)s)',
    )
    parser.add_argument(
        '--test',
        action='store_true',
        help='test the first run of each segmentor, class by class',
    )
    parser.add_argument(
        '--pictures',
        type=positive,
        default=3,
        metavar='N',
        help='with --test: how many pictures to show (default: %(default)s)',
    )
    parser.add_argument(
        '--data',
        metavar='FOLDER',
        help='the data, if not where the configs say',
    )
    add_partial(parser)
    add_trust(parser)
    return parser.parse_args()


def find_weights(networks: Runs) -> dict[str, Path]:
    """Find the weights of the first run of each segmentor."""
    weights = {}
    for name, (run, *_) in networks.items():
        if run.cfg.default_scope != 'mmseg':
            raise UsageError(f'--test: {name} is no segmentor')
        weights[name] = find_checkpoint(run.folder)
    return weights


def test(
    networks: Runs, weights: dict[str, Path], args: argparse.Namespace
) -> None:
    """Test the first run of each segmentor, and draw what it predicts."""
    # Here, as classifiers are compared without mmseg, too.
    from mlfm_mm.analysis.segments import (
        Picture,
        add_predictions,
        draw,
        evaluate,
    )
    from mlfm_mm.analysis.segments import tabulate as tabulate_classes

    scores, shown = {}, list[Picture]()
    for name, (run, *_) in networks.items():
        print(f'testing {name}', flush=True)
        runner, scores[name] = evaluate(
            run.cfg, weights[name], args.data, args.allow_partial
        )
        add_predictions(runner, shown, args.pictures)
    table = tabulate_classes(scores)
    kept = {name: asdict(score) for name, score in scores.items()}
    table.save(args.out, 'classes', scores=kept, machine=describe_machine())
    meta = runner.test_dataloader.dataset.metainfo
    classes = dict(zip(meta['classes'], meta['palette'], strict=True))
    draw(shown, list(scores), classes, args.out / 'predictions.png')
    Console().print(table.rich())


def main() -> None:
    """Compare."""
    with one_sentence('compare.py'):
        args = parse_args()
        out: Path = args.out
        networks = find_networks(args.folders)
        runs = [run for found in networks.values() for run in found]
        check_data({str(run.folder): run.cfg for run in runs}, args.data)
        check_scipy([len(found) for found in networks.values()])
        weights = find_weights(networks) if args.test else {}
        make_folder(out)
        print(f'{len(runs)} runs of {len(networks)} networks', flush=True)
        table = tabulate(networks, summarize(networks))
        save(networks, table, out)
        plot_curves(
            {n: [r.curve for r in found] for n, found in networks.items()},
            out / 'curves.png',
            ', '.join(networks),
            f'validation {LABELS[runs[0].cfg.default_scope]}',
            unit_of(runs[0].cfg),
        )
        shown = ('network', 'seeds', 'params', 'macs', 'final', 'gain')
        Console().print(table.only(*shown).rich())
        if args.test:
            with weights_only(args.trust):
                test(networks, weights, args)
        print(f'wrote {out}/results.md, .json, .csv and curves.png')


if __name__ == '__main__':
    main()
