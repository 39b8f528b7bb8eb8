"""Does the memory help a small network on small photographs?

Fixed before the first run: recipe, arms, seeds, and the test, which is the
paired difference over the seeds after the last epoch, with its 95 % interval.
"""

_base_ = '_base_/plain_and_mlfm.py'

title = 'MobileNetV2 0.35, Tiny ImageNet-20'
config = 'recipes/mobilenetv2_0.35_tiny20.py'
