model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='mlfm_mm.InceptionNeXt', arch='tiny', drop_path_rate=0.1
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='mlfm_mm.InceptionNeXtHead',
        num_classes=100,
        in_channels=768,
        loss=dict(
            type='LabelSmoothLoss',
            label_smooth_val=0.1,
            mode='original',
        ),
        init_cfg=dict(type='TruncNormal', layer='Linear', std=0.02, bias=0.0),
    ),
    train_cfg=dict(
        augments=[
            dict(type='Mixup', alpha=0.8),
            dict(type='CutMix', alpha=1.0),
        ]
    ),
)
