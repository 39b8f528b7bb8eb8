# The published recipe of the MobileNetV2 runs: one GPU, batches of 128.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=1e-4)
)
# No end: it follows max_epochs.
param_scheduler = dict(type='CosineAnnealingLR', by_epoch=True, eta_min=0)
train_cfg = dict(by_epoch=True, max_epochs=150, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128)
