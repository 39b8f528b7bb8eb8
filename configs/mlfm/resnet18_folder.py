_base_ = '../baseline/resnet18_folder.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
