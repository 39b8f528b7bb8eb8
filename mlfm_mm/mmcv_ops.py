"""torchvision's operators in place of mmcv's compiled ones, if it has none.

Detectors and pose estimators import ``mmcv.ops``, which needs the compiled
``mmcv._ext``. onedl-mmcv and mmcv-lite install anywhere, but lack it.
torchvision has the operators that most networks call. The functions here
have the names and arguments with which ``mmcv.ops`` calls ``mmcv._ext``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import NoReturn

import torch
import torchvision
from mmengine.logging import print_log
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

EXTENSION = 'mmcv._ext'
# The hosts that import ``mmcv.ops``; others that do require one of these.
HOSTS = ('mmdet', 'mmpose')


class Extension(ModuleType):
    """The module that takes the place of ``mmcv._ext``."""

    def __getattr__(self, name: str) -> Callable:
        """Raise the error for a missing operator only when it is called."""
        if name.startswith('__'):
            raise AttributeError(name)

        def lacking(*args: object, **kwargs: object) -> NoReturn:
            _refuse(name)

        return lacking


def stand_in() -> bool:
    """Replace ``mmcv._ext``, where it is missing and a host needs it.

    ``import mlfm_mm`` does so. Compiled operators are never replaced. A host
    imported before, such as mmdet, may have given up on operators already:
    it would not see these.

    Returns:
        bool: Whether our operators are in place.

    Example:
        >>> import mlfm_mm  # doctest: +SKIP
        >>> from mmcv.ops import nms  # doctest: +SKIP
    """
    loaded = sys.modules.get(EXTENSION)
    if loaded is not None or find_spec(EXTENSION) is not None:
        return isinstance(loaded, Extension)
    if not any(find_spec(host) for host in HOSTS):
        return False
    late = [host for host in HOSTS if host in sys.modules]
    if late:
        print_log(
            f'{late[0]} found no compiled operators in this mmcv: if it is '
            'imported after mlfm_mm, torchvision does what it can.',
            logger='current',
            level=logging.WARNING,
        )
        return False
    extension = Extension(EXTENSION)
    extension.__spec__ = ModuleSpec(EXTENSION, None)
    vars(extension).update({op.__name__: op for op in OPERATORS})
    sys.modules[EXTENSION] = extension
    return True


def nms(
    boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int
) -> Tensor:
    """Suppress boxes that overlap one of a higher score.

    Args:
        boxes (Tensor): Boxes (x1, y1, x2, y2) in pixels, of shape (N, 4).
        scores (Tensor): Of shape (N,).
        iou_threshold (float): The largest overlap that is kept.
        offset (int): What is added to width and height, 0 or 1.

    Returns:
        Tensor: Indices of the boxes that are kept, by descending score.
    """
    corners = boxes.new_tensor([0, 0, offset, offset])
    return torchvision.ops.nms(
        boxes + corners, scores.to(boxes), iou_threshold
    )


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Pool the features of regions into ``output``."""
    _check_mean(pool_mode)
    size = (aligned_height, aligned_width)
    output.copy_(
        torchvision.ops.roi_align(
            input, rois, size, spatial_scale, sampling_ratio, aligned
        )
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write the gradient of the features to ``grad_input``."""
    _check_mean(pool_mode)
    # torchvision has none for bfloat16.
    exact = torch.promote_types(grad_output.dtype, torch.float32)
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output.to(exact),
            rois.to(exact),
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def _check_mean(pool_mode: int) -> None:
    if pool_mode == 0:
        _refuse("roi_align with pool_mode='max'")


def sigmoid_focal_loss_forward(
    input: Tensor,
    target: Tensor,
    weight: Tensor,
    output: Tensor,
    gamma: float,
    alpha: float,
) -> None:
    """Write the loss of logits (N, C) for labels (N,); C is background."""
    output.copy_(_focal_loss(input, target, weight, gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor,
    target: Tensor,
    weight: Tensor,
    grad_input: Tensor,
    gamma: float,
    alpha: float,
) -> None:
    """Write the gradient of the sum of the losses to ``grad_input``."""
    with torch.enable_grad():
        scores = input.detach().requires_grad_()
        loss = _focal_loss(scores, target, weight, gamma, alpha).sum()
        grad_input.copy_(torch.autograd.grad(loss, scores)[0])


def _focal_loss(
    scores: Tensor, target: Tensor, weight: Tensor, gamma: float, alpha: float
) -> Tensor:
    if weight.numel():
        _refuse('sigmoid_focal_loss with a weight for each class')
    classes = torch.arange(scores.shape[1], device=scores.device)
    is_class = (target[:, None] == classes).to(scores)
    return sigmoid_focal_loss(scores, is_class, alpha, gamma)


def get_compiler_version() -> str:
    """Tell ``mmcv.utils.collect_env`` that nothing was compiled."""
    return 'n/a'


def get_compiling_cuda_version() -> str:
    """Tell ``mmcv.utils.collect_env`` that nothing was compiled."""
    return 'n/a'


def _refuse(what: str) -> NoReturn:
    raise NotImplementedError(
        f'{what} needs the compiled operators of mmcv, of which torchvision '
        'has NMS, RoIAlign and focal loss only: install an mmcv built for '
        f'PyTorch {torch.__version__}, or build it from source'
    )


OPERATORS = (
    nms,
    roi_align_forward,
    roi_align_backward,
    sigmoid_focal_loss_forward,
    sigmoid_focal_loss_backward,
    get_compiler_version,
    get_compiling_cuda_version,
)
