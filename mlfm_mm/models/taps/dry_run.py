"""A dry run: which modules a backbone calls, and what they return.

It runs a copy whose parameters and buffers are meta tensors, so it computes
nothing and cannot change a weight, a buffer, the random state or an attribute
of the backbone. Autograd records it, because its graph shows which output was
computed from which.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, product, zip_longest

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from .flow import Flow, tensors_in
from .layout import LAST, layout_of
from .recorder import Call, Recorder

# In pixels. Every usual stride divides the first. The others, and a size that
# the backbone declares, serve backbones that are built for one image size.
PROBE_SIZES = (256, 224)
SMALL_SIZE = 32
SIZE_ATTRIBUTES = ('img_size', 'image_size', 'input_size', 'pretrained_cfg')


@dataclass(frozen=True, eq=False)
class DryRun:
    """The record of a dry run.

    Args:
        root (Call): The call of the backbone.
        size (int): Height and width of the image in pixels.
        image_channels (int): Channels of the image.
        flow (Flow): Which outputs were computed from which.
        output (object): What the backbone returned, as meta tensors.
        channels_last (bool): Whether it returned maps of shape (N, H, W, C).
            Defaults to False.
    """

    root: Call
    size: int
    image_channels: int
    flow: Flow
    output: object
    channels_last: bool = False

    @cached_property
    def _by_module(self) -> dict[nn.Module, list[Call]]:
        calls: dict[nn.Module, list[Call]] = {}
        for call in self.root.walk():
            calls.setdefault(call.module, []).append(call)
        return calls

    @property
    def calls(self) -> list[Call]:
        """list[Call]: All calls inside the backbone, in order."""
        return list(self.root.walk())[1:]

    def calls_of(self, name: str) -> list[Call]:
        """Find the calls of one module.

        Args:
            name (str): Name of a module of the backbone.

        Returns:
            list[Call]: Its calls, empty when the backbone never calls it.

        Raises:
            AttributeError: The backbone has no such module.
        """
        module = self.root.module.get_submodule(name)
        return self._by_module.get(module, [])

    def feeds(self, first: Call, second: Call) -> bool:
        """Tell whether a call's output was computed from another's."""
        return self.flow.feeds(first.index, second.index)

    def reduction(self, call: Call) -> float:
        """Image size over the size of a call's map."""
        return self.size / call.map_shape[-1]


