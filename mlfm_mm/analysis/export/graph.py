"""A trained network as a graph of PyTorch's own operators."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, replace
from keyword import iskeyword

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ...engine import UsageError
from ...engine.errors import sentence
from ...models import MLFMNeck
from ..complexity import dummy, image_channels
from ..samples import size_of
from ..trained import Trained

# What sizes may have to be multiples of, so that a decoder's maps have the
# sizes of its encoder's.
DIVISORS = (1, 2, 4, 8, 16, 32)


class Logits(nn.Module):
    """A network in the form that exporters need: tensor in, tensor out.

    Args:
        network (Trained): A classifier or a segmentor.

    Raises:
        UsageError: It is neither.

    Example:
        >>> from mlfm_mm.analysis.trained import find_source, load_trained
        >>> network = load_trained(find_source([]))
        >>> Logits(network)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 20])
    """

    def __init__(self, network: Trained) -> None:
        super().__init__()
        if network.host.scope not in ('mmpretrain', 'mmseg'):
            raise UsageError(
                f'{network.name} is a network of {network.host.scope}: only '
                'classifiers and segmentors return logits'
            )
        self.model = network.model
        self.segments = network.segments

    def forward(self, image: Tensor) -> Tensor:
        """Compute the logits.

        Args:
            image (Tensor): Normalized images (N, C, H, W).

        Returns:
            Tensor: Logits (N, classes), or of each pixel
            (N, classes, H, W).

        Raises:
            UsageError: The network has no head, or several.
        """
        logits = self.model(image, mode='tensor')
        if self.segments and isinstance(logits, tuple):
            logits = logits[0]  # of DAHead and EncHead, which predicts
        if not isinstance(logits, Tensor):
            raise UsageError(
                f'the network returns a {type(logits).__name__} instead of '
                'one tensor of logits: give a network with a single head'
            )
        if not self.segments:
            return logits
        logits = F.interpolate(
            logits,
            size=image.shape[2:],
            mode='bilinear',
            align_corners=self.model.align_corners,
        )
        if logits.shape[1] == 1:
            head = self.model.decode_head
            head = head[-1] if isinstance(head, nn.ModuleList) else head
            # The background wins below the threshold, and has a gradient.
            level = torch.logit(torch.tensor(head.threshold or 0.3)).item()
            logits = torch.cat((2 * level - logits, logits), 1)
        return logits


def open_sizes(model: nn.Module) -> None:
    """Replace modules that would turn dynamic sizes into constants.

    Args:
        model (nn.Module): The network, changed in place.
    """
    for module in model.modules():
        for name, child in module.named_children():
            factor = getattr(child, 'scale_factor', None)
            is_whole = isinstance(factor, float) and factor == int(factor)
            if type(child).__name__ == 'Upsample' and is_whole:
                kept = {
                    k: getattr(child, k) for k in ('mode', 'align_corners')
                }
                open_ = nn.Upsample(scale_factor=factor, **kept)
                setattr(module, name, open_)


def rename_keywords(model: nn.Module) -> None:
    """Rename norms whose names the code of a graph cannot hold.

    Args:
        model (nn.Module): The network, changed in place: mmcv calls an
            instance norm ``in``.
    """
    for module in model.modules():
        name = getattr(module, 'norm_name', None)
        if isinstance(module, ConvModule) and name and iskeyword(name):
            module.norm_name = f'norm_{name}'
            module.add_module(module.norm_name, module._modules.pop(name))


def fold_units(model: nn.Module) -> None:
    """Fold the norms of memory units, which cannot be undone.

    Those of the trunk are left to ONNX's optimizer and to compilers, which
    see what lies between a convolution and a norm.

    Args:
        model (nn.Module): The network, changed in place. Units that cannot
            be fused, such as those with another norm, stay as they are.
    """
    for module in model.modules():
        if isinstance(module, MLFMNeck):
            try:
                module.fuse()
            except ValueError:
                continue


@dataclass(frozen=True)
class Exported:
    """A network as a graph.

    Args:
        program (ExportedProgram): The graph.
        logits (Logits): The trained network in PyTorch, as it was.
        size (tuple[int, int], optional): The only height and width that it
            takes; None for any.
        divisor (int): What height and width must be multiples of.
    """

    program: ExportedProgram
    logits: Logits
    size: tuple[int, int] | None
    divisor: int

    @property
    def classes(self) -> int:
        """int: How many logits there are; not every head knows it."""
        (logits,) = self.program.graph.output_node().args[0]
        return int(logits.meta['val'].shape[1])


def export_network(network: Trained, size: tuple[int, int] | None) -> Exported:
    """Trace a network.

    Args:
        network (Trained): The network, left unchanged.
        size (tuple[int, int], optional): The only height and width that the
            graph shall take; None for any, and any number of images.

    Returns:
        Exported: The graph.

    Raises:
        UsageError: The network is neither a classifier nor a segmentor,
            cannot be traced at any size or does not take the one given, or
            PyTorch is too old.
    """
    if torch.__version__ < '2.6':
        raise UsageError(
            f'PyTorch {torch.__version__} cannot trace a network with '
            'memory: export it with a newer one'
        )
    logits, model = Logits(network).eval(), copy.deepcopy(network.model)
    fold_units(model)
    open_sizes(model)
    rename_keywords(model)
    traced = Logits(replace(network, model=model)).eval()
    if size is not None:
        if refusal := _refusal(logits, network, size):
            raise UsageError(
                f'--size {size[0]} {size[1]}: {network.name} does not take '
                f'it ({refusal})'
            )
        program = _trace(traced, _example(network, size, 1), None)
        return Exported(program, logits, size, 1)
    divisor = find_divisor(logits, network)
    # Multiples of every stride: with others, the tracer would specialize.
    height, width = (max(64, -(-n // 32) * 32) for n in size_of(network))
    x = _example(network, (height, width + 32), 2)
    shapes = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
    if divisor > 1:
        sides = [divisor * Dim(name, min=2) for name in ('height', 'width')]
        shapes = {0: Dim('batch'), 2: sides[0], 3: sides[1]}
    try:
        program = _trace(traced, x, shapes)
    except Exception as error:  # the tracer raises many types
        raise UsageError(
            f'{network.name} cannot be traced for any size: give --size '
            f'HEIGHT WIDTH ({reason_of(error)})'
        ) from error
    return Exported(program, logits, None, divisor)


def _refusal(logits: Logits, network: Trained, size: tuple[int, int]) -> str:
    """Say why a network does not take a size; ``''`` if it does."""
    try:
        with torch.no_grad():
            logits(_example(network, size, 1))
    except UsageError:
        raise
    except Exception as error:  # whatever a host raises for a wrong size
        return reason_of(error)
    return ''


def find_divisor(logits: Logits, network: Trained) -> int:
    """Find out by trying what sizes must be multiples of.

    Args:
        logits (Logits): The network in the form for exporters.
        network (Trained): The network itself.

    Returns:
        int: A power of two.

    Raises:
        UsageError: The network takes none of the sizes tried.
    """
    for divisor in DIVISORS:
        size = (64 + divisor, 96 + divisor)
        if not (reason := _refusal(logits, network, size)):
            return divisor
    raise UsageError(
        f'{network.name} does not take every size: give --size HEIGHT WIDTH '
        f'({reason})'
    )


def reason_of(error: Exception) -> str:
    """Describe an error by its kind and its first line, without colours."""
    return re.sub(r'\x1b\[[\d;]*m', '', sentence(error).partition('\n')[0])


def remedy_of(exported: Exported, other: str) -> str:
    """Say what may help where a format fails: a fixed size, or another."""
    size = '' if exported.size else 'give --size HEIGHT WIDTH, or '
    return f'{size}try {other}'


def _example(network: Trained, size: tuple[int, int], count: int) -> Tensor:
    return dummy(network.model, count, image_channels(network.model), size)


def _trace(logits: Logits, x: Tensor, shapes: dict | None) -> ExportedProgram:
    dynamic = None if shapes is None else dict(image=shapes)
    with torch.no_grad():
        return torch.export.export(logits, (x,), dynamic_shapes=dynamic)
