_base_ = '../baseline/resnet34_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
