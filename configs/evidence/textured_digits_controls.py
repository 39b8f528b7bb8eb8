"""What is the gain of plan textured_digits due to? Six epochs, its seeds.

Controls keep the units and change what they are given. The other networks
have no memory: a wider one (nine channels of eight, the next width, which has
26 % more parameters where MLFM adds 4 %), and one trained for nine epochs,
which take as long as six with the memory.
"""

_base_ = '_base_/controls.py'

title = 'ResNet-18 w8, digits under a fine grain: controls'
config = '../baseline/resnet18_w8_textured_digits.py'
arms = dict(
    wider=dict(
        title='without memory, nine channels',
        overrides={
            'model.backbone.stem_channels': 9,
            'model.backbone.base_channels': 9,
            'model.head.in_channels': 72,
        },
    ),
    same_time=dict(
        title='without memory, as much time (nine epochs)',
        overrides={'train_cfg.max_epochs': 9},
    ),
)
beside = ['textured_digits']
