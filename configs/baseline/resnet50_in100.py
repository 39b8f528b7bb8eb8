_base_ = [
    '../_base_/models/resnet_in100.py',
    '../_base_/datasets/in100_256.py',
    '../_base_/schedules/resnet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

# The standard network: the published one had 64 channels instead of 256 after
# its first stage.
model = dict(backbone=dict(depth=50), head=dict(in_channels=2048))
train_dataloader = dict(batch_size=256)
auto_scale_lr = dict(base_batch_size=256)
