"""Does the memory help on all hundred classes, trained for longer?

A run took two hours or more on a core of a busy machine; on a GPU, several
run side by side (--jobs 4).
"""

_base_ = '_base_/plain_and_mlfm.py'

title = 'MobileNetV2 0.35, Tiny ImageNet-100, 60 epochs'
config = 'recipes/mobilenetv2_0.35_tiny100.py'
