from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from mlfm_mm import MLFMNeck, add_memory
from mlfm_mm.engine import UsageError
from mlfm_mm.engine.memory import check_kept
from mlfm_mm.engine.options import load_config
from tests.hosts import needs_mmseg

MEMORY = 'mlfm_mm.MLFMNeck'
FPN = dict(type='FPN', in_channels=[64, 128, 256, 512], out_channels=8)
POOLING = dict(type='GlobalAveragePooling')


def config(**model: Any) -> Config:
    """A config of any host: none is imported to add memory."""
    model = {'type': 'RetinaNet', 'backbone': dict(type='ResNet'), **model}
    return Config(dict(default_scope='mmdet', model=model))


def test_where_there_is_no_neck() -> None:
    assert add_memory(config()).model.neck == dict(type=MEMORY)
    assert add_memory(config(neck=None)).model.neck == dict(type=MEMORY)


def test_in_front_of_a_neck() -> None:
    neck = add_memory(config(neck=FPN)).model.neck
    assert neck == dict(type=MEMORY, neck=FPN)


@pytest.mark.parametrize('kind', [list, tuple])
def test_at_the_head_of_necks(kind: type) -> None:
    necks = kind([FPN, dict(type='BFP')])
    neck = add_memory(config(neck=necks)).model.neck
    assert isinstance(neck, kind)
    assert list(neck) == [dict(type=MEMORY), *necks]


def test_the_config_that_was_given_stays_as_it_is() -> None:
    given = config(neck=FPN)
    before = deepcopy(given.to_dict())
    add_memory(given).model.neck.neck.out_channels = 9
    assert given.to_dict() == before


def test_options() -> None:
    options = dict(identity_init=True, update='concat')
    neck = add_memory(config(neck=FPN), **options).model.neck
    assert neck == dict(type=MEMORY, neck=FPN, **options)
    with pytest.raises(TypeError, match=r"'identity_int'.*'identity_init'"):
        add_memory(config(), identity_int=True)
    with pytest.raises(ValueError, match='update'):
        add_memory(config(), update='multiply')
    with pytest.raises(UsageError, match='neck'):
        add_memory(config(neck=FPN), neck=False)


@pytest.mark.parametrize(
    'neck',
    [
        dict(type='MLFMNeck'),
        dict(type=MEMORY, neck=FPN),
        dict(type=MLFMNeck),
        [FPN, dict(type=MEMORY)],
    ],
    ids=['bare', 'prefixed', 'class', 'listed'],
)
def test_memory_is_added_once(neck: Any) -> None:
    given = config(neck=neck)
    assert add_memory(given).to_dict() == given.to_dict()
    with pytest.raises(UsageError, match=r'has memory already.*identity_init'):
        add_memory(given, identity_init=True)


def test_a_teacher_may_have_memory_of_its_own() -> None:
    given = config(neck=FPN)
    given.model.teacher_neck = dict(type=MEMORY)
    model = add_memory(given, identity_init=True).model
    assert model.neck == dict(type=MEMORY, identity_init=True, neck=FPN)
    assert model.teacher_neck == dict(type=MEMORY)


def test_a_wrapped_student_gets_none_from_its_teacher() -> None:
    """Else the student of a wrapper would train without memory, silently."""
    teacher = dict(type='T', backbone=dict(type='R'), neck=dict(type=MEMORY))
    student = dict(type='S', backbone=dict(type='R'))
    wrapper = dict(type='KD', student=student, teacher=teacher)
    with pytest.raises(UsageError, match=r'around model\.student'):
        add_memory(Config(dict(model=wrapper)))
    named = dict(type='KD', student='student.py', teacher=teacher)
    with pytest.raises(UsageError, match='KD has no backbone'):
        add_memory(Config(dict(model=named)))
    student['neck'] = teacher.pop('neck')
    for other in ('teacher', 'reid'):
        wrapper = {'student': student, other: teacher}
        assert add_memory(Config(dict(model=wrapper))).model == wrapper


@pytest.mark.parametrize(
    ('part', 'path'),
    [
        (dict(detector=None), 'model.detector'),
        (dict(image_encoder=[None, POOLING]), r'model.image_encoder\[0\]'),
        (dict(a=dict(type='A', b=None)), 'model.a.b'),
    ],
)
def test_a_wrapped_backbone_is_named(part: dict, path: str) -> None:
    inner = dict(type='FasterRCNN', backbone=dict(type='ResNet'))

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: filled(v) for k, v in value.items()}
        if isinstance(value, list):
            return [filled(v) for v in value]
        return inner if value is None else value

    cfg = Config(dict(model=dict(type='SoftTeacher', **filled(part))))
    with pytest.raises(UsageError) as caught:
        add_memory(cfg)
    told = str(caught.value)
    assert 'SoftTeacher has no backbone of its own' in told
    assert path.replace('\\', '') + ' (FasterRCNN)' in told


