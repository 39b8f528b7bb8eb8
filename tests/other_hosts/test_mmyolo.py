"""YOLO through mmyolo's models and mmdet's inference."""

from pathlib import Path

import torch
from mmengine.config import Config

from tests.other_hosts.trial import (
    SIDE,
    neck_of,
    read,
    train_twice,
    with_old_weights,
)

NAME = 'yolov5/yolov5_n-v61_syncbn_fast_8xb16-300e_coco.py'
TEXT = """
size = ({side}, {side})
load = [dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True)]
resize = [dict(type='YOLOv5KeepRatioResize', scale=size),
          dict(type='LetterResize', scale=size, pad_val=dict(img=114))]
keys = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor',
        'pad_param')
pack = dict(type='mmdet.PackDetInputs', meta_keys=keys)
data = dict(
    data_root={root!r},
    ann_file='marks.json',
    data_prefix=dict(img=''),
    metainfo=dict(classes=('person',)),
)
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
# MMEngine gives a scope to what a base of another package names.
collate = dict(_delete_=True, type='yolov5_collate')
train_dataloader = dict(**loader, collate_fn=collate, dataset=dict(
    **data, pipeline=[*load, *resize, pack]))
test_dataloader = dict(**loader, dataset=dict(
    **data, batch_shapes_cfg=None, pipeline=[load[0], *resize, pack]))
test_pipeline = [load[0], *resize, pack]
model = dict(
    backbone=dict(norm_cfg=dict(type='BN')),
    bbox_head=dict(head_module=dict(num_classes=1)))
default_hooks = dict(param_scheduler=None)
custom_hooks = []
optim_wrapper = dict(_delete_=True, type='OptimWrapper',
    optimizer=dict(type='Adam', lr=0.001))
"""


def config(folder: Path, pictures: Path) -> Config:
    text = TEXT.format(root=str(pictures), side=SIDE)
    return read(f'mmyolo::{NAME}', text, folder)


def test_trains_and_infers(pictures: Path, tmp_path: Path) -> None:
    from mmdet.apis import inference_detector, init_detector

    weights = train_twice(config(tmp_path, pictures), 'yolo')
    dumped = str(tmp_path / 'work' / 'config.py')
    model = init_detector(dumped, weights, device='cpu')
    assert neck_of(model).taps
    found = inference_detector(model, str(pictures / '0.png'))
    assert set(found.pred_instances.keys()) >= {'bboxes', 'scores', 'labels'}


def test_old_weights_give_the_same_maps(
    pictures: Path, tmp_path: Path
) -> None:
    plain, ours = with_old_weights(config(tmp_path, pictures), tmp_path)
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        before, after = (m(image, mode='tensor') for m in (plain, ours))
    for old, new in zip(before, after, strict=True):
        assert all(map(torch.equal, old, new))
