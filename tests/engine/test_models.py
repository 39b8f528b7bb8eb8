import copy

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.models import ImageClassifier
from torch import nn

from mlfm_mm.engine.models import build_model


def config() -> Config:
    backbone = dict(type='MobileNetV2', widen_factor=0.1)
    model = dict(type='ImageClassifier', backbone=backbone)
    return Config(dict(default_scope='mmpretrain', model=model))


def test_names_are_looked_up_in_the_scope_of_the_config() -> None:
    cfg = config()
    before = copy.deepcopy(cfg.model)
    current = DefaultScope.get_current_instance()
    assert isinstance(build_model(cfg), ImageClassifier)
    assert cfg.model == before
    # Neither the config nor the scope of what comes next is changed.
    assert DefaultScope.get_current_instance() is current


def test_ready_to_predict_on_a_cpu() -> None:
    cfg = config()
    cfg.model.backbone.norm_cfg = dict(type='SyncBN')
    cfg.data_preprocessor = dict(mean=[1, 2, 3], std=[1, 1, 1])
    model = build_model(cfg, 'cpu')
    assert not model.training
    norms = [m for m in model.modules() if 'BatchNorm' in type(m).__name__]
    assert norms and {type(m) for m in norms} == {nn.BatchNorm2d}
    assert model.data_preprocessor.mean.flatten().tolist() == [1, 2, 3]
    assert cfg.model.backbone.norm_cfg.type == 'SyncBN'
