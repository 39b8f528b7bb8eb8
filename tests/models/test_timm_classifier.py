"""A whole network of timm, as mmpretrain builds it, with memory."""

from pathlib import Path

import pytest
import timm
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner.checkpoint import load_checkpoint
from mmpretrain.structures import DataSample
from torch import nn

from mlfm_mm import add_memory

PLAIN = dict(type='TimmClassifier', model_name='resnet18', num_classes=5)
IMAGES = torch.rand(2, 3, 64, 64)


def build(seed: int, memory: bool = True, **model: object) -> nn.Module:
    cfg = Config(dict(model={**PLAIN, **model}))
    if memory:
        cfg = add_memory(cfg, identity_init=True)
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    model.init_weights()
    return model.eval()


@pytest.mark.parametrize(
    'name',
    ['resnet18', 'convnext_atto', 'mobilenetv3_small_050', 'regnetx_002'],
)
def test_old_weights_keep_the_output(name: str, tmp_path: Path) -> None:
    plain, ours = (build(i, bool(i), model_name=name) for i in range(2))
    strides = [tap.reduction for tap in ours.neck.taps]
    assert sorted(set(strides)) in ([2, 4, 8, 16, 32], [4, 8, 16, 32])
    torch.save(plain.state_dict(), tmp_path / 'plain.pth')
    load_checkpoint(ours, str(tmp_path / 'plain.pth'))
    with torch.no_grad():
        assert torch.equal(ours(IMAGES), plain(IMAGES))


def test_checkpoints_come_back_whole() -> None:
    first, second = build(0), build(1)
    state = {k: v + 1 for k, v in first.state_dict().items()}
    assert set(timm.create_model('resnet18').state_dict()) <= set(state)
    assert [name for name in state if name.startswith('neck.units.')]
    second.load_state_dict(state)
    torch.testing.assert_close(dict(second.state_dict()), state)


def test_each_unit_learns() -> None:
    model = build(0).train()
    samples = [DataSample().set_gt_label(i) for i in range(2)]
    sum(model.loss(IMAGES, samples).values()).backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None]


def test_only_memory_has_a_place() -> None:
    pooling = dict(type='mmpretrain.GlobalAveragePooling')
    with pytest.raises(TypeError, match='GlobalAveragePooling'):
        MODELS.build(dict(PLAIN, type='mlfm_mm.TimmClassifier', neck=pooling))


def test_recomputing_units_is_refused() -> None:
    with pytest.raises(ValueError, match='give it to the memory instead'):
        build(0, with_cp=True)


def test_recomputed_blocks() -> None:
    # Its units sit behind stages, outside of what is recomputed.
    model = build(0, model_name='convnext_atto', with_cp=True).train()
    samples = [DataSample().set_gt_label(i) for i in range(2)]
    sum(model.loss(IMAGES, samples).values()).backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None]
