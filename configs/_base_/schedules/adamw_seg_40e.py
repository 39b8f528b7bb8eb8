optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2e-3, weight_decay=0.01),
)
# Up for one epoch, then down to nothing, step by step.
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.1,
        end=1,
        convert_to_iter_based=True,
    ),
    # No end: it follows max_epochs.
    dict(type='CosineAnnealingLR', begin=1, convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=40, val_interval=4)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
