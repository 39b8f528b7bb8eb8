_base_ = [
    '../_base_/models/regnet_in100.py',
    '../_base_/datasets/in100_256.py',
    '../_base_/schedules/regnet_in100.py',
    'mmpretrain::_base_/default_runtime.py',
]

model = dict(
    backbone=dict(
        arch=dict(w0=48, wa=36.97, wm=2.24, group_w=24, depth=16, bot_mul=1.0)
    ),
    head=dict(in_channels=528),
)