def dry_run(backbone: nn.Module, image_channels: int | None = None) -> DryRun:
    """Run a copy of a backbone on an image without data.

    Args:
        backbone (nn.Module): The backbone; it is not touched.
        image_channels (int, optional): Channels of the image; taken from the
            backbone's first convolution when None. Defaults to None.

    Returns:
        DryRun: The record of the run.

    Raises:
        ValueError: The backbone does not run on an image of any tried size.

    Example:
        >>> run = dry_run(nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU()))
        >>> [(call.name, call.shape) for call in run.calls]
        [('0', (1, 8, 128, 128)), ('1', (1, 8, 128, 128))]
    """
    if image_channels:
        channels = [image_channels]
    else:
        # The first convolution may not see the image itself but, say, patches.
        channels = list(dict.fromkeys([_first_channels(backbone), 3]))
    errors = []
    # Some backbones have tensors that are neither parameters nor buffers,
    # which fail beside meta tensors: their copy runs with real data.
    for on_meta in (True, False):
        for size, c in product(_sizes(backbone), channels):
            try:
                run = _record(backbone, c, size, size, on_meta)
            except Exception as error:  # whatever a backbone may raise
                errors.append(
                    f'{c} channels, {size} pixels: '
                    f'{type(error).__name__}: {error}'
                )
                continue
            return _with_larger(run, backbone, on_meta)
    # Of the second half, the runs with real data: they say more.
    tried = '\n'.join(errors[len(errors) // 2 :])
    raise ValueError(
        f'MLFMNeck tried {type(backbone).__name__} on an image, to find its '
        f'taps, and it failed:\n{tried}\nIf the backbone expects another '
        'number of channels, give `image_channels`. It must run on an image '
        'alone, of one of these sizes; a backbone that also needs a mask '
        '(masked pre-training) gets its memory when it is fine-tuned.'
    )


def _sizes(backbone: nn.Module) -> list[int]:
    own = (
        _square(getattr(module, name, None))
        for module in backbone.modules()
        for name in SIZE_ATTRIBUTES
    )
    size = next((size for size in own if size), SMALL_SIZE)
    return list(dict.fromkeys([*PROBE_SIZES, size, SMALL_SIZE]))


def _square(size: object) -> int:
    """Read an image size in any common form; 0 if it is not square."""
    if isinstance(size, dict):  # timm's description of a network
        size = size.get('input_size')
    # Height and width, perhaps behind the number of channels.
    if isinstance(size, (list, tuple)) and len(size) in (2, 3):
        size = size[-1] if size[-1] == size[-2] else 0
    return size if isinstance(size, int) else 0


def _first_channels(backbone: nn.Module) -> int:
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            return module.in_channels
        if isinstance(module, _ConvNd):
            raise ValueError(
                f'MLFMNeck serves networks on images: '
                f'{type(backbone).__name__} takes clips or sequences, since '
                f'it begins with a {type(module).__name__}.'
            )
    raise ValueError(
        f'MLFMNeck needs a convolutional backbone, but '
        f'{type(backbone).__name__} has no convolution.'
    )


def _with_larger(run: DryRun, backbone: nn.Module, on_meta: bool) -> DryRun:
    """Add to each call its output's shape for a larger image."""
    sizes = 2 * run.size, 3 * run.size
    larger: list[tuple[int, ...]] = []
    try:
        other = _record(backbone, run.image_channels, *sizes, on_meta)
    except Exception:  # whatever a backbone of one image size may raise
        pass
    else:
        if [c.name for c in run.calls] == [c.name for c in other.calls]:
            for call, twin in zip(run.calls, other.calls, strict=True):
                call.larger = twin.shape
            larger = [tuple(t.shape) for t in tensors_in(other.output)]
    shapes = [tuple(t.shape) for t in tensors_in(run.output)]
    pairs = zip_longest(shapes, larger, fillvalue=())
    return replace(run, channels_last=LAST in {layout_of(*p) for p in pairs})


def _record(
    backbone: nn.Module, channels: int, height: int, width: int, on_meta: bool
) -> DryRun:
    # The model may be built under no_grad() or inference_mode().
    with torch.inference_mode(False), torch.enable_grad():
        probe = without_data(backbone) if on_meta else copy.deepcopy(backbone)
        probe.eval()  # freezes stages and returns None in some hosts
        for parameter in probe.parameters():
            if parameter.is_floating_point():
                parameter.requires_grad = True  # frozen ones count, too
        reference = reference_of(probe)
        leaf = torch.zeros(
            (1, channels, height, width),
            dtype=reference.dtype,
            device=reference.device,
            requires_grad=True,
        )
        image = leaf.clone()  # in-place operations refuse a leaf
        recorder = Recorder(probe, image)
        devices = [image.device] if image.is_cuda else []
        with torch.random.fork_rng(devices):
            output = probe(image)
    flow = recorder.flow(output)
    return DryRun(recorder.root, height, channels, flow, _to_meta(output))


def reference_of(backbone: nn.Module) -> Tensor:
    """Find a tensor of the dtype and on the device that a backbone uses.

    Args:
        backbone (nn.Module): The backbone.

    Returns:
        Tensor: Its first parameter or buffer that holds floats, if any.

    Example:
        >>> reference_of(nn.Conv2d(3, 4, 1).double()).dtype
        torch.float64
    """
    tensors = chain(backbone.parameters(), backbone.buffers())
    return next((t for t in tensors if t.is_floating_point()), torch.empty(0))


def _to_meta(output: object) -> object:
    if isinstance(output, Tensor):
        return output.detach().to('meta')
    if isinstance(output, dict):
        return {key: _to_meta(value) for key, value in output.items()}
    if isinstance(output, (list, tuple)):
        return tuple(_to_meta(item) for item in output)
    return output


def without_data(module: nn.Module) -> nn.Module:
    """Copy a module without the data of its parameters and buffers.

    Args:
        module (nn.Module): The module; it is not touched.

    Returns:
        nn.Module: The copy, on the meta device and in evaluation mode.

    Example:
        >>> without_data(nn.Linear(2, 3))(torch.ones(1, 2, device='meta'))
        tensor(..., device='meta', size=(1, 3), grad_fn=<AddmmBackward0>)
    """
    memo: dict[int, object] = {}
    for tensor in (*module.parameters(), *module.buffers()):
        ghost: Tensor = torch.empty_like(tensor, device='meta')
        if isinstance(tensor, nn.Parameter):
            ghost = nn.Parameter(ghost, tensor.requires_grad)
        memo[id(tensor)] = ghost
    for part in module.modules():
        for value in vars(part).values():
            # Computed, such as a pruned weight: deepcopy() would refuse it.
            if isinstance(value, Tensor) and value.grad_fn is not None:
                memo[id(value)] = torch.empty_like(value, device='meta')
    probe = copy.deepcopy(module, memo)
    probe.eval()  # not chained: in some hosts it returns None
    return probe
