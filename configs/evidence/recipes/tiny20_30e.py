# Twenty classes of Tiny ImageNet, every fifth of the hundred: 10,000 images
# to train on and 1,000 to validate on, 64x64; 30 epochs.
_base_ = [
    '../../_base_/datasets/tiny100_64.py',
    '../../_base_/schedules/sgd_cosine_10e.py',
    '../../_base_/default_runtime.py',
]

data_preprocessor = dict(num_classes=20)
tiny20 = dict(type='mlfm_mm.DecodedImageFolder', every_nth_class=5)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(
        **tiny20,
        pipeline=[
            dict(type='RandomCrop', crop_size=64, padding=8),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='PackInputs'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=200,
    num_workers=0,
    dataset=dict(**tiny20, pipeline=[dict(type='PackInputs')]),
    # Neighbours are of one class otherwise, and a unit that is given its
    # neighbour's image would be told the class.
    sampler=dict(shuffle=True, seed=0),
)
# The same images; pictures of other sizes can be shown, too.
test_dataloader = dict(
    batch_size=200,
    num_workers=0,
    dataset=dict(
        **tiny20,
        pipeline=[
            dict(type='ResizeEdge', scale=64, edge='short'),
            dict(type='CenterCrop', crop_size=64),
            dict(type='PackInputs'),
        ],
    ),
    sampler=dict(shuffle=True, seed=0),
)
val_evaluator = dict(topk=(1,))
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=30)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=1, save_best=None))
custom_hooks = [
    dict(type='mlfm_mm.CheckDataHook'),
    # Twice as fast on a CPU, where depthwise convolutions are slow.
    dict(type='mlfm_mm.ChannelsLastHook'),
]
