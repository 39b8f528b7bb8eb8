_base_ = [
    '../_base_/models/senet_in100.py',
    '../_base_/datasets/in100_256.py',
    '../_base_/schedules/senet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

# The published code of this one fails; wired as SE-ResNet-34, with its own
# widths.
model = dict(
    backbone=dict(type='SEResNet', depth=50), head=dict(in_channels=2048)
)
