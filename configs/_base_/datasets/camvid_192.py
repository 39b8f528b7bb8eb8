_base_ = './camvid.py'

# Small pictures, for a run on a CPU.
crop_size = (144, 192)
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[2].update(scale=(256, 192), ratio_range=(0.75, 1.5))
train_pipeline[3].crop_size = crop_size
test_pipeline[1].scale = (256, 192)
tta_pipeline = _base_.tta_pipeline
tta_pipeline[1].transforms[0] = [
    dict(type='Resize', scale=scale, keep_ratio=True)
    for scale in [(192, 144), (256, 192), (320, 240)]
]
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline),
    drop_last=True,
)
val_dataloader = dict(
    batch_size=4, num_workers=1, dataset=dict(pipeline=test_pipeline)
)
test_dataloader = val_dataloader
