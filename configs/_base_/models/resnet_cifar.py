_base_ = 'resnet_in100.py'

# The stem for small images: 3x3, stride 1, no pooling.
model = dict(backbone=dict(type='ResNet_CIFAR'))
