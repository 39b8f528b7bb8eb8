# ConvNeXt's recipe, with the learning rate of 4e-3 for 4,096 images a step
# scaled to 1,024: an epoch of ImageNet-100 would be 31 steps otherwise. On
# fewer GPUs than 1,024 images fit on, give a smaller train_dataloader.
# batch_size and --auto-scale-lr.
optim_wrapper = dict(
    optimizer=dict(
        type='AdamW', lr=1e-3, weight_decay=0.05, betas=(0.9, 0.999), eps=1e-8
    ),
    # No decay of norms, biases and layer scales.
    paramwise_cfg=dict(
        norm_decay_mult=0.0, bias_decay_mult=0.0, flat_decay_mult=0.0
    ),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        by_epoch=True,
        end=20,
        convert_to_iter_based=True,
    ),
    dict(type='CosineAnnealingLR', eta_min=1e-6, by_epoch=True, begin=20),
]
train_cfg = dict(by_epoch=True, max_epochs=300, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=1024)
