_base_ = './fcn_r50_d8_drive.py'

model = dict(pretrained='open-mmlab://resnet101_v1c', backbone=dict(depth=101))
