"""Does the result of plan tiny20 hold when its networks are trained again?

Recipe, seeds and test are those of that plan, whose weights were not kept but
for one pair. The units have come to round differently since, and the first two
seeds to draw other numbers: from these on, training leads elsewhere. So the
difference between the two plans is what chance makes of the same seeds.
"""

_base_ = '_base_/plain_and_mlfm.py'

title = 'MobileNetV2 0.35, Tiny ImageNet-20, trained again'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
