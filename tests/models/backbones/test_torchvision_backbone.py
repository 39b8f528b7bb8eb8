"""Networks of torchvision by name, against the whole networks."""

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from mlfm_mm.models.backbones import TorchvisionBackbone
from tests.models.builders import classifier

NAMES = [
    'densenet121',
    'efficientnet_b0',
    'googlenet',
    'inception_v3',
    'mnasnet0_5',
    'mobilenet_v2',
    'mobilenet_v3_small',
    'regnet_y_400mf',
    'resnet18',
    'shufflenet_v2_x0_5',
]


def pooled_inside(whole: nn.Module, image: Tensor) -> Tensor:
    """What the last linear layer, or the first of a head, is given."""
    heads = [
        part
        for name, part in whole.named_modules()
        if isinstance(part, nn.Linear)
        and not name.lower().startswith('aux')
        and part.in_features >= 400
    ]
    seen: list[Tensor] = []
    heads[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    whole(image)
    return seen[0]


@pytest.mark.parametrize('name', NAMES)
def test_it_computes_what_the_classifier_is_given(name: str) -> None:
    options = {} if name[0] not in 'gi' else dict(init_weights=False)
    if name in ('googlenet', 'inception_v3'):
        # As pretrained weights set it.
        options |= dict(aux_logits=True, transform_input=True)
    torch.manual_seed(0)
    whole = models.get_model(name, weights=None, **options).eval()
    net = TorchvisionBackbone(name, **options).eval()
    seen = net.load_state_dict(whole.state_dict(), strict=False)
    assert not seen.missing_keys
    image = torch.rand(1, 3, 96, 96)
    with torch.no_grad():
        (out,) = net(image)
        expected = pooled_inside(whole, image).flatten()
    pooled = out.mean((2, 3)).flatten()[: expected.numel()]
    torch.testing.assert_close(pooled, expected)


def test_it_has_memory() -> None:
    kind = 'mlfm_mm.TorchvisionBackbone'
    model = classifier(backbone=dict(type=kind, model_name='resnet18'))
    taps = [tap.module for tap in model.neck.taps]
    assert taps == ['relu', 'layer1', 'layer2', 'layer3', 'layer4']
    assert model(torch.rand(2, 3, 64, 64)).shape == (2, 10)


@pytest.mark.parametrize('name', ['vit_b_16', 'maxvit_t'])
def test_what_is_no_chain_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f'{name} of torchvision'):
        TorchvisionBackbone(name)
