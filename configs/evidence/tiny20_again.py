"""Does the result of plan tiny20 hold when its networks are trained again?

Recipe, seeds and test are those of that plan, whose weights were not kept but
for one pair. Without memory, seeds 2 to 4 end as they did, epoch by epoch; the
first two were trained by earlier code, and do not. With memory none does: the
units have come to round differently, and from there on training leads
elsewhere. So what differs between the plans is chance.
"""

_base_ = '_base_/plain_and_mlfm.py'

title = 'MobileNetV2 0.35, Tiny ImageNet-20, trained again'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
