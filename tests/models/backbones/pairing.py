"""Give two implementations of one network the same weights."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn


def owners(net: nn.Module, image: Tensor) -> list[nn.Module]:
    """The modules that own parameters, in the order in which they return."""
    found: list[nn.Module] = []

    def note(module: nn.Module, inputs: tuple, output: object) -> None:
        found.append(module)

    hooks = [
        module.register_forward_hook(note)
        for module in net.modules()
        if module._parameters and module is not net
    ]
    with torch.no_grad():
        net(image)
    for hook in hooks:
        hook.remove()
    return found


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """What a module owns itself, without that of its children."""
    both = {**module._parameters, **module._buffers}
    return {name: t.data for name, t in both.items() if t is not None}


def copy_weights(source: nn.Module, target: nn.Module, image: Tensor) -> None:
    """Copy weights and statistics along the two forward passes.

    Names are not compared, so that nothing has to be translated: both
    networks must call equal layers in the same order. A depthwise kernel of
    fewer channels is completed by kernels that pass their channel through.
    """
    theirs = owners(target, image)
    for ours, other in zip(owners(source, image), theirs, strict=True):
        tensors = own_tensors(ours)
        wanted = own_tensors(other)
        assert tensors.keys() == wanted.keys(), (ours, other)
        for name, tensor in tensors.items():
            if name != 'num_batches_tracked':
                wanted[name].copy_(completed(tensor, wanted[name]))


def completed(tensor: Tensor, like: Tensor) -> Tensor:
    if len(tensor) == len(like):
        return tensor.reshape(like.shape)
    passing = torch.zeros_like(like[len(tensor) :])
    if like.dim() == 4:
        passing[:, 0, like.shape[2] // 2, like.shape[3] // 2] = 1
    return torch.cat((passing, tensor))


def randomize(net: nn.Module, seed: int = 0) -> nn.Module:
    """Draw weights and statistics with which every layer matters."""
    generator = torch.Generator().manual_seed(seed)

    def draw(like: Tensor, low: float, high: float) -> None:
        noise = torch.rand(like.shape, generator=generator, dtype=like.dtype)
        like.data.copy_(low + (high - low) * noise)

    for module in net.modules():
        for name, tensor in own_tensors(module).items():
            scale = name in ('weight', 'gamma') and tensor.dim() == 1
            if scale or name == 'running_var':
                draw(tensor, 0.5, 1.5)
            elif tensor.dim() > 1:
                fan_in = tensor[0].numel()
                draw(tensor, -(fan_in**-0.5), fan_in**-0.5)
            elif tensor.is_floating_point():
                draw(tensor, -0.5, 0.5)
    return net


def check_same_output(ours: nn.Module, theirs: nn.Module) -> None:
    """Hold a network against another one with the same weights."""
    randomize(ours.double())
    theirs.double()
    # Not chained: mmpretrain's train() returns nothing.
    ours.train(False)
    theirs.train(False)
    image = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    copy_weights(ours, theirs, image)
    with torch.no_grad():
        expected = theirs(image)
        got = ours(image)
    if isinstance(got, tuple):
        got = got[-1]
    if got.dim() == 4:
        got = got.mean((2, 3))
    assert expected.std() > 1e-3
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)


def check_recomputed(build: Callable[..., nn.Module]) -> None:
    """Hold blocks that are recomputed against blocks that are not."""
    image = torch.rand(2, 3, 32, 32, dtype=torch.float64)
    gradients = []
    for with_cp in (False, True):
        model = randomize(build(with_cp=with_cp).double())
        model.train()
        model(image.clone().requires_grad_())[-1].square().sum().backward()
        gradients.append([p.grad for p in model.parameters()])
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, recomputed)


def timm_resnet(layers: tuple[int, ...], gated: bool = False) -> nn.Module:
    """Build timm's ResNet of basic blocks."""
    pytest.importorskip('timm')
    from timm.layers import SEModule
    from timm.models.resnet import BasicBlock, ResNet

    # timm rounds squeezed channels to multiples of 8, the published network
    # does not.
    gate = partial(SEModule, rd_ratio=1 / 16, rd_divisor=1)
    args = dict(attn_layer=gate) if gated else None
    return ResNet(BasicBlock, layers, num_classes=0, block_args=args)
