_base_ = '../baseline/resnet18_in1k.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
