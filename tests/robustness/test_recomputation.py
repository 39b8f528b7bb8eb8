"""Activation checkpointing changes neither gradients nor statistics."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from mmengine.runner.activation_checkpointing import (
    turn_on_activation_checkpointing,
)
from torch import nn
from torch.utils.checkpoint import checkpoint

from tests.models.builders import classifier
from tests.robustness.models import (
    DEEP,
    NARROW,
    buffers,
    gradients,
    images,
    narrow,
    step,
)


def recompute(model: nn.Module, name: str, reentrant: bool) -> None:
    """What mmengine's activation checkpointing does, of either kind."""
    module = model.get_submodule(name)
    module.forward = partial(
        checkpoint, module.forward, use_reentrant=reentrant
    )


def neck_only(state: dict) -> dict:
    return {k: v for k, v in state.items() if k.startswith('neck.')}


def check_equal(
    model: nn.Module, plain: nn.Module, keep: Callable = dict
) -> None:
    # The image asks for no gradient, which reentrant checkpointing needs.
    x = images().requires_grad_()
    torch.testing.assert_close(step(model, x), step(plain, x))
    torch.testing.assert_close(gradients(model), gradients(plain))
    torch.testing.assert_close(keep(buffers(model)), keep(buffers(plain)))


@pytest.mark.parametrize('depth', [18, 34])
def test_units(depth: int) -> None:
    backbone = dict(NARROW, depth=depth)
    check_equal(
        narrow(backbone, with_cp=True).train(), narrow(backbone).train()
    )


@pytest.mark.parametrize('depth', [18, 34])
def test_blocks_of_the_backbone(depth: int) -> None:
    backbone = dict(NARROW, depth=depth)
    model = narrow(dict(backbone, with_cp=True)).train()
    # The host's blocks record their own norms twice when recomputed.
    check_equal(model, narrow(backbone).train(), keep=neck_only)


@pytest.mark.parametrize('reentrant', [False, True])
@pytest.mark.parametrize('with_cp', [False, True])
@pytest.mark.parametrize('name', ['backbone.layer2', 'backbone'])
def test_a_stage_and_the_backbone(
    name: str, with_cp: bool, reentrant: bool
) -> None:
    model = narrow(with_cp=with_cp).train()
    recompute(model, name, reentrant)
    check_equal(model, narrow().train(), keep=neck_only)


@pytest.mark.parametrize('name', ['backbone.layer3', 'backbone'])
def test_mmengine_activation_checkpointing(name: str) -> None:
    model = narrow().train()
    turn_on_activation_checkpointing(model, name)
    check_equal(model, narrow().train(), keep=neck_only)


@pytest.mark.parametrize('reentrant', [False, True])
def test_the_whole_deep_backbone(reentrant: bool) -> None:
    model = narrow(DEEP).train()
    recompute(model, 'backbone', reentrant)
    check_equal(model, narrow(DEEP).train(), keep=neck_only)


def test_the_host_counts_its_own_norms_as_it_does_without_mlfm() -> None:
    counts = []
    for neck in (None, dict(type='mmpretrain.GlobalAveragePooling')):
        torch.manual_seed(0)
        model = classifier(NARROW, channels=64, neck=neck).train()
        turn_on_activation_checkpointing(model, 'backbone')
        step(model, images().requires_grad_())
        counts.append(
            {
                k: v.item()
                for k, v in model.backbone.named_buffers()
                if k.endswith('num_batches_tracked')
            }
        )
    assert counts[0] == counts[1]


# ---- what cannot be right is refused --------------------------------------


def test_a_stage_around_a_unit_reentrant() -> None:
    # Its memory would leave the stage without a gradient.
    model = narrow(DEEP).train()
    recompute(model, 'backbone.layer2', reentrant=True)
    with pytest.raises(RuntimeError, match=r"'layer2\.1' gradients are off"):
        step(model, images().requires_grad_())


def test_a_stage_around_a_unit() -> None:
    model = narrow(DEEP).train()
    recompute(model, 'backbone.layer2', reentrant=False)
    with pytest.raises(RuntimeError, match='recomputed by activation'):
        step(model, images().requires_grad_())


def test_two_passes_before_one_backward() -> None:
    losses = []
    for with_cp in (False, True):
        model = narrow(with_cp=with_cp).train()
        if with_cp:
            recompute(model, 'backbone', reentrant=False)
        a, b = model(images(seed=1)), model(images(seed=2))
        (a.square().mean() + b.square().mean()).backward()
        losses.append(gradients(model))
    torch.testing.assert_close(*losses)
