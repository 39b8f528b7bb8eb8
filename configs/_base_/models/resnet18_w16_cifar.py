_base_ = 'resnet18_w16.py'

# The stem for small images: 3x3, stride 1, no pooling.
model = dict(backbone=dict(type='ResNet_CIFAR'))
