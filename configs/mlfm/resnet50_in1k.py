_base_ = '../baseline/resnet50_in1k.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
