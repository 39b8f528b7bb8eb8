"""Units on the way up of a U-Net."""

import copy

import pytest
import torch
from torch import Tensor, nn

from mlfm_mm import LowPass, MLFMNeck
from mlfm_mm.models.low_pass import ForgetGate
from tests.hosts import needs_mmseg
from tests.models.builders import ToyBackbone, ToyModel, segmentor, shaken

pytestmark = needs_mmseg
UNET = dict(type='mmseg.UNet', base_channels=4)


def unet(**options) -> nn.Module:
    neck = dict(type='mlfm_mm.MLFMNeck', **options)
    model = segmentor(UNET, neck, in_channels=4, in_index=4)
    return shaken(model)


def test_taps_with_and_without_the_decoder() -> None:
    down = [(f'encoder.{i}', 2**i) for i in range(5)]
    up = [(f'decoder.{i}', 2**i) for i in (3, 2, 1, 0)]
    for decoder, expected in ((False, down), (True, down + up)):
        taps = unet(decoder=decoder).neck.taps
        assert [(tap.module, tap.reduction) for tap in taps] == expected


@pytest.mark.parametrize('wavelet', ['haar', 'db2'])
def test_what_the_units_of_the_decoder_read(wavelet: str) -> None:
    model = unet(decoder=True, wavelet=wavelet).eval()
    seen: list[tuple[Tensor, ...]] = []
    for unit in model.neck.units:
        unit.register_forward_hook(
            lambda _, inputs, out: seen.append((*inputs, out[1]))
        )
    image = torch.randn(1, 3, 64, 48)
    with torch.no_grad():
        model.extract_feat(image)
    deepest, (x, memory, band, _) = seen[4], seen[5]
    assert x.shape[-2:] == memory.shape[-2:] == band.shape[-2:] == (8, 6)
    # The deepest unit hands its memory on brought up; low-passed again it is
    # what it was.
    torch.testing.assert_close(memory, deepest[3])
    unit = copy.deepcopy(model.neck.units[4])
    with torch.no_grad():
        unit._forward_hooks.clear()
        unit.forget_gate.levels = 0
        plain = unit(*deepest[:3])[1]
    torch.testing.assert_close(LowPass(wavelet)(memory), plain)
    # The bands are those of the way down.
    for up, down in ((5, 3), (6, 2), (7, 1), (8, 0)):
        torch.testing.assert_close(seen[up][2], seen[down][2])


def test_the_skip_connections_carry_refined_maps() -> None:
    model = unet().eval()
    skips: dict[int, Tensor] = {}
    refined: list[Tensor] = []
    for unit in model.neck.units:
        unit.register_forward_hook(lambda *args: refined.append(args[2][0]))
    for i, block in enumerate(model.backbone.decoder):
        block.register_forward_pre_hook(
            lambda _, inputs, i=i: skips.update({i: inputs[0]})
        )
    with torch.no_grad():
        model.extract_feat(torch.randn(1, 3, 32, 32))
    assert sorted(skips) == [0, 1, 2, 3]
    for i, skip in skips.items():
        assert torch.equal(skip, refined[i])


def test_the_first_memory_is_the_image_at_full_resolution() -> None:
    model = unet().eval()
    seen = []
    model.neck.units[0].register_forward_pre_hook(
        lambda _, inputs: seen.extend(inputs[1:3])
    )
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        model.extract_feat(image)
    assert all(torch.equal(read, image) for read in seen)


@pytest.mark.parametrize('decoder', [False, True])
def test_with_cp_gives_the_same_gradients(decoder: bool) -> None:
    found = []
    for with_cp in (False, True):
        torch.manual_seed(0)
        model = unet(decoder=decoder, with_cp=with_cp).double().train()
        torch.manual_seed(1)
        image = torch.randn(2, 3, 32, 48, dtype=torch.float64)
        model.extract_feat(image)[-1].square().mean().backward()
        found.append(
            {k: p.grad for k, p in model.neck.named_parameters()}
            | {k: b.clone() for k, b in model.named_buffers()}
        )
    torch.testing.assert_close(*found)


@pytest.mark.parametrize('size', [(5, 7), (6, 8)])
def test_up_is_the_transpose_of_down(size: tuple[int, int]) -> None:
    x = torch.randn(1, 2, *size, dtype=torch.float64)
    if any(side % 2 for side in size):
        x = x[..., : size[0] // 2 * 2, : size[1] // 2 * 2]
    y = torch.randn(
        1, 2, x.shape[-2] // 2, x.shape[-1] // 2, dtype=torch.float64
    )
    down, up = ForgetGate(1)(x), ForgetGate(-1)(y)
    torch.testing.assert_close((down * y).sum(), (x * up).sum())


def test_a_backbone_without_decoder() -> None:
    with pytest.raises(ValueError, match=r'decoder=True: no decoder of Toy'):
        ToyModel(ToyBackbone(), MLFMNeck(decoder=True))


def test_a_rising_list_asks_for_the_option() -> None:
    with pytest.raises(ValueError, match='decoder=True'):
        unet(taps=['encoder.1', 'decoder.0'])
    taps = unet(taps=['encoder.1', 'decoder.0'], decoder=True).neck.taps
    assert [tap.reduction for tap in taps] == [2, 1]
