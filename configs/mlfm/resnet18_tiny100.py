_base_ = '../baseline/resnet18_tiny100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
