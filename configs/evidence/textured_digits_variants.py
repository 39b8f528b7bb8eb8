"""Which form of the memory is worth its cost? As textured_digits, 6 epochs."""

_base_ = '_base_/variants.py'

title = 'ResNet-18 w8, digits under a fine grain: variants'
config = '../baseline/resnet18_w8_textured_digits.py'
_late = dict(type='mlfm_mm.MLFMNeck', taps=['layer3', 'layer4'])
arms = dict(
    late=dict(
        title='units at the last two stages only',
        overrides={'model.neck': _late},
    )
)
beside = ['textured_digits']
