"""A unit in inference: the plain formulas' result, with few new maps."""

import copy

import pytest
import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn

from mlfm_mm import LFMU
from mlfm_mm.models.kernels import inference
from mlfm_mm.models.kernels.checks import fits
from tests.models.builders import UNIT_OPTIONS, shaken
from tests.models.plain_unit import PlainUnit, low_low

X = torch.randn(3, 8, 6, 10)
MEMORY = torch.randn(3, 6, 6, 10)
IMAGE = torch.randn(3, 3, 6, 10)


def make(**options) -> LFMU:
    return shaken(LFMU(6, 8, **options)).eval()


@pytest.mark.parametrize('block', [1, 8 * 6 * 10 * 2, 2**20])
@pytest.mark.parametrize('layout', ['contiguous', 'channels_last'])
@pytest.mark.parametrize('levels', [0, 1])
@pytest.mark.parametrize('options', UNIT_OPTIONS)
def test_equals_the_plain_unit(
    options: dict,
    levels: int,
    layout: str,
    block: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inference, 'BLOCK', block)
    unit = make(levels=levels, **options)
    given = [t.clone() for t in (X, MEMORY, IMAGE)]
    if layout == 'channels_last':
        given = [t.to(memory_format=torch.channels_last) for t in given]
    with torch.no_grad():
        x, memory = PlainUnit.like(unit)(X, MEMORY, IMAGE)
        expected = x, low_low(memory) if levels else memory
        assert fits(unit, given[0])
        found = unit(*given)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    # The trunk and the next pass need what the unit was given.
    torch.testing.assert_close(given, [X, MEMORY, IMAGE], rtol=0, atol=0)


@pytest.mark.parametrize('options', UNIT_OPTIONS)
def test_folded_norms(options: dict) -> None:
    unit = make(**options)
    folded = fuse_conv_bn(copy.deepcopy(unit)).eval()
    assert isinstance(folded.input_gate.norm, nn.Identity)
    with torch.no_grad():
        assert fits(folded, X)
        expected = unit(X, MEMORY, IMAGE)
        found = folded(X, MEMORY, IMAGE)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    # What would differentiate it knows the norms as they were only.
    assert not fits(folded, X)
    with torch.no_grad():
        assert not fits(folded.train(), X)
    parts = folded.eval()(X, MEMORY, IMAGE)
    torch.testing.assert_close(parts, expected, rtol=1e-4, atol=1e-5)


class Counter(torch.overrides.TorchFunctionMode):
    """Counts the storages as large as a map that a pass brings forth."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.seen = size, {}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor) and out.untyped_storage():
            storage = out.untyped_storage()
            if storage.nbytes() == self.size:
                self.seen[storage._cdata] = storage  # kept, so kept apart
        return out


# Image by image, the output is the only map of this size; at once, there is
# that of the supplement gate, too.
@pytest.mark.parametrize(('block', 'expected'), [(1, 1), (2**20, 2)])
def test_new_maps(
    block: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, 'BLOCK', block)
    given, counter = (X.clone(), MEMORY, IMAGE), Counter(X.nbytes)
    with torch.no_grad(), counter:
        make(levels=1)(*given)
    counter.seen.pop(given[0].untyped_storage()._cdata, None)
    assert len(counter.seen) == expected
