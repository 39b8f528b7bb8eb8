"""What a forward pass is refused for."""

import pytest
import torch

from mlfm_mm import MLFMNeck
from tests.models.builders import ToyBackbone, ToyModel, classifier


def test_data_parallel_is_refused() -> None:
    # What nn.DataParallel calls on another device.
    replica = ToyModel(
        ToyBackbone(), MLFMNeck()
    ).backbone.stage0._replicate_for_data_parallel()
    with pytest.raises(RuntimeError, match='DistributedDataParallel'):
        replica(torch.rand(1, 3, 40, 40))


def test_a_batch_that_the_backbone_changes() -> None:
    # As TridentNet's branches do in training.
    model = ToyModel(ToyBackbone(), MLFMNeck())
    model.backbone.stage1.register_forward_pre_hook(
        lambda _, inputs: inputs[0].repeat(3, 1, 1, 1)
    )
    with pytest.raises(
        ValueError,
        match=r"tap 'stage1' .*\(6, 6, 10, 10\).* 6 images.*\(2, 4, 10, 10\)",
    ):
        model(torch.rand(2, 3, 40, 40))


def test_one_value_of_a_channel_in_training() -> None:
    backbone = dict(type='mmpretrain.ConvNeXt', arch='atto')
    model = classifier(backbone, 320).train()
    with pytest.raises(ValueError, match=r'one value a channel.*drop_last'):
        model(torch.rand(1, 3, 32, 32))
    model.eval()(torch.rand(1, 3, 32, 32))
    groups = classifier(backbone, 320, norm_cfg=dict(type='GN', num_groups=8))
    groups.train()(torch.rand(1, 3, 32, 32))


@pytest.mark.parametrize(
    ('option', 'text'),
    [
        ('updat', r"no argument 'updat'\. Did you mean 'update'\? To keep"),
        ('in_channels', r"no argument 'in_channels'\. To keep .*_base_"),
    ],
)
def test_what_is_left_over(option: str, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        MLFMNeck(**{option: 1})
