_base_ = 'resnet18_w16_cifar.py'

# An eighth of the width: 8, 16, 32 and 64 channels.
model = dict(
    backbone=dict(stem_channels=8, base_channels=8),
    head=dict(in_channels=64),
)
