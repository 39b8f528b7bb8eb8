# The published recipe of the SE-ResNets.
optim_wrapper = dict(
    optimizer=dict(type='SGD', lr=0.045, momentum=0.9, weight_decay=4e-5)
)
param_scheduler = dict(type='ExponentialLR', by_epoch=True, gamma=0.98)
train_cfg = dict(by_epoch=True, max_epochs=99, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=128)
