"""InceptionNeXt: its stages and how it starts."""

import pytest
import torch

from mlfm_mm.models.backbones import InceptionNeXt


def test_stages() -> None:
    net = InceptionNeXt(out_indices=(0, 1, 2, 3), drop_path_rate=0.2)
    shapes = [tuple(out.shape) for out in net(torch.rand(1, 3, 64, 64))]
    assert shapes == [
        (1, 96, 16, 16),
        (1, 192, 8, 8),
        (1, 384, 4, 4),
        (1, 768, 2, 2),
    ]
    rates = [m.drop_prob for m in net.modules() if hasattr(m, 'drop_prob')]
    assert rates == pytest.approx([0.2 * i / 17 for i in range(18)])


@pytest.mark.parametrize('given', [3, -1, (-1,)])
def test_the_last_stage(given: int | tuple[int]) -> None:
    (out,) = InceptionNeXt(out_indices=given)(torch.rand(1, 3, 64, 64))
    assert out.shape == (1, 768, 2, 2)


def test_a_stage_that_there_is_not() -> None:
    with pytest.raises(ValueError, match='there is no stage 4, only 0 to 3'):
        InceptionNeXt(out_indices=(0, 4))


def test_init_weights() -> None:
    net = InceptionNeXt()
    net.init_weights()
    block = net.stages[2][-1]
    assert block.fc1.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not block.fc1.bias.any()
    assert block.gamma.tolist() == pytest.approx([1e-6] * 384)


def test_unknown_size() -> None:
    with pytest.raises(ValueError, match=r"'huge' is unknown.*'tiny'"):
        InceptionNeXt('huge')
