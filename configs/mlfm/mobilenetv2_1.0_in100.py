_base_ = '../baseline/mobilenetv2_1.0_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
