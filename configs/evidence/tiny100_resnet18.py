"""Does the memory help on all hundred classes, trained for longer?

For a GPU, several runs side by side (--jobs 4).
"""

_base_ = '_base_/plain_and_mlfm.py'

title = 'ResNet-18, Tiny ImageNet-100'
config = 'recipes/resnet18_tiny100.py'
