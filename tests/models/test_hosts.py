"""One line in an existing config, in both hosts, through the Runner."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS as CLS
from torch import nn

from mlfm_mm import MLFMNeck
from tests.hosts import SEG, needs_compiler, needs_mmseg
from tests.models.builders import classifier

# Each way to write the override: what it needs besides, and the neck.
NAMES = {
    'bare': (
        "custom_imports = dict(imports=['mlfm_mm'])",
        "dict(_delete_=True, type='MLFMNeck')",
    ),
    'prefixed': ('', "dict(_delete_=True, type='mlfm_mm.MLFMNeck')"),
    'listed': (
        '',
        "[dict(type='mlfm_mm.MLFMNeck'), dict(type='{other}')]",
    ),
}
OTHER = {'mmpretrain': 'GlobalAveragePooling', 'mmseg': 'FeaturePyramid'}

IMAGENET_FILE = """
_base_ = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
{imports}
model = dict(neck={neck})
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        _delete_=True,
        type='CustomDataset',
        data_root={data!r},
        data_prefix='val.X',
        pipeline={{{{_base_.train_pipeline}}}},
    ),
)
train_cfg = dict(_delete_=True, by_epoch=False, max_iters=1)
param_scheduler = None
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
"""

CAMVID_FILE = """
_base_ = 'mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py'
{imports}
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    pretrained=None,
    data_preprocessor=dict(size=(96, 128)),
    backbone=dict(norm_cfg=norm_cfg),
    neck={neck},
    decode_head=dict(norm_cfg=norm_cfg, {head}),
    auxiliary_head=None,
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='BaseSegDataset',
        metainfo=dict(classes=[str(i) for i in range(12)]),
        data_root={data!r},
        data_prefix=dict(
            img_path='images/train', seg_map_path='annotations/train'),
        img_suffix='.jpg',
        seg_map_suffix='.png',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='Resize', scale=(128, 96)),
            dict(type='PackSegInputs'),
        ],
    ),
)
train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=1)
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
"""


@SEG.register_module(name='FeaturePyramid')
class TwiceChannels(nn.Module):
    """Stands for any neck that a user's list may hold."""

    def forward(self, feats: tuple) -> tuple:
        return tuple(torch.cat((x, x), 1) for x in feats)


def train_one_iteration(text: str, tmp_path: Path) -> nn.Module:
    file = tmp_path / 'config.py'
    file.write_text(text)
    cfg = Config.fromfile(file)
    cfg.work_dir = str(tmp_path / 'work')
    # Its own, or the second Runner of a process would find the first's.
    cfg.experiment_name = cfg.visualizer.name = tmp_path.name
    runner = Runner.from_cfg(cfg)
    before = weights(runner.model)
    runner.train()
    after = weights(runner.model)
    still = [k for k in before if torch.equal(before[k], after[k])]
    assert not still
    assert runner.iter == 1
    return runner.model


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    necks = (m for m in model.modules() if isinstance(m, MLFMNeck))
    return {k: v.clone() for k, v in next(necks).named_parameters()}


LONG_FORM = """
_base_ = {base!r}
model = dict(
    neck=dict(
        _delete_=True,
        type='mlfm_mm.MLFMNeck',
        neck={{{{_base_.model.neck}}}},
    )
)
"""


@pytest.mark.parametrize(
    ('base', 'kind'),
    [
        ('resnet/resnet18_8xb32_in1k.py', dict),
        ('hrnet/hrnet-w18_4xb32_in1k.py', list),
        ('vgg/vgg11_8xb32_in1k.py', type(None)),
    ],
)
def test_the_long_form_keeps_what_the_base_has(base: str, kind: type) -> None:
    base = f'mmpretrain::{base}'
    cfg = Config.fromstring(LONG_FORM.format(base=base), '.py')
    theirs = Config.fromstring(f'_base_ = {base!r}', '.py').model.neck
    assert isinstance(theirs, kind) and cfg.model.neck.neck == theirs
    # MMEngine leaves its mark in place where the base has no neck.
    CLS.build(cfg.model.neck)


@pytest.mark.parametrize('way', NAMES)
def test_existing_mmpretrain_config(
    way: str, hundred_images: Path, tmp_path: Path
) -> None:
    imports, neck = NAMES[way]
    text = IMAGENET_FILE.format(
        imports=imports,
        neck=neck.format(other=OTHER['mmpretrain']),
        data=str(hundred_images),
    )
    model = train_one_iteration(text, tmp_path)
    assert model.extract_feat(torch.rand(1, 3, 64, 64))[0].shape == (1, 512)


@needs_mmseg
@pytest.mark.parametrize('way', NAMES)
def test_existing_mmseg_config(
    way: str, two_scenes: Path, tmp_path: Path
) -> None:
    imports, neck = NAMES[way]
    text = CAMVID_FILE.format(
        imports=imports,
        neck=neck.format(other=OTHER['mmseg']),
        data=str(two_scenes),
        head='in_channels=1024' if way == 'listed' else '',
    )
    model = train_one_iteration(text, tmp_path)
    # Three stages at 1/8, each with a unit of its own.
    taps = next(m for m in model.modules() if isinstance(m, MLFMNeck)).taps
    assert [tap.reduction for tap in taps] == [2, 4, 4, 8, 8, 8]


@pytest.mark.parametrize(
    'registry',
    [
        pytest.param(CLS, id='mmpretrain'),
        pytest.param(SEG, id='mmseg', marks=needs_mmseg),
    ],
)
@pytest.mark.parametrize(
    'scope',
    [None, 'mmpretrain', pytest.param('mmseg', marks=needs_mmseg)],
)
@pytest.mark.parametrize('name', ['MLFMNeck', 'mlfm_mm.MLFMNeck'])
def test_the_name_resolves_from_any_scope(registry, scope, name) -> None:
    with DefaultScope.overwrite_default_scope(scope):
        assert isinstance(registry.build(dict(type=name)), MLFMNeck)


@needs_compiler
def test_both_steps_compile_to_one_graph() -> None:
    # Compiled networks sum in another order, which float32 would show.
    model = classifier().eval().double()
    image = torch.rand(1, 3, 64, 64).double()
    compiled = torch.compile(
        model.extract_feat, fullgraph=True, backend='eager'
    )
    with torch.no_grad():
        torch.testing.assert_close(compiled(image), model.extract_feat(image))
