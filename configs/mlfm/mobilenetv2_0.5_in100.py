_base_ = '../baseline/mobilenetv2_0.5_in100.py'

model = dict(neck=dict(type='mlfm_mm.MLFMNeck'))
