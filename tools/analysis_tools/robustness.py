r"""Test trained networks on corrupted pictures.

    python tools/analysis_tools/robustness.py
    python tools/analysis_tools/robustness.py work_dirs/quickstart/RUN
    python tools/analysis_tools/robustness.py \
        plain=plain.py plain_s0.pth plain_s1.pth \
        mlfm=mlfm.py mlfm_s0.pth mlfm_s1.pth

works for classifiers and segmentors, any number of them; with no network, the
two that come with trained weights. It measures accuracy or mIoU on the test
set as pictures are low-passed, high-passed, noised, blurred and compressed,
and writes one picture with the area under each curve, and the numbers. The
first network is the baseline; its checkpoints are paired with those of the
same seed where the work folders of all tell it, else in order.
"""

import csv
import json
import sys
from pathlib import Path

# A clone need not be installed: its package lies two folders up.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mmengine.logging import MMLogger
from rich.console import Console
from rich.progress import Progress

from mlfm_mm.analysis.corruptions import CORRUPTIONS, FAMILIES, Corruption
from mlfm_mm.analysis.evidence.statistics import check_scipy
from mlfm_mm.analysis.robustness import (
    Scores,
    areas,
    check_pipelines,
    measure_robustness,
    tabulate,
)
from mlfm_mm.analysis.robustness_figure import draw_robustness
from mlfm_mm.analysis.trained import (
    Source,
    check_sources,
    find_seed,
    find_sources,
    load_trained,
)
from mlfm_mm.engine import one_sentence
from mlfm_mm.engine.arguments import (
    add_config_options,
    loading_options,
    make_parser,
    read_arguments,
)
from mlfm_mm.engine.outputs import make_parent
from mlfm_mm.engine.weights import weights_only


def parse_args() -> dict:
    """Read the command line."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'network',
        nargs='*',
        help='work folders, or configs with their checkpoints; NAME= in front '
        'gives a name (default: the networks that come with trained weights)',
    )
    parser.add_argument(
        '--only',
        nargs='+',
        choices=list(FAMILIES),
        default=list(FAMILIES),
        help='families of corruptions (default: all)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/robustness'),
        metavar='DIR',
        help='where to write, or a .json file for the scores, beside which '
        'the others are written (default: %(default)s)',
    )
    example = 'test_dataloader.dataset.data_root=FOLDER'
    add_config_options(parser, example)
    return read_arguments(parser)


def find(args: dict) -> list[Source]:
    """Find the networks, of one test set."""
    sources = find_sources(args['network'])
    check_sources(sources, args['cfg_options'], args['memory'])
    return sources


def check(
    sources: list[Source], corruptions: tuple[Corruption, ...], args: dict
) -> None:
    """Meet all mistakes before the first test."""
    for source in sources:
        # What lies at an address is fetched when it is needed.
        if '://' not in source.checkpoint:
            load_trained(source, **loading_options(args))
    networks = [(source.config, source.checkpoint) for source in sources]
    check_pipelines(networks, corruptions, args['cfg_options'], args['memory'])


def measure(sources: list[Source], args: dict, path: Path) -> Scores:
    """Test all checkpoints under all conditions, and write each's scores."""
    corruptions = tuple(c for c in CORRUPTIONS if c.family in args['only'])
    scores: Scores = {}
    MMLogger.get_current_instance().setLevel('WARNING')
    check(sources, corruptions, args)
    # Else each of the sixteen tests would log its whole config.
    quiet = {'log_level': 'WARNING', **(args['cfg_options'] or {})}
    with Progress() as progress:
        steps = len(sources) * (1 + len(corruptions))
        task = progress.add_task('testing', total=steps)
        for source in sources:
            progress.update(task, description=source.name)
            found = measure_robustness(
                source.config,
                source.checkpoint,
                corruptions,
                quiet,
                lambda: progress.advance(task),
                memory=args['memory'],
                allow_partial=args['allow_partial'],
            )
            scores.setdefault(source.name, []).append(found)
            path.write_text(json.dumps(scores, indent=1) + '\n')
    return scores


def write_scores(scores: Scores, path: Path) -> None:
    """Write a line for each network, checkpoint and condition."""
    with open(path, 'w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['network', 'checkpoint', 'condition', 'score'])
        for name, runs in scores.items():
            for number, run in enumerate(runs):
                for condition, score in run.items():
                    writer.writerow([name, number, condition, score])


def main() -> None:
    """Test, print, save."""
    with one_sentence('robustness.py'):
        args = parse_args()
        out = args['out']
        path = out if out.suffix == '.json' else out / 'robustness.json'
        make_parent(path)
        sources = find(args)
        seeds: dict[str, list[int | None]] = {}
        for source in sources:
            seed = find_seed(source.checkpoint)
            seeds.setdefault(source.name, []).append(seed)
        check_scipy([len(found) for found in seeds.values()])
        with weights_only(args['trust']):
            scores = measure(sources, args, path)
        write_scores(scores, path.with_suffix('.csv'))
        table, area = (tabulate(s, seeds) for s in (scores, areas(scores)))
        text = (
            f'{table.markdown()}\nAreas under the curves:\n\n{area.markdown()}'
        )
        path.with_suffix('.md').write_text(text)
        figure = draw_robustness(
            scores, 'score (%)', 'Scores on degraded pictures'
        )
        figure.savefig(path.with_suffix('.png'))
        console = Console()
        console.print(table.rich())
        console.print('Areas under the curves:')
        console.print(area.rich())
        print(f'wrote {path.with_suffix("")}.png, .json, .csv and .md')


if __name__ == '__main__':
    main()
