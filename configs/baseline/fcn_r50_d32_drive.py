_base_ = './fcn_r50_d8_drive.py'

# Strides of an ordinary ResNet: features of 1/32.
model = dict(backbone=dict(strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1)))
