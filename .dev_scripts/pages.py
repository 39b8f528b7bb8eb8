"""Write the generated pages and tables, or check that they are up to date.

    python .dev_scripts/pages.py            write what is out of date
    python .dev_scripts/pages.py --check    write nothing; fail if any is

The first step of ``make docs``, which then builds the site. Each module that
writes has a function ``generate(root)``, named in ``GENERATORS``. It returns
texts by the place where they stand, from the top of the repository:
``'a/b.yml'`` is a whole file, ``'README.md#cost'`` the block of that name in
a page that is otherwise written by hand (see ``marks.py``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import evidence_page
import reliability_page
import results
import zoo
from backbone_sweep import hosts_page as hosts
from backbone_sweep import page as backbones
from benchmarks import pages as cost
from benchmarks import registers
from marks import replace_block
from mlfm_mm.engine.arguments import make_parser

ROOT = Path(__file__).resolve().parents[1]
Generator = Callable[[Path], Mapping[str, str]]

GENERATORS: tuple[Generator, ...] = (
    zoo.generate,
    results.generate,
    cost.generate,
    registers.generate,
    evidence_page.generate,
    backbones.generate,
    hosts.generate,
    reliability_page.generate,
)


def stale_files(root: Path, generators: Sequence[Generator]) -> dict[str, str]:
    """Generate everything, and keep what differs from the files.

    Args:
        root (Path): The top of the repository.
        generators (Sequence[Callable]): What generates.

    Returns:
        dict[str, str]: The new contents by the path from the top.

    Raises:
        ValueError: A page has no place for its block.
    """
    files: dict[str, str] = {}
    for generate in generators:
        for place, text in generate(root).items():
            name, _, block = place.partition('#')
            if block:
                page = files.get(name) or (root / name).read_text('utf-8')
                try:
                    text = replace_block(page, block, text)
                except ValueError as error:
                    raise ValueError(f'{name}: {error}') from error
            files[name] = text
    return {
        name: text for name, text in files.items() if differs(root, name, text)
    }


def differs(root: Path, name: str, text: str) -> bool:
    """Check whether a file is missing, or holds another text."""
    path = root / name
    return not path.is_file() or path.read_text('utf-8') != text


def main() -> None:
    """Write, or check."""
    parser = make_parser(__doc__)
    parser.add_argument(
        '--check', action='store_true', help='fail if a page is out of date'
    )
    check = parser.parse_args().check
    try:
        stale = stale_files(ROOT, GENERATORS)
    except (ValueError, OSError) as error:
        sys.exit(f'pages.py: {error}')
    if stale and check:
        sys.exit(f'out of date: {", ".join(stale)}; run make docs')
    for name, text in stale.items():
        (ROOT / name).write_text(text, 'utf-8')
        print(f'wrote {name}')
    if not stale:
        print('all pages are up to date')


if __name__ == '__main__':
    main()
