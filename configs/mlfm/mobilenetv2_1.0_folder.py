_base_ = '../baseline/mobilenetv2_1.0_folder.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
