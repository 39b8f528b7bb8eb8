"""What is the gain of plan tiny20 due to? The same recipe and seeds.

Controls keep the units and change what they are given. The wider networks
have no memory: one has MLFM's parameters (435 k of 430 k; MLFM adds 2 %), and
one its training time (the widest that is not slower: widths go by eights, and
a step of the next one takes half as long again).
"""

_base_ = '_base_/controls.py'

title = 'MobileNetV2 0.35, Tiny ImageNet-20: controls'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
arms = dict(
    same_params=dict(
        title='without memory, as many parameters (width 0.37)',
        overrides={'model.backbone.widen_factor': 0.37},
    ),
    same_time=dict(
        title='without memory, as much time (width 0.55)',
        overrides={'model.backbone.widen_factor': 0.55},
    ),
)
beside = ['tiny20']
