# CamVid at its usual 480x360. The test pipeline brings pictures of another
# size, such as the original 960x720, to it.
_base_ = '../check_data.py'

dataset_type = 'mlfm_mm.CamVid'
data_root = 'data/camvid'
# Masks label pixels as they are stored, so that pictures must not be turned
# by the orientation that a camera noted.
load_image = dict(
    type='LoadImageFromFile', color_type='color_ignore_orientation'
)
crop_size = (360, 480)
train_pipeline = [
    load_image,
    dict(type='LoadAnnotations'),
    dict(
        type='RandomResize',
        scale=(480, 360),
        ratio_range=(0.5, 2.0),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    load_image,
    dict(type='Resize', scale=(480, 360), keep_ratio=True),
    # After Resize: predictions are measured at the size of the mask.
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
img_scales = [
    (int(480 * ratio), int(360 * ratio))
    for ratio in [0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
]
tta_pipeline = [
    load_image,
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale=scale, keep_ratio=True)
                for scale in img_scales
            ],
            [dict(type='RandomFlip', prob=prob) for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackSegInputs')],
        ],
    ),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='train',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='val',
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    val_dataloader, dataset=dict(val_dataloader['dataset'], split='test')
)
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
