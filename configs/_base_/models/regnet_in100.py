# RegNet's own start (https://arxiv.org/abs/2003.13678), which mmpretrain's
# class does not set: it leaves PyTorch's.
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='RegNet',
        # The 200 MF; mmpretrain has names for larger ones only.
        arch=dict(w0=24, wa=36.44, wm=2.49, group_w=8, depth=13, bot_mul=1.0),
        zero_init_residual=False,
        init_cfg=dict(type='Kaiming', layer='Conv2d'),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=368,
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
        topk=(1, 5),
    ),
)
