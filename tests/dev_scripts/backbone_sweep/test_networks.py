"""Which networks the sweep takes for different ones."""

from mmengine.registry import MODELS, DefaultScope

from backbone_sweep.networks import (
    find_backbone,
    from_config,
    key_of,
    kinds_of,
)
from mlfm_mm import MLFMNeck

RESNET = dict(type='ResNet', depth=18)
CLASSIFIER = dict(
    type='ImageClassifier',
    backbone=RESNET,
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=10, in_channels=512),
)
assert MODELS and DefaultScope


def key(**changes: object) -> str:
    model = {**CLASSIFIER, **changes}
    return key_of(model, model['backbone'])


def test_what_makes_another_architecture() -> None:
    frozen = dict(RESNET, frozen_stages=1, init_cfg=dict(type='Pretrained'))
    wide = dict(CLASSIFIER['head'], num_classes=1000)
    assert key() == key(backbone=frozen) == key(head=wide)
    assert len({key(), key(backbone=dict(RESNET, depth=34))}) == 2
    assert len({key(), key(neck=None), key(neck=dict(type='Other'))}) == 3


def test_kinds_of_detectors_come_in_sizes() -> None:
    fpn, bfp = dict(type='FPN', num_outs=5), dict(type='BFP')
    net = dict(type='FCOS', backbone=RESNET, neck=fpn)
    assert kinds_of(net, RESNET) == 'FCOS ResNet FPN'
    assert kinds_of(net, RESNET) == kinds_of(net, dict(RESNET, depth=50))
    both = dict(net, neck=[fpn, bfp])
    assert kinds_of(both, RESNET) == 'FCOS ResNet FPN BFP'


def test_where_a_backbone_stands() -> None:
    student = dict(type='SoftTeacher', detector=dict(backbone=RESNET))
    assert find_backbone(student) is RESNET
    pooling = dict(type='GlobalAveragePooling')
    assert find_backbone(CLASSIFIER) is RESNET
    assert find_backbone(dict(image_encoder=[RESNET, pooling])) is RESNET
    assert find_backbone(dict(type='Language')) is None


def test_memory_stands_in_front_of_the_neck() -> None:
    for neck in (CLASSIFIER['neck'], dict(type='GeneralizedMeanPooling')):
        build = from_config('mmpretrain', dict(CLASSIFIER, neck=neck))
        model = build(True)
        assert isinstance(model.neck, MLFMNeck)
        assert type(model.neck.neck).__name__ == neck['type']
        assert type(build(False).neck).__name__ == neck['type']
