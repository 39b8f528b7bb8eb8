_base_ = 'in100_256.py'

# EfficientNet's crops, as in mmpretrain's recipe for ImageNet-1k.
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='EfficientNetRandomCrop', scale=240),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='EfficientNetCenterCrop', crop_size=240),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    # 256 images a step on all GPUs.
    batch_size=256 // int('{{$WORLD_SIZE:1}}'),
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
