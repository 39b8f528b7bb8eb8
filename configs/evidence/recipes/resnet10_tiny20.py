# The photographs at half their size, 32x32, for want of time.
_base_ = ['../../_base_/models/resnet_in100.py', './tiny20_30e.py']

model = dict(
    backbone=dict(type='mlfm_mm.ShallowResNet', depth=10),
    head=dict(num_classes=20, topk=(1,)),
)
halve = dict(type='Resize', scale=32, interpolation='area')
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            halve,
            dict(type='RandomCrop', crop_size=32, padding=4),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs'),
        ]
    )
)
val_dataloader = dict(dataset=dict(pipeline=[halve, dict(type='PackInputs')]))
test_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='ResizeEdge', scale=32, edge='short'),
            dict(type='CenterCrop', crop_size=32),
            dict(type='PackInputs'),
        ]
    )
)
