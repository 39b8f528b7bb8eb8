"""Which form of the memory is worth its cost? Recipe and seeds of tiny20."""

_base_ = '_base_/variants.py'

title = 'MobileNetV2 0.35, Tiny ImageNet-20: variants'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
_late = dict(type='mlfm_mm.MLFMNeck', taps=['layer5', 'layer6'])
arms = dict(
    late=dict(
        title='units at the last two stages only',
        overrides={'model.neck': _late},
    )
)
beside = ['tiny20']
