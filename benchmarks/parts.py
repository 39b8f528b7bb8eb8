"""Measure what docs/performance.md and the README report.

    python -m benchmarks.parts                  parts without results
    python -m benchmarks.parts resnet18 ...     these parts again
    python -m benchmarks.parts --all            all that can run here, again

The parts are those of benchmarks/parts.yaml. On two cores all of them take
about half an hour, in which the machine should have nothing else to do. After
an interruption the first command goes on. `make docs` then renews the pages.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
import yaml

from mlfm_mm.engine import UsageError
from mlfm_mm.engine.arguments import make_parser

from .__main__ import benchmark_parser, quiet, run
from .figures import Report
from .limits import Limits, judge

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path('docs/results/performance')


@dataclass(frozen=True)
class Part:
    """A call of the benchmark that the pages report.

    Args:
        name (str): Name of its file of results, and of its block.
        options (str): The options of ``python -m benchmarks``.
        limits (dict): Limits by arm and quantity. Defaults to none.
    """

    name: str
    options: str
    limits: Limits = field(default_factory=dict)

    def path(self, root: Path) -> Path:
        """Get the path of its results."""
        return root / RESULTS / f'{self.name}.json'

    def read(self, root: Path) -> Report | None:
        """Read its results, if it was measured."""
        path = self.path(root)
        return Report.read(path) if path.is_file() else None

    def measure(self, root: Path) -> None:
        """Measure it, save the results, and judge them by the limits."""
        out = ['--out', str(self.path(root))]
        args = benchmark_parser().parse_args([*self.options.split(), *out])
        report = run(args, f'python -m benchmarks {self.options}')
        for judgement in judge(report.figures, self.limits):
            print(judgement)


def read_parts() -> dict[str, Part]:
    """Read the list of parts, in the order of the page."""
    text = Path(__file__).with_name('parts.yaml').read_text('utf-8')
    return {n: Part(n, **entry) for n, entry in yaml.safe_load(text).items()}


def choose(everything: bool, gpu: bool, root: Path) -> list[str]:
    """Choose the parts that can run here: all, or those without results."""
    return [
        name
        for name, part in read_parts().items()
        if (everything or not part.path(root).is_file())
        and (gpu or '--device cuda' not in part.options)
    ]


def main() -> None:
    """Measure."""
    parser = make_parser(__doc__, 'python -m benchmarks.parts')
    parts = read_parts()
    parser.add_argument(
        'parts', nargs='*', choices=[*parts, []], metavar='PART'
    )
    parser.add_argument('--all', action='store_true')
    args = parser.parse_args()
    quiet()
    try:
        gpu = torch.cuda.is_available()
        for name in args.parts or choose(args.all, gpu, ROOT):
            parts[name].measure(ROOT)
    except UsageError as error:
        sys.exit(f'benchmarks: {error}')
    except KeyboardInterrupt:
        sys.exit('benchmarks: interrupted; run it again to go on')


if __name__ == '__main__':
    main()
