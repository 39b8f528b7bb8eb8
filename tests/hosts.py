"""What the installed host libraries cannot do, as marks that skip tests.

The suite also runs with the original distributions of OpenMMLab, by
``make test-openmmlab``; each thing they lack is named here once.
"""

from importlib import import_module
from importlib.util import find_spec

import mmengine
import pytest
import torch
from mmengine.registry import MODELS
from mmengine.utils import digit_version

# mmseg's models; the registry of all hosts where mmseg is absent, so that
# tests of the others can be collected.
SEG = import_module('mmseg.registry').MODELS if find_spec('mmseg') else MODELS


def _why_no_mmseg() -> str:
    try:
        import mmseg.models  # noqa: F401
    except ModuleNotFoundError as error:
        # mmsegmentation 1.2.2 imports mmcv's compiled operators, and
        # mmcv-lite has none.
        return f'no mmseg here ({error})'
    return ''


def _why_no_resume() -> str:
    old = digit_version(mmengine.__version__) < digit_version('0.10.8')
    strict = digit_version(torch.__version__) >= digit_version('2.6')
    if not (old and strict):
        return ''
    return (
        f'mmengine {mmengine.__version__} cannot load its own checkpoints '
        f'with torch {torch.__version__}, which reads weights only'
    )


NO_MMSEG, NO_RESUME = _why_no_mmseg(), _why_no_resume()
needs_mmseg = pytest.mark.skipif(NO_MMSEG != '', reason=NO_MMSEG)
needs_resume = pytest.mark.skipif(NO_RESUME != '', reason=NO_RESUME)
# Compilers of PyTorch 2.5, the oldest promised, cannot follow the neck's state
# of a thread in one graph.
needs_compiler = pytest.mark.skipif(
    digit_version(torch.__version__) < digit_version('2.6'),
    reason='PyTorch 2.5 breaks the graph at threading.local',
)
