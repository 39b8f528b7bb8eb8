"""What flows from tap to tap, and how sizes meet."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mlfm_mm import LowPass, MLFMNeck
from mlfm_mm.models import Tap
from mlfm_mm.models.memory_pass import (
    CurrentPass,
    MemoryPass,
    image_of,
    match_size,
)
from tests.models.reference import low_low

STEM, STAGE = Tap('stem', 4, 2), Tap('stage', 6, 4)


def test_the_first_memory_is_the_band() -> None:
    image = torch.randn(1, 3, 12, 10)
    state = MemoryPass(image, LowPass(), 2, False)
    memory, band = state.read(STEM, torch.zeros(1, 4, 6, 5), False)
    assert memory is band
    torch.testing.assert_close(band, low_low(image))


def test_the_next_ones_are_what_was_handed_on() -> None:
    image, handed = torch.randn(1, 3, 12, 10), torch.randn(1, 4, 3, 3)
    state = MemoryPass(image, LowPass(), 2, False)
    state.write(handed)
    x = torch.zeros(1, 6, 3, 3)
    memory, band = state.read(STAGE, x, reads_image=True)
    assert memory is handed and state.next_tap == 1
    torch.testing.assert_close(band, low_low(low_low(image)))
    assert state.read(STAGE, x, reads_image=False) == (handed, None)


@pytest.mark.parametrize('in_place', [True, False])
def test_a_stem_that_changes_its_image(in_place: bool) -> None:
    class Stem(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x.mul_(4) if in_place else x * 4)

    model, seen = nn.Module(), list[Tensor]()
    stem = Stem(nn.Conv2d(3, 4, 3, 1, 1), nn.ReLU())
    stage = nn.Sequential(nn.Conv2d(4, 4, 2, 2), nn.ReLU())
    model.backbone = nn.Sequential(stem, stage)
    model.neck = MLFMNeck(taps=['0', '1'])
    for unit in model.neck.units:
        unit.register_forward_pre_hook(lambda _, args: seen.append(args[2]))
    image = torch.rand(2, 3, 16, 16)
    expected = image.clone()
    model.neck(model.backbone(image))
    torch.testing.assert_close(seen[0], expected)
    torch.testing.assert_close(seen[1], low_low(expected))


def test_patches_drop_the_last_pixels() -> None:
    source = torch.arange(9.0).view(1, 1, 3, 3)
    met = match_size(source, torch.zeros(1, 4, 2, 2), STAGE)
    assert met.flatten().tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize('size', [(5, 5), (3, 4)])
def test_what_does_not_align_is_resampled(size: tuple[int, int]) -> None:
    tap = Tap('stage', 6, 4, aligned=False)
    met = match_size(torch.ones(1, 2, 4, 4), torch.zeros(1, 6, *size), tap)
    assert met.shape == (1, 2, *size)
    assert (met == 1).all()


def test_valid_convolutions_on_small_images() -> None:
    """LeNet-5 makes 10x10 of 32x32 where memory and band have 14 and 16."""
    source = torch.rand(1, 2, 16, 16)
    expected = F.interpolate(source, size=(10, 10), mode='bilinear')
    found = match_size(source, torch.zeros(1, 6, 10, 10), STAGE)
    torch.testing.assert_close(found, expected)


def test_sizes_that_cannot_meet() -> None:
    with pytest.raises(ValueError, match=r"'stage' .*\(8, 8\).*\(2, 2\)"):
        match_size(torch.ones(1, 2, 8, 8), torch.zeros(1, 6, 2, 2), STAGE)


def test_each_thread_and_each_copy_has_its_own() -> None:
    current = CurrentPass()
    current.state = MemoryPass(torch.zeros(1, 3, 4, 4), LowPass(), 0, True)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: current.state).result() is None
    for twin in (
        copy.deepcopy(current),
        pickle.loads(pickle.dumps(current)),
    ):
        assert twin.state is None


def test_users_can_have_the_bands_by_the_low_pass_itself() -> None:
    low_pass, calls = LowPass(), []
    low_pass.forward = lambda x: calls.append(x) or x[..., ::2, ::2]
    image = torch.rand(1, 3, 8, 8)
    for kernels in (False, 'triton'):
        MemoryPass(image, low_pass, 2, False, kernels)
    assert len(calls) == 4


class Masked(nn.Module):
    """Takes an image, and perhaps a mask."""

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x


def test_the_image_is_the_first_argument_however_it_is_given() -> None:
    image, mask = torch.zeros(1, 3, 2, 2), torch.ones(1, 1, 2, 2)
    module = Masked()
    for args, kwargs in [
        ((image,), None),
        ((image, mask), {}),
        ((image,), dict(mask=mask)),
        ((), dict(x=image)),
        ((), dict(mask=mask, x=image)),
        ((), dict(unknown=image)),
    ]:
        assert image_of(module, args, kwargs) is image
