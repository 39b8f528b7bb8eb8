"""Load the programs of tools/dataset_converters as modules."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from tests.tools.helpers import TOOLS


def load_converter(name: str) -> ModuleType:
    """Load a program; what it defines can be called in this process."""
    path = TOOLS / 'dataset_converters' / f'{name}.py'
    spec = spec_from_file_location(f'{name}_converter', path)
    assert spec and spec.loader
    module = module_from_spec(spec)
    # dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
