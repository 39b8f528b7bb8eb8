import copy

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.models import ImageClassifier

from mlfm_mm.analysis.models import build_model


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
