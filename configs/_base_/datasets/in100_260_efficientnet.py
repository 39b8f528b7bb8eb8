_base_ = 'in100_256.py'

# EfficientNet's crops, as in mmpretrain's recipe for ImageNet-1k.
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='EfficientNetRandomCrop', scale=260),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='EfficientNetCenterCrop', crop_size=260),
    dict(type='PackInputs'),
]

# batch_size counts the images of a step in all: tools/train.py shares them out
# to the processes (the hosts' own tools give as many to each).
share_batch_size = True
train_dataloader = dict(
    batch_size=256,
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
