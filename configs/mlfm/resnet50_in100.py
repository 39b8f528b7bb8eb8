_base_ = '../baseline/resnet50_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
