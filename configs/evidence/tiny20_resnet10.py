"""Does the memory help a residual network, on tiny20 at 32x32?"""

_base_ = '_base_/plain_and_mlfm.py'

title = 'ResNet-10, Tiny ImageNet-20 at 32x32'
config = 'recipes/resnet10_tiny20.py'
seeds = [0, 1, 2]