def test_without_a_backbone() -> None:
    with pytest.raises(UsageError, match=r'GAN has no backbone.*generator'):
        add_memory(Config(dict(model=dict(type='GAN', generator=dict()))))
    parts = dict(image_encoder=[dict(type='ResNet', depth=18), POOLING])
    with pytest.raises(UsageError, match=r"encoder=dict.*neck=.*MLFMNeck'"):
        add_memory(Config(dict(model=dict(type='MyRetriever', **parts))))
    with pytest.raises(UsageError, match=r'SAN has no backbone.*encoder$'):
        add_memory(Config(dict(model=dict(type='SAN', **parts))))
    with pytest.raises(UsageError, match='has no model'):
        add_memory(Config(dict(default_scope='mmdet')))


class Video(nn.Module):
    """As mmdet's Mask2FormerVideo, which gives its head the backbone's."""

    def __init__(self, backbone: dict, head: dict) -> None:
        super().__init__()


@pytest.mark.parametrize('options', [{}, dict(neck=FPN)])
def test_a_model_that_takes_no_neck(options: dict) -> None:
    with pytest.raises(UsageError, match=r'Video takes no neck: .* memory'):
        add_memory(config(type=Video, **options))
    other = type('Other', (Video,), dict(__init__=lambda *_, **__: None))
    assert add_memory(config(type=other, **options)).model.neck


def test_a_teacher_with_memory() -> None:
    """A host may hold it as no part of the model, out of its state."""
    teacher = dict(type='RetinaNet', neck=dict(type=MEMORY))
    check_kept(nn.Flatten(), dict(type='KD', teacher_config=teacher))
    with pytest.raises(UsageError, match='should be MLFMNeck'):
        check_kept(nn.Flatten(), teacher)


PYTHON_CONFIG = """
from mmengine.config import read_base
from mmpretrain.models import GlobalAveragePooling, ImageClassifier, ResNet
model = dict(
    type=ImageClassifier,
    backbone=dict(type=ResNet, depth=18),
    neck=dict(type=GlobalAveragePooling),
)
"""


def test_a_config_in_pure_python(tmp_path: Path) -> None:
    file = tmp_path / 'net.py'
    file.write_text(PYTHON_CONFIG)
    cfg = add_memory(Config.fromfile(file))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    assert type(model.neck.neck).__name__ == 'GlobalAveragePooling'
    cfg.dump(tmp_path / 'dumped.py')
    again = Config.fromfile(tmp_path / 'dumped.py')
    assert add_memory(again).model == again.model


def build(cfg: Config, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
    model.init_weights()
    return model.eval()


@pytest.mark.parametrize(
    'name',
    [
        'mmpretrain::resnet/resnet18_8xb32_in1k.py',
        # Behind the memory there is a neck with weights.
        pytest.param(
            'mmseg::sem_fpn/fpn_r50_4xb4-160k_ade20k-512x512.py',
            marks=needs_mmseg,
        ),
    ],
)
def test_a_config_of_a_host_keeps_its_outputs(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / 'plain.py'
    file.write_text(f'_base_ = {name!r}\n')
    plain = load_config(str(file))
    plain.model.pop('pretrained', None)
    if plain.default_scope == 'mmseg':
        for part in ('backbone', 'decode_head'):
            plain.model[part].norm_cfg = dict(type='BN')
    before = build(plain, 0)
    after = build(add_memory(plain, identity_init=True), 1)
    seen = after.load_state_dict(before.state_dict(), strict=False)
    assert not seen.unexpected_keys
    assert all('.units.' in name for name in seen.missing_keys)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(
            after(image, mode='tensor'), before(image, mode='tensor')
        )


def test_the_tools_take_it(tmp_path: Path) -> None:
    file = tmp_path / 'net.py'
    file.write_text(
        "default_scope = 'mmpretrain'\n"
        "model = dict(type='ImageClassifier', "
        "backbone=dict(type='ResNet', depth=18))\n"
    )
    cfg = load_config(
        str(file), {'model.neck.identity_init': True}, memory=True
    )
    assert cfg.model.neck == dict(type=MEMORY, identity_init=True)
    assert 'neck' not in load_config(str(file)).model
