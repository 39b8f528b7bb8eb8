_base_ = '../baseline/resnet18_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
