_base_ = '../baseline/resnet18_w16_folder.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
