"""The dry run: what it sees, and that it leaves no trace."""

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from mlfm_mm.models.taps.dry_run import dry_run
from tests.models.builders import ToyBackbone


class Remembering(nn.Module):
    """A backbone that changes in every way a forward pass can."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 2, 1)
        self.norm = nn.BatchNorm2d(4, momentum=0.5)
        self.register_buffer('count', torch.zeros(()))
        self.cache = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.count += 1
        self.cache = x
        if torch.rand(1, device=x.device).shape:
            return self.norm(self.conv(x))
        return x


def test_leaves_no_trace() -> None:
    backbone = Remembering().train()
    state = {k: v.clone() for k, v in backbone.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    dry_run(backbone)
    assert torch.equal(torch.rand(4), expected)
    assert backbone.training and backbone.norm.training
    assert backbone.cache is None
    assert not backbone.conv._forward_hooks
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, state[key]), key


def test_sees_calls_and_shapes() -> None:
    run = dry_run(ToyBackbone(in_channels=5))
    assert run.image_channels == 5
    assert [c.name for c in run.root.children] == [
        'stage0',
        'stage1',
        'stage2',
    ]
    assert run.calls_of('stage1')[0].shape == (1, 6, 64, 64)
    assert run.calls_of('unused') == []
    assert run.output[0].shape == (1, 8, 32, 32)
    with pytest.raises(AttributeError):
        run.calls_of('stage9')


def test_runs_for_real_what_meta_tensors_cannot() -> None:
    class Loose(ToyBackbone):
        def __init__(self) -> None:
            super().__init__()
            self.scale = torch.ones(1)  # no buffer

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
            return super().forward(x * self.scale)

    backbone = Loose().train()
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    assert dry_run(backbone).output[0].is_meta
    for key, value in backbone.state_dict().items():
        assert torch.equal(value, before[key]), key


class OneSize(ToyBackbone):
    """Takes images of one size only, and may tell which."""

    def __init__(self, size: int, **attributes: object) -> None:
        super().__init__()
        self.only = size
        for name, value in attributes.items():
            setattr(self.stage0, name, value)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor]:
        assert x.shape[-1] == self.only, f'not {self.only}'
        return super().forward(x)


@pytest.mark.parametrize(
    ('size', 'attributes'),
    [
        (224, {}),
        (32, {}),
        (384, dict(img_size=384)),
        (384, dict(image_size=(384, 384))),
        (160, dict(pretrained_cfg=dict(input_size=(3, 160, 160)))),
        (32, dict(img_size=(384, 128), input_size=None)),
    ],
)
def test_backbones_of_one_image_size(size: int, attributes: dict) -> None:
    assert dry_run(OneSize(size, **attributes)).size == size


def test_sizes_that_were_tried() -> None:
    with pytest.raises(ValueError, match='it failed') as error:
        dry_run(OneSize(100, img_size=384))
    for size in (256, 224, 384, 32):
        assert f'3 channels, {size} pixels' in str(error.value)


def test_a_weight_that_is_computed() -> None:
    backbone = ToyBackbone()
    conv = next(m for m in backbone.modules() if isinstance(m, nn.Conv2d))
    prune.l1_unstructured(conv, 'weight', 0.5)
    assert conv.weight.grad_fn is not None
    assert dry_run(backbone).calls


def test_wrong_channels() -> None:
    with pytest.raises(
        ValueError, match=r'4 channels, 256 pixels(.|\n)*image_channe'
    ):
        dry_run(ToyBackbone(in_channels=3), image_channels=4)


@pytest.mark.parametrize('kind', [nn.Conv1d, nn.Conv3d])
def test_networks_on_other_than_images(kind: type[nn.Module]) -> None:
    with pytest.raises(ValueError, match=f'Sequential .* a {kind.__name__}'):
        dry_run(nn.Sequential(kind(3, 4, 3), nn.ReLU()))


def test_no_convolution() -> None:
    with pytest.raises(ValueError, match='Sequential has no convolution'):
        dry_run(nn.Sequential(nn.Linear(3, 3)))


def test_the_first_parameter_may_hold_no_floats() -> None:
    class Quantized(ToyBackbone):
        def __init__(self) -> None:
            super().__init__()
            table = torch.zeros(3, dtype=torch.int8)
            self.table = nn.Parameter(table, requires_grad=False)
            self.double()

    assert dry_run(Quantized()).output[0].dtype == torch.float64


def test_weights_that_are_buffers() -> None:
    backbone = ToyBackbone()
    for module in backbone.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach())
    assert dry_run(backbone).output[0].shape == (1, 8, 32, 32)
