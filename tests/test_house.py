"""The rules of the house, read off the source of the package.

``MAX_ANY`` may only fall.
"""

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.robustness.models import images, narrow

REPO = Path(__file__).resolve().parents[1]
PACKAGE = REPO / 'mlfm_mm'
FILES = sorted(PACKAGE.glob('[!.]*/**/*.py')) + sorted(PACKAGE.glob('*.py'))
TREES = {file: ast.parse(file.read_text()) for file in FILES}
FUNCTIONS = [
    (file, node)
    for file, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef)
]
OUTSIDE = {'tests', 'docs', 'benchmarks', 'demo', 'tools'}
# From the top of models/ to its ground; what shares a line shares a floor.
FLOORS = (
    ('mlfm_neck',),
    ('memory_pass', 'following', 'adoption'),
    ('taps',),
    ('lfmu',),
    ('kernels',),
    ('low_pass',),
)

MAX_ANY = 8


def name_of(file: Path) -> str:
    """Name a module, relative to the package: models.taps.find."""
    parts = file.relative_to(PACKAGE).with_suffix('').parts
    return '.'.join(part for part in parts if part != '__init__')


def imports_of(file: Path) -> Iterator[str]:
    """Name what a module imports when it runs, in full."""
    here = ['mlfm_mm', *file.relative_to(PACKAGE).parts[:-1]]
    for node in walk_without_types(TREES[file]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else []
            base += node.module.split('.') if node.module else []
            # A name may be a module or something in one.
            yield from ('.'.join([*base, alias.name]) for alias in node.names)


def walk_without_types(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, without imports for the type checker only."""
    if isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from walk_without_types(child)


def arrows() -> dict[str, set[str]]:
    """Which modules of the package each module imports."""
    names = {name_of(file) for file in FILES}
    graph: dict[str, set[str]] = {}
    for file in FILES:
        inner = re.findall(
            r'^mlfm_mm\.(.+)$', '\n'.join(imports_of(file)), re.M
        )
        targets = {n if n in names else n.rpartition('.')[0] for n in inner}
        graph[name_of(file)] = targets & names - {name_of(file), ''}
    return graph


def folded(graph: dict[str, set[str]], depth: int) -> dict[str, set[str]]:
    """Draw the arrows between rooms: the first parts of the names."""
    rooms: dict[str, set[str]] = {}
    for source, targets in graph.items():
        room = '.'.join(source.split('.')[:depth])
        into = {'.'.join(target.split('.')[:depth]) for target in targets}
        rooms.setdefault(room, set()).update(into - {room})
    return rooms


@pytest.mark.parametrize('depth', [1, 2, 9], ids=['rooms', 'shelves', 'files'])
def test_every_import_points_one_way(depth: int) -> None:
    TopologicalSorter(folded(arrows(), depth)).prepare()  # else CycleError


def test_models_stand_on_their_floors() -> None:
    heights = {
        room: height
        for height, floor in enumerate(reversed(FLOORS))
        for room in floor
    }
    models = {k: v for k, v in arrows().items() if k.startswith('models.')}
    for source, targets in folded(models, 2).items():
        for target in targets:
            above = heights.get(source.removeprefix('models.'))
            below = heights.get(target.removeprefix('models.'))
            if above is not None and below is not None:
                assert above > below, f'{source} imports {target}'


def test_only_the_door_of_the_kernels_is_known() -> None:
    inside = 'models.kernels'
    for source, targets in arrows().items():
        if not source.startswith(inside):
            behind = {t for t in targets if t.startswith(f'{inside}.')}
            assert not behind, f'{source} goes around the door: {behind}'


@pytest.mark.parametrize('file', FILES, ids=name_of)
def test_the_package_knows_nothing_outside(file: Path) -> None:
    roots = {name.split('.')[0] for name in imports_of(file)}
    assert not roots & OUTSIDE
    named = re.compile(r'\b(tests|docs|benchmarks|demo)/|README')
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = named.search(node.value)
            assert not found, f'line {node.lineno} names {found}'


@pytest.mark.parametrize('file', FILES, ids=name_of)
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 300


def test_functions_are_short() -> None:
    long = [
        f'{name_of(file)}.{node.name}'
        for file, node in FUNCTIONS
        if lines_of(node) > 40
    ]
    assert not long


def lines_of(node: ast.FunctionDef) -> int:
    """The length of a function behind its docstring."""
    first = node.body[bool(ast.get_docstring(node)) and len(node.body) > 1]
    return (node.end_lineno or 0) - first.lineno + 1


def test_signatures_say_their_types() -> None:
    vague = [
        f'{name_of(file)}.{node.name}'
        for file, node in FUNCTIONS
        if re.search(r'\bAny\b', signature(node))
    ]
    assert len(vague) <= MAX_ANY, vague


def signature(node: ast.FunctionDef) -> str:
    """The annotations of a function, as one text."""
    returns = ast.unparse(node.returns) if node.returns else ''
    return f'{ast.unparse(node.args)} {returns}'


def test_each_module_has_its_tests() -> None:
    """A file that only lists names or data needs none."""
    lacking = {
        name_of(file) or file.parent.name
        for file in FILES
        if any(file is owner for owner, _ in FUNCTIONS)
        and not any(path.exists() for path in mirrors_of(file))
    }
    assert not lacking


def mirrors_of(file: Path) -> Iterator[Path]:
    """Where the tests of a module may be."""
    folder = REPO / 'tests' / file.relative_to(PACKAGE).parent
    if file.name != '__init__.py':
        yield folder / f'test_{file.name}'
    else:
        yield folder / f'test_{folder.name}.py'
        yield folder.with_name(f'test_{folder.name}.py')


class Convolutions(TorchDispatchMode):
    """Lists our frames above each convolution, from the hook at a tap on."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[list[str]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution.default:
            path, frame = list[str](), sys._getframe()
            while frame is not None:
                if str(PACKAGE) in frame.f_code.co_filename:
                    path.insert(0, frame.f_code.co_filename)
                    if frame.f_code.co_name == '_visit':
                        self.paths.append(path)
                        break
                frame = frame.f_back
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('kernels', ['auto', False])
def test_a_feature_passes_few_hands(kernels: object, training: bool) -> None:
    model = narrow(kernels=kernels).train(training)
    with torch.set_grad_enabled(training), Convolutions() as seen:
        model(images())
    units = model.neck.units
    assert len(seen.paths) == 2 * len(units)  # two gates, at each tap
    for path in seen.paths:
        assert len(path) <= 4, path
